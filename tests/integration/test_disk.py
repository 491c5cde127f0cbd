"""A server whose disk is full answers what needs no room: alive, and ready unless a check writes."""

import pytest
import servers
import sql

WELL = (200, 200, 200, 200)
UNREADY = (200, 503, 200, 200)
LARGE = "INSERT INTO app.t SELECT REPEAT('x', 6000000)"
TABLES = {  # Of a kind whose writing does not end the server when there is no room.
    "postgres": (
        "CREATE UNLOGGED TABLE app.t (x text)",
        "ALTER TABLE app.t ALTER x SET STORAGE EXTERNAL",  # Not compressed.
        "GRANT INSERT ON app.t TO probe",
    ),
    "mariadb": ("CREATE TABLE app.t (x longtext) ENGINE=MyISAM",),
    "mysql": ("CREATE TABLE app.t (x longtext)",),
}
CODES = {"postgres": "53100", "mariadb": "20", "mysql": "1114"}
KINDS = {kind.engine: kind for kind in (servers.Postgres, servers.MariaDB, servers.MySQL)}


@pytest.fixture
def small(request):
    """small(engine) starts a server on a disk of 200 MiB that has the table app.t."""

    def start(engine):
        server = KINDS[engine]()
        request.addfinalizer(server.close)
        server.disk = 200
        server.start()
        for statement in TABLES[engine]:
            server.sql(statement)
        if engine != "postgres":
            server.sql("GRANT SELECT, INSERT ON app.t TO probe@'%'")
        return server

    return start


@pytest.mark.parametrize("engine", TABLES)
def test_a_full_disk(small, adapter, engine):
    server = small(engine)
    checks = {
        "alive": sql.alive(),
        "accepting": sql.check(),
        # MyISAM waits for room as long as the statement may.
        "write": sql.check(LARGE, writes="yes", fail="rows > 0", timeout="3s"),
    }
    a = adapter(server.url(), checks=checks, DBHEALTH_CACHE="0s")
    assert a.statuses() == WELL
    with server.disk_full():
        assert a.statuses() == UNREADY
        shown = a.shown("/readyz")
        assert (shown["accepting"].verdict, shown["write"].code) == ("ok", "server_error")
        line = a.transitions("write")[-1]
        assert line.get("sqlstate" if engine == "postgres" else "errno") == CODES[engine]
    if engine == "mariadb":
        server.sql("REPAIR TABLE app.t")
    assert a.statuses() == WELL
    assert [line["to"] for line in a.transitions("write")] == ["pass", "fail", "pass"]
    assert [line["to"] for line in a.transitions("alive")] == ["pass"]
