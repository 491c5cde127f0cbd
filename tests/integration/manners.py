"""What a server says of its guests' manners: goodbyes, and its log."""

import contextlib
import re

from servers import wait_until

ABANDONED = (
    "SELECT sum(sessions_abandoned + sessions_fatal + sessions_killed) FROM pg_stat_database"
)
USUAL = {  # Lines that a server writes of what is well.
    "postgres": r"connection (received|authenticated|authorized): |disconnection: |checkpoint ",
    "mariadb": "(?!)",
    "mysql": "(?!)",
}


@contextlib.contextmanager
def polite_to(server):
    """Whatever connected in the block must have said goodbye to the server by its end."""
    wait_until(lambda: server.connections() == 0, "earlier sessions end")
    mark, before = server.log_mark(), rude(server)
    yield
    wait_until(lambda: server.connections() == 0, "the sessions end")
    assert rude(server) == before
    assert "unexpected EOF" not in server.log_since(mark)


def rude(server):
    """How many connections ended without a goodbye, or came to no login, as it counts them."""
    if server.engine == "postgres":
        return server.value(ABANDONED)
    return server.status("Aborted_clients") + server.status("Aborted_connects")


def unusual(server, mark):
    """The lines that the server has logged since the mark and that tell of trouble."""
    lines = server.log_since(mark).splitlines()
    return [line for line in lines if not re.search(USUAL[server.engine], line)]
