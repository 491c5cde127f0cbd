"""The examples of checks/README.md, each on a server where all is well and on one where it is not."""

import contextlib
import re
import threading

import documents
import pytest
import sql
from program import Program
from servers import PASSWORDS, wait_until

NAME = re.compile(r"-- # ([a-z-]+)\.sql\n")
EXAMPLES = {
    match[1]: block
    for block in documents.blocks("sql", [documents.CHECKS])
    if (match := NAME.match(block))
}
POSTGRES = pytest.mark.parametrize("engine", ["postgres"], indirect=True, scope="session")
MYSQL = pytest.mark.parametrize("engine", ["mariadb", "mysql"], indirect=True, scope="session")


@pytest.fixture
def verdict(build_dir, tmp_path):
    """verdict(server, name, VARIABLE=...) runs an example as a probe user: its verdict and detail."""
    program = Program(build_dir)

    def run(server, name, user="probe", **variables):
        folder = tmp_path / "checks"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        (folder / f"{name}.sql").write_text(EXAMPLES[name])
        url = server.url(user, PASSWORDS[user]) if user != "probe" else server.url()
        return program.run("check", "--checks", folder, DATABASE_URL=url, **variables).row(name)

    return run


@contextlib.contextmanager
def made(server, *statements, then=()):
    """In the block these have been run, and behind it the others."""
    for statement in statements:
        server.sql(statement)
    try:
        yield
    finally:
        for statement in then:
            server.sql(statement)


def wait_verdict(verdict, wanted, *words, **variables):
    """Until the server's statistics have it."""
    seen = []

    def reached():
        seen[:] = verdict(*words, **variables)
        return seen[0] == wanted

    wait_until(reached, f"{words[1]} is {wanted}")
    return seen[1]


def test_each_example_is_run():
    tests = {name for name in EXAMPLES if f"test_{name.replace('-', '_')}" in globals()}
    assert tests == set(EXAMPLES) and len(EXAMPLES) >= 10


def test_each_is_one_that_lint_accepts(build_dir, tmp_path):
    for name, text in EXAMPLES.items():
        (tmp_path / f"{name}.sql").write_text(text)
    ended = Program(build_dir).run("lint", tmp_path)
    assert (ended.status, ended.lines) == (0, [f"{len(EXAMPLES)} checks, 0 faults"])


@POSTGRES
def test_sizes(server, verdict):
    assert verdict(server, "sizes") == ("pass", "")
    seen, detail = verdict(server, "sizes", MAX_DATABASE_BYTES="1e6")
    assert seen == "fail" and re.match(r"\w+: size_bytes \d+ > 1e6, and \d more$", detail)


@POSTGRES
def test_dead_rows(server, verdict):
    assert verdict(server, "dead-rows") == ("pass", "")
    table = "CREATE TABLE app.dead (n int) WITH (autovacuum_enabled = off)"
    rows = "INSERT INTO app.dead SELECT generate_series(1, 30000)"
    gone = "DELETE FROM app.dead WHERE n > 10000"
    with made(server, table, rows, gone, then=["DROP TABLE app.dead"]):
        # The rows that were made are in the statistics before those that are gone.
        expected = ("warn", "app, dead: dead_ratio 0.667 > 0.3")
        wait_until(lambda: verdict(server, "dead-rows") == expected, "all is in the statistics")
        assert verdict(server, "dead-rows", MAX_DEAD_RATIO="0.9") == ("pass", "")


@POSTGRES
def test_sequences(server, verdict):
    assert verdict(server, "sequences") == ("pass", "")
    make = "CREATE SEQUENCE app.near AS smallint"
    with made(server, make, then=["DROP SEQUENCE app.near"]):
        assert verdict(server, "sequences") == ("fail", "app, near: used_ratio is null")
        server.sql("GRANT SELECT ON app.near TO probe")
        assert verdict(server, "sequences") == ("pass", "")
        server.value("SELECT setval('app.near', 32000)")
        assert verdict(server, "sequences") == ("fail", "app, near: used_ratio 0.9766 > 0.9")
        server.sql("ALTER SEQUENCE app.near CYCLE")
        assert verdict(server, "sequences") == ("pass", "")


def test_pending_restarts(new_postgres, verdict):
    server = new_postgres()
    assert verdict(server, "pending-restarts") == ("pass", "")
    server.sql("ALTER SYSTEM SET max_worker_processes = 20")
    server.value("SELECT pg_reload_conf()")
    detail = wait_verdict(verdict, "warn", server, "pending-restarts")
    assert detail == "max_worker_processes: pending_restart true == true"


@POSTGRES
def test_heartbeat(server, verdict):
    make = [
        "CREATE TABLE app.heartbeat (at timestamptz)",
        "GRANT SELECT ON app.heartbeat TO probe",
    ]
    assert verdict(server, "heartbeat")[0] == "fail"
    with made(server, *make, then=["DROP TABLE app.heartbeat"]):
        assert verdict(server, "heartbeat") == ("fail", "age_seconds is null")
        server.sql("INSERT INTO app.heartbeat VALUES (now() - interval '9 s')")
        assert verdict(server, "heartbeat") == ("pass", "")
        server.sql("UPDATE app.heartbeat SET at = now() - interval '100 days'")
        seen, detail = verdict(server, "heartbeat")
        assert seen == "fail" and re.match(r"age_seconds 86400\d\d\.\d+ > 60$", detail)


