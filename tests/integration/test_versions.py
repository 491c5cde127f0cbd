"""The whole shipped library on servers of many versions, as the user that `dbhealthd grants` makes,
with every check on that has to be enabled: alone, and with a replica that streams, lags, loses its
source, gets it back and is promoted.

What is found is a line of the table in checks/README.md. tests/matrix/run tries all versions, and
writes them there; else it is the oldest and the newest of each product, and the line must be as it
is. A version that cannot be had here is skipped."""

import fcntl
import os
import re
import struct
from pathlib import Path

import pytest
from fakes import Fake, my_error, my_let_in, my_ok, my_packet, my_read
from program import Program
from servers import wait_until
from servers.versions import VERSIONS, is_there, version

LIBRARY = Path(__file__).resolve().parents[2] / "checks"
README = LIBRARY / "README.md"
ALL = os.environ.get("DBHEALTH_VERSIONS") == "all"
EXTREMES = ("postgres-12", "postgres-18", "mariadb-10.5", "mariadb-11.8", "mysql-9")
PRODUCTS = {"postgres": "Postgres", "mariadb": "MariaDB", "mysql": "MySQL"}
USER, PASSWORD = "checker", "checker-secret"
PATIENT = {"DBHEALTH_TIMEOUT": "10s", "DBHEALTH_DEADLINE": "20s", "DBHEALTH_CACHE": "100ms"}
COLUMN = b"\3def\0\0\0\1a\0\x0c" + struct.pack("<HIBHBxx", 45, 11, 3, 0, 0)
SETTINGS = {
    "postgres": {
        "archive_mode": "on",
        "archive_command": "true",
        "shared_preload_libraries": "pg_stat_statements",
        "wal_receiver_status_interval": "1s",
    },
    "mariadb": {"performance-schema": "ON", "expire-logs-days": 7},
    "mysql": {"performance-schema": "ON"},
}
ROLES = ("/primary", "/replica", "/read-only", "/readyz", "/healthz")
PRIMARY, REPLICA = (200, 503, 200, 200, 200), (503, 200, 200, 200, 200)
STALE = (503, 503, 503, 200, 200)
ROW = re.compile(r"^\| (?P<server>\w+ [\d.]+) \| (?P<exact>\S+) \| (?P<found>.*?) *\|$", re.M)


def folder_of(server):
    return LIBRARY / ("postgres" if server.engine == "postgres" else "mysql")


def optional(server):
    texts = {path.stem: path.read_text() for path in folder_of(server).glob("*.sql")}
    return ",".join(name for name, text in texts.items() if "-- enabled:     no" in text)


def environment(server):
    return {
        "DATABASE_URL": server.url(USER, PASSWORD),
        "DBHEALTH_ENABLE": optional(server),
        **PATIENT,
    }


def make_user(program, server):
    """As an administrator would, with what `dbhealthd grants` prints."""
    ended = program.run("grants", **environment(server))
    assert (ended.status, ended.errors) == (0, "")
    text = ended.output.replace("'...'", f"'{PASSWORD}'")
    server.sql(text) if server.engine == "postgres" else server.script(text)


class Verdicts:
    """What each check of the library says of a server now."""

    def __init__(self, program, server):
        ended = program.run("check", **environment(server))
        names = sorted(path.stem for path in folder_of(server).glob("*.sql"))
        self.rows = {name: ended.row(name) for name in names}

    def names(self, verdict):
        return {name for name, row in self.rows.items() if row[0] == verdict}


def is_well(verdicts):
    return verdicts.names("pass") | verdicts.names("skipped") == verdicts.rows.keys()


def wait_well(program, server):
    """The verdicts on a server of which none is a failure or a warning."""
    latest = []

    def look():
        latest[:] = [Verdicts(program, server)]
        return is_well(latest[0])

    try:
        wait_until(look, f"all is well on {server.name}", 20)
    except TimeoutError:
        pass
    bad = {name: row for name, row in latest[0].rows.items() if row[0] not in ("pass", "skipped")}
    assert bad == {}
    return latest[0]


def roles(adapter):
    return tuple(adapter.status_of(path) for path in ROLES)


def wait_roles(adapter, expected):
    try:
        wait_until(lambda: roles(adapter) == expected, "it has its role", 30)
    except TimeoutError:
        pass
    assert roles(adapter) == expected, [adapter.shown(path) for path in ROLES[:3]]


def table(server):
    return "public.t" if server.engine == "postgres" else "app.t"


def write(server, number):
    server.sql(f"INSERT INTO {table(server)} VALUES ({number})")


def lags(replica, source):
    """The replica has not applied what its source has written."""
    if replica.engine == "postgres":
        replica.pause_replay()
    else:
        replica.set_delay(3600)
    write(source, 2)


def lags_no_more(replica):
    if replica.engine == "postgres":
        replica.resume_replay()
    else:
        replica.set_delay(0)


