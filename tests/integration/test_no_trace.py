"""What probes leave behind: nothing on pooled connections or in the server, and polite goodbyes."""

import contextlib

import pytest
import sql
from adapter import AS_SHIPPED
from manners import polite_to
from servers import wait_until

PROBES = 100
TEMPORARY = "CREATE TEMPORARY TABLE t ON COMMIT DROP AS SELECT 1 AS i"
SETTINGS = (
    "default_transaction_read_only",
    "transaction_read_only",
    "transaction_isolation",
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "search_path",
    "work_mem",
    "exit_on_error",
    "client_min_messages",
    "row_security",
    "jit",
    "max_parallel_workers_per_gather",
    "TimeZone",
    "DateStyle",
    "IntervalStyle",
    "lc_numeric",
)


def shown(cursor):
    """The session's settings, as it sees them."""
    values = []
    for name in SETTINGS:
        cursor.execute(f"SHOW {name}")
        values.append(cursor.fetchone()[0])
    return values


def test_a_pooled_connection_stays_its_applications(postgres, new_pgbouncer, adapter):
    """One server connection in transaction mode: the application would see what a probe left."""
    pool = new_pgbouncer(postgres, pool_size=1)
    checks = {
        "alive": sql.alive(),
        "accepting": sql.check(),
        "fails": sql.check("SELECT 1 / 0", tolerate="server_error"),
        "slow": sql.check(sql.sleep(postgres, 60), endpoints="slow", timeout="1s"),
        "writes": sql.check(TEMPORARY, writes="yes", fail="rows > 1"),
    }
    a = adapter(pool.url(), checks=checks, DBHEALTH_CACHE="0s")
    with contextlib.closing(pool.connect("app")) as application:
        application.autocommit = True
        cursor = application.cursor()
        cursor.execute("SET work_mem = '7MB'; SET search_path = app")
        cursor.execute("SET statement_timeout = '1min'; SET client_min_messages = error")
        cursor.execute("SET TimeZone = 'Asia/Tokyo'; SET DateStyle = German")
        before = shown(cursor)
        for number in range(PROBES // 10):
            for _ in range(10):
                assert a.status_of("/healthz") == 200
            if number < 2:
                assert a.shown("/slow")["slow"].code == "query_timeout"
            assert a.status_of("/readyz") == 200
            assert shown(cursor) == before
            cursor.execute("CREATE TABLE app.written (i int)")
            cursor.execute("INSERT INTO written VALUES (1)")
            cursor.execute("DROP TABLE written")
    assert a.shown("/readyz")["fails"].code == "server_error"


def test_a_busy_pool_is_not_ready(postgres, new_pgbouncer, adapter):
    """The application holds the pool's one connection in a transaction."""
    pool = new_pgbouncer(postgres, pool_size=1)
    a = adapter(pool.url(), DBHEALTH_CACHE="0s", **AS_SHIPPED)
    a.wait_status("/readyz", 200)
    with contextlib.closing(pool.connect("app")) as application:
        application.cursor().execute("SELECT 1")
        wait_until(lambda: a.shown("/readyz")["accepting"].code == "timeout", "it is told")
        assert a.status_of("/readyz") == 503
        application.rollback()
        wait_until(lambda: a.status_of("/readyz") == 200, "the pool has room")


def test_a_read_only_check_cannot_write(server, counter, adapter):
    checks = {
        "reads": sql.check(counter.taking()),
        "writes": sql.check(counter.taking(), writes="yes"),
    }
    a = adapter(server.url(), checks=checks, DBHEALTH_CACHE="0s")
    for _ in range(3):
        shown = a.shown("/readyz")
        assert (shown["reads"].code, shown["writes"].verdict) == ("server_error", "ok")
    assert counter.value() == 3


def test_nothing_stays_connected(server, adapter):
    a = adapter(server.url(), DBHEALTH_CACHE="0s")
    for _ in range(10):
        assert a.statuses() == (200, 200, 200, 200)
    wait_until(lambda: server.connections() == 0, "the probes' connections end")


@pytest.mark.parametrize("slow", (False, True), ids=("idle", "in-mid-query"))
def test_goodbyes_are_polite(server, adapter, slow):
    """After probes, and when the adapter is ended between or in the middle of them."""
    slowly = sql.check(sql.sleep(server, 0.1), every="100ms", timeout="5s")
    checks = {"alive": sql.alive(), "slowly": slowly} if slow else None
    with polite_to(server):
        a = adapter(server.url(), checks=checks, DBHEALTH_CACHE="0s")
        for _ in range(10):
            assert a.status_of("/healthz") == 200
        if slow:
            wait_until(lambda: sql.sleeping(server), "the check runs")
        a.end()
