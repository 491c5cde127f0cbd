"""A way to the server that is blocked for a while: the kernel drops what asks for a connection when
too many wait in a listener's queue, as a firewall would. So nobody says anything, and once the way
is free the login must go on at once, and not when the kernel next asks, half a minute later."""

import contextlib
import socket
import struct

import pytest
from fakes import Queue, my_log_in, pg_log_in
from servers import wait_until
from wire import NoReply, Verb

SYN_SENT = "02"
PARAMS = {
    "postgres": ("?sslmode=disable", "?sslmode=prefer"),
    "mysql": ("?ssl-mode=DISABLED", "?ssl-mode=PREFERRED", "?ssl-mode=VERIFY_CA"),
}
CASES = [(kind, params) for kind, several in PARAMS.items() for params in several]
LOG_IN = {"postgres": pg_log_in, "mysql": my_log_in}


def asking(port):
    """Local ports of those who ask for a connection to this one and have no answer."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    wanted = "%08X:%04X" % (struct.unpack("=I", socket.inet_aton("127.0.0.1"))[0], port)
    return {row[1] for row in rows if row[2] == wanted and row[3] == SYN_SENT}


def log_in(kind, params, client):
    """As a server that lets everyone in, where it can without TLS."""
    if "VERIFY" not in params:
        LOG_IN[kind](client)


def test_a_way_that_is_blocked_for_a_while(start):
    """For all cases at once, for it takes seconds."""
    with contextlib.ExitStack() as stack:
        cases = {}
        for kind, params in CASES:
            queue = stack.enter_context(Queue(socket.AF_INET, ("127.0.0.1", 0)))
            prober = start(kind, f"{kind}://probe:word@127.0.0.1:{queue.port}/{params}")
            prober.send(Verb.OPEN)
            cases[kind, params] = queue, prober
        queues = [queue for queue, _ in cases.values()]
        seen = {queue.port: set() for queue in queues}

        def asked(times):
            for port, ports in seen.items():
                now = asking(port)
                assert len(now) <= 1, "one at a time"
                ports.update(now)
            return all(len(ports) >= times for ports in seen.values())

        wait_until(lambda: asked(2), "all ask anew")
        for queue in queues:
            queue.open()
        for (kind, params), (queue, prober) in cases.items():
            client = queue.accept()
            log_in(kind, params, client)
            expected = ("ok",)
            if "VERIFY" in params:
                client.stream.close()
                expected = ("lost", "tls")
            assert prober.receive().outcome in expected
            prober.end()


def test_a_server_that_accepts_is_never_asked_anew(start):
    """However long it says nothing: each would leave a process behind."""
    with socket.create_server(("127.0.0.1", 0)) as silent, contextlib.ExitStack() as stack:
        port = silent.getsockname()[1]
        silent.settimeout(10)
        probers = [start(kind, f"{kind}://probe:word@127.0.0.1:{port}/{p}") for kind, p in CASES]
        for prober in probers:
            prober.send(Verb.OPEN)
            stack.enter_context(silent.accept()[0])
        with pytest.raises(NoReply):
            probers[0].receive(patience=1.5)
        silent.settimeout(0)
        with pytest.raises(BlockingIOError):
            silent.accept()
        stack.close()
        for prober in probers:
            assert prober.receive().outcome in ("lost", "server_error")


@pytest.mark.parametrize("kind", PARAMS)
def test_a_unix_socket_with_a_full_queue(start, tmp_path, kind):
    """There the kernel says at once that nobody gets a place."""
    path = tmp_path / ".s.PGSQL.5432"
    host = str(tmp_path).replace("/", "%2F")
    urls = {
        "postgres": f"postgres://probe:word@{host}/",
        "mysql": f"mysql://probe:word@/?socket={path}",
    }
    with Queue(socket.AF_UNIX, str(path)) as queue:
        prober = start(kind, urls[kind])
        prober.send(Verb.OPEN)
        with pytest.raises(NoReply):
            prober.receive(patience=0.5)
        queue.open()
        LOG_IN[kind](queue.accept())
        assert prober.receive().outcome == "ok"
        prober.end()