@POSTGRES
def test_cache_hits(server, verdict):
    server.sql("CREATE DATABASE idle ALLOW_CONNECTIONS false")
    with made(server, then=["DROP DATABASE idle"]):
        assert server.value("SELECT blks_read FROM pg_stat_database WHERE datname = 'idle'") == 0
        assert verdict(server, "cache-hits", MIN_HIT_RATIO="0") == ("pass", "")
        seen, detail = verdict(server, "cache-hits", MIN_HIT_RATIO="2")
        assert seen == "warn" and re.match(r"(?!idle)\w+: hit_ratio [01]\.\d+ < 2", detail)


@POSTGRES
def test_slots_each(server, verdict):
    assert verdict(server, "slots-each") == ("pass", "")
    make = "SELECT pg_create_physical_replication_slot('{}', {})"
    drop = [f"SELECT pg_drop_replication_slot('{name}')" for name in ("unused", "held")]
    with made(server, make.format("unused", "false"), make.format("held", "true"), then=drop):
        assert verdict(server, "slots-each") == ("warn", "held: active false == false")
        seen, detail = verdict(server, "slots-each", MAX_SLOT_BYTES="-1")
        assert seen == "fail" and re.match(r"held: retained_bytes \d+ > -1$", detail)


def test_prepared(new_postgres, verdict):
    server = new_postgres(settings={"max_prepared_transactions": 5})
    assert verdict(server, "prepared") == ("pass", "")
    server.sql("BEGIN; CREATE TABLE app.t (n int); PREPARE TRANSACTION 'order-17'")
    assert verdict(server, "prepared") == ("pass", "")
    seen, detail = verdict(server, "prepared", MAX_PREPARED_SECONDS="0")
    assert seen == "fail" and re.match(r"postgres, order-17: age_seconds [\d.]+ > 0$", detail)
    server.sql("ROLLBACK PREPARED 'order-17'")


@contextlib.contextmanager
def sleeping(server):
    """In the block a session of app runs a statement that takes minutes."""
    connection = server.connect("app")
    text = "SELECT pg_sleep(600)" if server.engine == "postgres" else "SELECT SLEEP(600)"

    def run():
        with contextlib.suppress(Exception):
            connection.cursor().execute(text)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    wait_until(lambda: sql.sleeping(server), "it sleeps")
    try:
        yield
    finally:
        for session in sql.sleeping(server):
            sql.kill(server, session)
        thread.join(10)
        connection.close()


@POSTGRES
def test_long_statements(server, verdict, monkeypatch):
    with sleeping(server):
        assert verdict(server, "long-statements") == ("pass", "")
        seen, detail = verdict(server, "long-statements", MAX_STATEMENT_SECONDS="0")
        assert seen == "warn"
        assert re.match(r"\w+, app, \d+: statement_seconds [\d.]+ > 0$", detail)
        server.sql("CREATE ROLE blind LOGIN PASSWORD 'x'")
        with made(server, then=["DROP ROLE blind"]):
            monkeypatch.setitem(PASSWORDS, "blind", "x")
            seen, detail = verdict(server, "long-statements", "blind")
            assert seen == "warn" and "app, " in detail and "statement_seconds is null" in detail


@MYSQL
def test_status(server, verdict):
    assert verdict(server, "status") == ("pass", "")
    seen, detail = verdict(server, "status", MAX_STATUS_VALUE="0")
    assert seen == "warn" and re.match(r"Threads_running: Value \d+ > 0", detail)


@MYSQL
def test_database_sizes(server, verdict):
    """What the server has kept of the sizes for a day, as MySQL does, is not asked for."""
    make = [
        "CREATE TABLE app.much (n int AUTO_INCREMENT PRIMARY KEY, x varchar(4000))"
        " STATS_PERSISTENT = 0",  # Else the server counts its pages some 10 s later.
        "GRANT SELECT ON app.much TO probe@'%'",
    ]
    double = "INSERT INTO app.much (x) SELECT REPEAT('x', 4000) FROM app.much"
    seen, detail = verdict(server, "database-sizes")
    assert seen == "fail" and detail.startswith("no_row: ")
    revoke = "REVOKE SELECT ON app.much FROM probe@'%'"
    with made(server, *make, then=[revoke, "DROP TABLE app.much"]):
        server.value("SELECT SUM(data_length) FROM information_schema.tables")
        assert verdict(server, "database-sizes", MAX_DATABASE_BYTES="1e6") == ("pass", "")
        server.sql("INSERT INTO app.much (x) VALUES ('x')")
        for _ in range(10):
            server.sql(double)
        words = (server, "database-sizes")
        detail = wait_verdict(verdict, "fail", *words, MAX_DATABASE_BYTES="1e6")
        assert re.match(r"app: size_bytes \d+ > 1e6$", detail)


@MYSQL
def test_long_statements_mysql(server, verdict):
    with sleeping(server):
        assert verdict(server, "long-statements-mysql") == ("pass", "")
        words = (server, "long-statements-mysql")
        detail = wait_verdict(verdict, "warn", *words, MAX_STATEMENT_SECONDS="0")
        assert re.match(r"app, (\w+, )?\d+: statement_seconds \d+ > 0$", detail)
