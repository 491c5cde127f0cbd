"""PgBouncer itself as the server, asked by its console: the shipped checks of it, each passing and
made to fail, and what a check may send."""

import contextlib
import json

import pytest
import sql
from adapter import AS_SHIPPED
from program import Program
from servers import wait_until

DATABASE = "pgbouncer"
OURS = ("accepting", "alive", "databases", "pools")
QUICK = {"DBHEALTH_CACHE": "100ms"}


@pytest.fixture
def pool(postgres, new_pgbouncer):
    return new_pgbouncer(postgres, pool_size=1)


@pytest.fixture
def console(pool):
    return pool.url(database=DATABASE)


@pytest.fixture
def check(build_dir, console):
    """check(name) runs a check of the library once; gives verdict and detail."""
    program = Program(build_dir)
    words = ("--timeout", "5s", "--deadline", "20s")

    def run(name, **variables):
        return program.run("check", name, *words, DATABASE_URL=console, **variables).row(name)

    return run


def test_all_is_well(build_dir, console):
    """And nobody is called a superuser."""
    ended = Program(build_dir).run("check", "--deadline", "20s", DATABASE_URL=console)
    assert {line.split()[0] for line in ended.lines[1:]} == set(OURS)
    for name in OURS:
        assert (name, *ended.row(name)) == (name, "pass", "")


def test_it_is_told_what_it_is(adapter, console):
    a = adapter(console, **QUICK)
    paths = ("/healthz", "/startupz", "/readyz", "/capacity")
    assert [a.status_of(path) for path in paths] == [200] * 4
    server = json.loads(a.get("/status?format=json").body)["server"]
    assert server["flavor"] == "pgbouncer" and server["version"][0].isdigit()
    assert a.status_of("/primary") == 404  # It has no such role.


def test_a_database_that_is_paused_or_disabled(check, adapter, pool, console):
    a = adapter(console, **QUICK)
    for begin, end, column in (("PAUSE", "RESUME", "paused"), ("DISABLE", "ENABLE", "disabled")):
        with said(pool, f"{begin} postgres", f"{end} postgres"):
            verdict, detail = check("databases")
            assert verdict == "fail"
            assert detail.startswith("postgres, ") and detail.endswith(f": {column} 1 != 0")
            a.wait_status("/capacity", 503)
            assert a.status_of("/readyz") == a.status_of("/healthz") == 200
        assert check("databases") == ("pass", "")
    a.wait_status("/capacity", 200)


@contextlib.contextmanager
def said(pool, begin, end):
    pool.sql(begin)
    try:
        yield
    finally:
        pool.sql(end)


def test_clients_that_wait(check, pool):
    """The pool's one connection is another's."""
    with contextlib.closing(pool.connect("app")) as first:
        first.cursor().execute("SELECT 1")
        with contextlib.closing(pool.connect("app", async_=True)) as second:
            wait_connected(second)
            second.cursor().execute("SELECT 1")
            wait_until(lambda: waiting(pool), "it waits")
            verdict, detail = check("pools", WARN_WAITING_CLIENTS="0")
            assert verdict == "warn" and ": cl_waiting 1 > 0" in detail
            assert detail.startswith("postgres, ")
            wait_until(lambda: check("pools", MAX_WAIT_SECONDS="0")[0] == "fail", "long")
            verdict, detail = check("pools", MAX_WAIT_SECONDS="0")
            assert verdict == "fail" and ": maxwait " in detail
            assert check("pools") == ("pass", "")


def wait_connected(connection):
    from psycopg2.extensions import POLL_OK

    wait_until(lambda: connection.poll() == POLL_OK, "it is connected")


def waiting(pool):
    with contextlib.closing(pool._admin()) as connection:
        cursor = connection.cursor()
        cursor.execute("SHOW POOLS")
        names = [column.name for column in cursor.description]
        return any(dict(zip(names, row))["cl_waiting"] for row in cursor.fetchall())


def test_a_check_asks_and_does_nothing_unless_it_says_so(adapter, pool):
    """As a user who may do all: PAUSE is sent only for a check that writes."""
    admin = pool.url("postgres", "console", database=DATABASE)
    keys = {"endpoints": "readyz", "flavor": "pgbouncer"}
    checks = {
        "asks": sql.check("show databases;", fail="rows < 2", **keys),
        "pauses": sql.check("PAUSE postgres", fail="rows > 0", **keys),
        "talks": sql.check("SHOW VERSION; PAUSE postgres", fail="rows > 1", **keys),
        "unknown": sql.check("SHOW NONSENSE", **keys),
        "elsewhere": sql.check("SELECT 1", endpoints="readyz", flavor="postgres, mysql"),
    }
    a = adapter(admin, checks=checks, **QUICK)
    a.get("/readyz")
    assert {line["check"]: line["outcome"] for line in a.transitions()} == {
        "asks": "ok",
        "pauses": "config",
        "talks": "server_error",
        "unknown": "server_error",
        "elsewhere": "skipped",
    }
    assert not any(row[-2] for row in pool.sql("SHOW DATABASES"))
    a.write_check("pauses", sql.check("RECONNECT postgres", writes="yes", fail="rows > 0", **keys))
    wait_until(lambda: a.shown("/readyz")["pauses"].verdict == "ok", "it may")


def test_grants_are_lines_of_its_files(build_dir, console):
    ended = Program(build_dir).run("grants", DATABASE_URL=console)
    assert [line for line in ended.lines if not line.startswith(";")] == [
        '"probe" "..."',
        "stats_users = probe",
    ]


def test_its_faults(adapter, pool, console):
    a = adapter(console, DBHEALTH_CACHE="0s", **AS_SHIPPED)
    assert a.status_of("/readyz") == 200
    with pool.paused():
        a.wait_status("/healthz", 503)
        assert a.shown("/readyz")["accepting"].code == "timeout"
    a.wait_status("/readyz", 200)
    pool.set_password("new")
    a.wait_status("/readyz", 503)
    assert a.shown("/readyz")["accepting"].code == "denied"
    assert a.status_of("/healthz") == 200
    pool.stop()
    a.wait_status("/healthz", 503)
