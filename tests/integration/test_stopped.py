"""A server that says nothing: everyone is answered in time, nothing piles up, and recovery is seen
at once. What takes long is done for all engines at the same time, by `ordeals`.

DBHEALTH_TEST_HANG sets for how many seconds logins hang."""

import contextlib
import os
import time

import faults
import processes
import pytest
import sql
from adapter import AS_SHIPPED, Adapter
from asking import Asking
from raw_http import burst, kubelet
from servers import wait_until

CLIENTS = 200
DEADLINE = 0.9  # The default.
PSS_LIMIT = 8 * 1024  # kB, of the process tree.
WELL = (200, 200, 200, 200)
DEAD = (503, 503, 503, 200)
WITH_WARM_UP = {
    "alive": sql.alive(),
    "accepting": sql.check(),
    "warm-liveness": sql.check(endpoints="warm-up", prober="liveness"),
    "warm-main": sql.check(endpoints="warm-up", prober="main"),
}


def test_two_hundred_wait_for_a_stopped_server(server, adapter, sanitized):
    """A cache of a minute, so that only the pending login itself can tell of the recovery."""
    a = adapter(server.url(), checks=WITH_WARM_UP, DBHEALTH_CACHE="60s", **AS_SHIPPED)
    assert a.status_of("/warm-up") == 200
    idle, own = a.pss(), processes.own_memory(a.server)
    with server.paused(), Asking(a, "/livez") as livez:
        answers = burst(a.port, kubelet("/readyz"), CLIENTS)
        answers += burst(a.port, kubelet("/healthz"), CLIENTS)
    assert livez.statuses == {200}
    assert {answer.status for answer, _ in answers} == {503}
    slowest = max(seconds for _, seconds in answers)
    assert slowest < DEADLINE + 2
    wait_until(lambda: a.statuses() == WELL, "it is well again", limit=5)
    after, grown = a.pss(), processes.own_memory(a.server) - own
    print(f"slowest answer {slowest:.3f} s; PSS {idle} kB idle, {after} kB after {CLIENTS} clients")
    assert sanitized or (max(idle, after) < PSS_LIMIT and grown < 1024)


def test_a_server_stopped_between_probes(postgres, adapter):
    a = adapter(postgres.url(), DBHEALTH_CACHE="0s", **AS_SHIPPED)
    assert a.statuses() == WELL
    with postgres.paused():
        wait_until(lambda: a.statuses() == DEAD, "it is found")
        first = a.shown("/readyz")["accepting"].detail
        assert first.startswith("timeout: the server gave no answer in time (no answer for ")
        assert a.statuses() == DEAD
    wait_until(lambda: a.statuses() == WELL, "it is well again", limit=5)
    assert [line["to"] for line in a.transitions("alive")] == ["pass", "fail", "pass"]


# Logins that hang for a while

HANGS = {"postgres": faults.login_locked, "mariadb": faults.stopped, "mysql": faults.stopped}
LOOK_FOR = int(os.environ.get("DBHEALTH_TEST_HANG", "12"))
# A login that hangs is tried anew at these seconds.
ATTEMPTS_AT = (0, 10, 30, *range(70, 24 * 3600, 60))


class Ordeal:
    """An adapter that is asked all the time while its server has a fault, and what that cost."""

    def __init__(self, server, adapter):
        self.server = server
        self.adapter = adapter
        self.statuses = set()
        self.pids = set()
        self.others = self.most_probers = self.most_connections = 0
        self.recovered = False
        self.began = self.seconds = None  # How long it was looked at.

    def begin(self):
        """The fault is there, and may have a connection of its own. Both probers try a login."""
        self.others = self.server.connections()
        self.began = time.monotonic()
        for path in ("/healthz", "/readyz"):
            self.adapter.get_later(path)

    def look(self):
        self.statuses.add(self.adapter.statuses())
        probers = self.adapter.probers()
        self.pids.update(probers)
        self.most_probers = max(self.most_probers, len(probers))
        self.most_connections = max(self.most_connections, self.server.connections() - self.others)
        self.seconds = time.monotonic() - self.began

    def recover(self):
        wait_until(lambda: self.adapter.statuses() == WELL, "it is well again", limit=5)
        wait_until(lambda: self.server.connections() == 0, "nothing is left in the server")
        self.recovered = True


@pytest.fixture(scope="module")
def ordeals(build_dir, tmp_path_factory, request):
    """The ordeals by engine, ended."""
    with contextlib.ExitStack() as stack:

        def ordeal(engine):
            server = request.getfixturevalue(engine)
            folder = tmp_path_factory.mktemp(engine)
            adapter = Adapter(build_dir, folder, server.url(), **AS_SHIPPED)
            stack.callback(adapter.end)
            return Ordeal(server, adapter.wait_serving())

        ordeals = {engine: ordeal(engine) for engine in HANGS}
        with contextlib.ExitStack() as hangs:
            for engine, ordeal in ordeals.items():
                hangs.enter_context(HANGS[engine](ordeal.server))
                ordeal.begin()
            over = time.monotonic() + LOOK_FOR
            while time.monotonic() < over:
                for ordeal in ordeals.values():
                    ordeal.look()
                time.sleep(0.2)
        for ordeal in ordeals.values():
            ordeal.recover()
        yield ordeals


@pytest.mark.xdist_group("ordeals")
@pytest.mark.parametrize("engine", HANGS)
def test_hanging_logins_leave_a_handful(ordeals, engine):
    ordeal = ordeals[engine]
    assert ordeal.statuses == {DEAD}
    assert ordeal.most_probers == 2
    logins, most = len(ordeal.pids), ordeal.most_connections
    print(f"{ordeal.seconds:.0f} s: {logins} logins, {most} in the server at most")
    attempts = sum(second <= ordeal.seconds for second in ATTEMPTS_AT)
    assert 2 < logins <= 2 * attempts
    assert most <= 2 * attempts
    assert ordeal.recovered


@pytest.mark.xdist_group("ordeals")
@pytest.mark.parametrize("engine", HANGS)
def test_hanging_logins_are_logged_once(ordeals, engine):
    for check in ("alive", "accepting"):
        lines = ordeals[engine].adapter.transitions(check)
        assert [line["outcome"] for line in lines] == ["timeout", "ok"]