def with_a_replica(program, adapter, source, replica):
    """All stages of a replica's life; gives the checks that passed on one of the two."""
    primary, other = (adapter(**environment_of_adapter(server)) for server in (source, replica))
    wait_roles(primary, PRIMARY)
    wait_roles(other, REPLICA)
    passed = set()
    for server in (source, replica):
        passed |= wait_well(program, server).names("pass")

    lags(replica, source)
    for path in ("/replica", "/read-only"):
        other.wait_status(f"{path}?max_lag_seconds=0", 503, 30)
    wait_roles(other, REPLICA)
    lags_no_more(replica)
    other.wait_status("/replica?max_lag_seconds=0", 200, 30)

    source.stop("immediate")
    wait_roles(other, STALE)
    source.start()
    wait_roles(other, REPLICA)
    wait_roles(primary, PRIMARY)

    replica.promote()
    wait_roles(other, PRIMARY)
    write(replica, 3)
    wait_well(program, replica)
    return passed


def environment_of_adapter(server):
    """But for what would log the passwords of our own statements."""
    words = environment(server)
    unsaid = [name for name in words["DBHEALTH_ENABLE"].split(",") if not name.endswith("-raw")]
    return {"url": words.pop("DATABASE_URL"), **words, "DBHEALTH_ENABLE": ",".join(unsaid)}


def table_row(name, verdicts, passed):
    """As the table has it, but for the exact version."""
    product, number = name.split("-")
    rows = verdicts.rows.items()
    meant = {check: says for check, (_, says) in rows if "(it is for m" not in says}  # products
    reasons = {
        check: re.search(r"\((.*?)(, and this is .*)?\)$", meant[check])[1]
        for check in meant.keys() - passed
    }
    left = [f"`{check}` ({reason})" for check, reason in sorted(reasons.items())]
    return f"{PRODUCTS[product]} {number}", f"{len(passed)} of {len(meant)} | {', '.join(left)}"


def compare_or_write(server, exact, found):
    text = README.read_text()
    lines = {match["server"]: match for match in ROW.finditer(text)}
    if ALL:
        line = lines[server]
        row = f"| {server} | {exact} | {found} |".replace("  ", " ")
        README.write_text(text[: line.start()] + row + text[line.end() :])
    else:
        assert lines[server]["found"] == found.strip()


ONE = my_packet(1, b"\1") + my_packet(2, COLUMN) + my_packet(3, b"\xfe\0\0\2\0")
ONE += my_packet(4, b"\1" + b"1") + my_packet(5, b"\xfe\0\0\2\0")


def old_mysql(version, unknown):
    """A server that knows SELECT 1, and each variable but those that have this in their name."""

    def script(client):
        my_let_in(client, version)
        while (body := my_read(client)[1])[0] == 3:
            if unknown in body:
                client.send(my_error(1, 1193))
            elif body[1:].startswith(b"SET SESSION "):
                client.send(my_ok(1))
            elif body[1:].startswith(b"SELECT 1;"):
                client.send(ONE)
            else:
                client.send(my_error(1, 1064))

    return script


@pytest.mark.parametrize("version", ["5.6.51-log", "5.7.44"])
def test_an_old_mysql_is_alive_and_ready_and_no_more(adapter, version):
    """Whatever else is asked of it is skipped, and says why."""
    with Fake(old_mysql(version, b"max_execution_time" if "5.6" in version else b"?")) as fake:
        a = adapter(f"mysql://probe:word@127.0.0.1:{fake.port}/")
        paths = ("/healthz", "/readyz", "/primary", "/replica", "/capacity")
        assert [a.status_of(path) for path in paths] == [200, 200, 503, 503, 503]
        shown = {**a.shown("/readyz"), **a.shown("/primary"), **a.shown("/capacity")}
        for name, line in shown.items():
            assert (name, line.verdict) == (name, "ok" if name == "accepting" else "skipped")
        assert f"server-version >= 8.0, and this is {version}" in shown["history"].detail


def test_a_mysql_that_is_too_old_is_told_of(adapter):
    with Fake(old_mysql("5.5.62", b"tx_read_only")) as fake:
        a = adapter(f"mysql://probe:word@127.0.0.1:{fake.port}/")
        assert [a.status_of(path) for path in ("/healthz", "/readyz")] == [200, 503]
        assert a.transitions("accepting")[0]["message"].startswith("the server is older than any")


@pytest.mark.parametrize("name", VERSIONS if ALL else EXTREMES)
def test_the_library(name, build_dir, adapter, new, tmp_path_factory):
    kind, program = version(name), Program(build_dir)
    if not is_there(kind):
        pytest.skip(f"there is no {name} here: tests/install servers {name}")
    server = new(kind, settings=SETTINGS[kind.engine])
    server.sql(f"CREATE TABLE {table(server)} (n int PRIMARY KEY)")
    write(server, 1)
    make_user(program, server)
    alone = wait_well(program, server)
    replica = server.new_replica()
    try:
        passed = alone.names("pass") | with_a_replica(program, adapter, server, replica)
    finally:
        replica.close()
    row = table_row(name, alone, passed)
    with open(tmp_path_factory.getbasetemp().parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        exact = re.match(r"[\d.]+", re.sub(r"^PostgreSQL ", "", server.value("SELECT version()")))
        compare_or_write(row[0], exact[0], row[1])
