"""DBHEALTH_KEEP: probers that keep their connection cost one login, and are not fooled by what
becomes of it."""

import signal

import faults
import processes
import pytest
import servers
import sql
from manners import polite_to
from servers import wait_until

pytestmark = pytest.mark.xdist_group("keep")  # They share the servers that they break.

KEEP = {"DBHEALTH_KEEP": "main,liveness", "DBHEALTH_CACHE": "0s"}
KINDS = {kind.engine: kind for kind in (servers.Postgres, servers.MariaDB, servers.MySQL)}
PROBES = 50
WELL, DEAD = (200, 200, 200, 200), (503, 503, 503, 200)


@pytest.fixture(scope="module")
def victim(engine):
    """A server of each engine in turn that the tests here may break."""
    with KINDS[engine](max_connections=10) as server:
        yield server


@pytest.fixture
def keeping(adapter):
    """keeping(server) starts an adapter both of whose probers hold a connection to the server."""

    def start(server, **options):
        a = adapter(server.url(), **{**KEEP, **options})
        assert a.statuses() == WELL
        wait_until(lambda: len(kept_sessions(server)) == 2, "two sessions are left")
        return a

    return start


def only_passes(adapter):
    return {change["to"] for change in adapter.transitions()} <= {"pass", "skipped"}


def kept_sessions(server):
    """The ids of the sessions that probe holds."""
    return [session["id"] for session in server.sessions() if session["user"] == "probe"]


def kill_sessions(server):
    for session in kept_sessions(server):
        sql.kill(server, session)


# What it is for


def test_many_probes_cost_one_login_a_prober(server, adapter):
    before = sql.logins(server)
    a = adapter(server.url(), **KEEP)
    for _ in range(PROBES):
        assert a.status_of("/readyz") == a.status_of("/healthz") == 200
    assert sql.logins(server) - before == 2
    assert len(kept_sessions(server)) == 2


def test_only_the_probers_named_keep_theirs(server, adapter):
    a = adapter(server.url(), DBHEALTH_KEEP="main", DBHEALTH_CACHE="0s")
    before = sql.logins(server)
    for _ in range(5):
        assert a.statuses() == WELL
    assert sql.logins(server) - before == 1 + 2 * 5  # healthz and startupz: liveness, each time.
    wait_until(lambda: len(kept_sessions(server)) == 1, "the others end")


def test_what_one_run_may_write_the_next_may_not(server, counter, adapter):
    checks = {
        "reads": sql.check(counter.taking()),
        "writes": sql.check(counter.taking(), writes="yes", endpoints="writes"),
        "well": sql.check(),
    }
    a = adapter(server.url(), checks=checks, **KEEP)
    for _ in range(3):
        assert a.status_of("/writes") == 200
        shown = a.shown("/readyz")
        assert (shown["reads"].code, shown["well"].verdict) == ("server_error", "ok")
    assert counter.value() == 3


# What becomes of a connection


def test_a_session_that_was_killed_costs_no_verdict(server, keeping):
    a = keeping(server)
    for _ in range(3):
        kill_sessions(server)
        wait_until(lambda: not kept_sessions(server), "the sessions end")
        assert a.statuses() == WELL
    assert only_passes(a)


@pytest.mark.parametrize("mode", ("fast", "immediate"))
def test_a_server_that_was_restarted_costs_no_verdict(victim, keeping, mode):
    a = keeping(victim)
    victim.restart(mode)
    assert a.statuses() == WELL
    assert only_passes(a)
    wait_until(lambda: len(kept_sessions(victim)) == 2, "two sessions are left")


def test_a_session_that_the_server_ends_as_idle_costs_no_verdict(victim, keeping):
    with short_idle_sessions(victim):
        a = keeping(victim)
        for _ in range(2):
            wait_until(lambda: not kept_sessions(victim), "the server ends idle sessions")
            assert a.statuses() == WELL
    assert only_passes(a)


def short_idle_sessions(server):
    if server.engine == "postgres":
        alter = "ALTER ROLE probe"
        timeout = "idle_session_timeout"
        return faults.changed(server, f"{alter} SET {timeout} = '1s'", f"{alter} RESET {timeout}")
    timeout = "SET GLOBAL wait_timeout ="
    return faults.changed(server, f"{timeout} 1", f"{timeout} 28800")


# What it must still see


def test_a_stopped_server_is_found(victim, keeping):
    a = keeping(victim, DBHEALTH_TIMEOUT="300ms")
    victim.pause_all()
    wait_until(lambda: a.statuses() == DEAD, "it is found")
    wait_until(lambda: a.shown("/readyz")["accepting"].code == "timeout", "it is seen as silent")
    victim.resume()
    wait_until(lambda: a.statuses() == WELL, "it is well again")


def test_a_server_that_has_gone_is_found(victim, keeping):
    a = keeping(victim)
    victim.kill9()
    assert a.statuses() == DEAD
    assert a.shown("/readyz")["accepting"].code == "refused"
    victim.start()
    assert a.statuses() == WELL


def test_a_full_server_is_found_once_the_connection_is_lost(victim, keeping):
    """Until then it is not: that is the price of keeping it."""
    a = keeping(victim)
    with victim.full(kept=2):
        assert a.status_of("/readyz") == 200
    kill_sessions(victim)
    wait_until(lambda: not kept_sessions(victim), "the sessions end")
    with faults.full(victim):
        assert a.shown("/readyz")["accepting"].code == "saturated"
        assert a.statuses() == (200, 503, 200, 200)
    wait_until(lambda: a.statuses() == WELL, "it is well again")
    assert [change["to"] for change in a.transitions("accepting")] == ["pass", "fail", "pass"]


# A guest that grows no bigger


def test_a_kept_session_does_not_grow(postgres, adapter):
    """As it would if the server compiled statements: what LLVM takes it gives back to nobody."""
    costs = ("jit_above_cost", "jit_inline_above_cost", "jit_optimize_above_cost")
    change = "; ".join(f"ALTER ROLE probe SET {name} = 0" for name in costs)
    with faults.changed(postgres, change, "ALTER ROLE probe RESET ALL"):
        a = adapter(postgres.url(), DBHEALTH_KEEP="main", DBHEALTH_CACHE="0s")
        assert a.status_of("/read-only") == 200
        [session] = kept_sessions(postgres)
        before = processes.own_memory(session)
        for _ in range(20):
            assert a.status_of("/read-only") == 200
        assert kept_sessions(postgres) == [session]
        assert processes.own_memory(session) - before < 1000  # kB.


# The goodbye


def test_sigterm_says_goodbye(server, keeping):
    with polite_to(server):
        a = keeping(server, DBHEALTH_DRAIN="0s")
        a.signal(signal.SIGTERM)
        assert a.wait() == 0
