"""How each engine says what the integration tests need: check files, and objects in the server."""

import contextlib

from servers import certificates

POSTGRES_COUNTER = (
    "CREATE SEQUENCE app.runs",
    "GRANT USAGE ON SEQUENCE app.runs TO probe",
)
MYSQL_COUNTER = (
    "CREATE TABLE app.runs (id int AUTO_INCREMENT PRIMARY KEY)",
    "CREATE FUNCTION app.count_run() RETURNS int MODIFIES SQL DATA"
    " BEGIN INSERT INTO app.runs VALUES (); RETURN 1; END",
    "GRANT EXECUTE ON FUNCTION app.count_run TO probe@'%'",
)


def check(statement="SELECT 1", **keys):
    """The text of a check file."""
    return "".join(f"-- {key}: {value}\n" for key, value in keys.items()) + statement


def alive(statement="SELECT 1", **keys):
    """A check as the shipped liveness check."""
    return check(statement, endpoints="healthz startupz", tolerate="answered", **keys)


def sleep(server, seconds):
    """A statement that takes so long and then gives something true."""
    if server.engine == "postgres":
        return f"SELECT pg_sleep({seconds}) IS NOT NULL"
    return f"SELECT SLEEP({seconds}) = 0"


class Counter:
    """An object in the server that counts the runs of checks. In a block it exists."""

    def __init__(self, server):
        self.server = server
        self.postgres = server.engine == "postgres"

    def __enter__(self):
        for statement in POSTGRES_COUNTER if self.postgres else MYSQL_COUNTER:
            self.server.sql(statement)
        return self

    def __exit__(self, *_):
        if self.postgres:
            self.server.sql("DROP SEQUENCE app.runs")
        else:
            self.server.sql("DROP FUNCTION app.count_run")
            self.server.sql("DROP TABLE app.runs")

    def taking(self, seconds=0):
        """A statement, for a check with `writes: yes`, that counts a run and takes so long."""
        if self.postgres:
            return f"SELECT nextval('app.runs') FROM pg_sleep({seconds})"
        return f"SELECT app.count_run() FROM (SELECT SLEEP({seconds})) AS slept"

    def value(self):
        """How many runs there were."""
        if self.postgres:
            return self.server.value("SELECT last_value - 1 + is_called::int FROM app.runs")
        return self.server.value("SELECT count(*) FROM app.runs")


def knob(server):
    """A statement that takes as long as the table app.knob says."""
    if server.engine == "postgres":
        return "SELECT pg_sleep(seconds) IS NOT NULL FROM app.knob"
    # SLEEP swallows its interruption and gives 1; the second row then sees it.
    return "SELECT MAX(SLEEP(seconds)) = 0 FROM app.knob, (SELECT 1 UNION SELECT 2) AS two"


def sleeping(server):
    """Ids of the sessions that run a statement that sleeps."""
    return [s["id"] for s in server.sessions() if s["query"] and "SLEEP(" in s["query"].upper()]


def kill(server, session):
    """Ends the session, if it is there."""
    with contextlib.suppress(server.driver().Error):
        if server.engine == "postgres":
            server.sql(f"SELECT pg_terminate_backend({session})")
        else:
            server.sql(f"KILL CONNECTION {session}")


def logins(server):
    """How often probe has logged in so far."""
    if server.engine == "postgres":
        return server.log_since().count("connection authorized: user=probe")
    return server.status("Connections") - _own_connections(server)


def _own_connections(server):
    """Those that the counting itself makes: each call of status() is one."""
    server.counted_logins = getattr(server, "counted_logins", 0) + 1
    return server.counted_logins


def raising(words, times=1):
    """A Postgres statement that ends in an error that quotes these words, so many times."""
    encoded = words.encode().hex()
    return f"SELECT repeat(convert_from('\\x{encoded}'::bytea, 'UTF8'), {times})::int"


def tls_url(server):
    """A URL that demands TLS and verifies the server."""
    authority = certificates().ca
    if server.engine == "postgres":
        return server.url(sslmode="verify-full", sslrootcert=authority)
    return server.url(**{"ssl-mode": "VERIFY_IDENTITY", "ssl-ca": authority})
