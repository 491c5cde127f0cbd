"""A server that says nothing: everyone is answered in time, nothing piles up, and recovery is seen
at once. What takes half a minute is done for all faults at the same time, by `half_a_minute`."""

import contextlib
import shutil
import threading
import time

import faults
import pytest
import sql
from adapter import Adapter
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
    a = adapter(server.url(), checks=WITH_WARM_UP, DBHEALTH_CACHE="60s")
    assert a.status_of("/warm-up") == 200
    idle = a.pss()
    with server.paused():
        livez = Watch(a, "/livez")
        answers = burst(a.port, kubelet("/readyz"), CLIENTS)
        answers += burst(a.port, kubelet("/healthz"), CLIENTS)
        assert livez.end() == {200}
    assert {answer.status for answer, _ in answers} == {503}
    slowest = max(seconds for _, seconds in answers)
    assert slowest < DEADLINE + 2
    wait_until(lambda: a.statuses() == WELL, "it is well again", limit=5)
    after = a.pss()
    print(f"slowest answer {slowest:.3f} s; PSS {idle} kB idle, {after} kB after {CLIENTS} clients")
    assert sanitized or max(idle, after) < PSS_LIMIT


def test_a_server_stopped_between_probes(server, adapter):
    a = adapter(server.url(), DBHEALTH_CACHE="0s")
    assert a.statuses() == WELL
    with server.paused():
        assert a.statuses() == DEAD
        first = a.shown("/readyz")["accepting"].detail
        assert first.startswith("timeout: the server gave no answer in time (no answer for ")
        assert a.statuses() == DEAD
    wait_until(lambda: a.statuses() == WELL, "it is well again", limit=5)
    assert [line["to"] for line in a.transitions("alive")] == ["pass", "fail", "pass"]


class Watch:
    """Asks for a path all the time; end() gives the statuses that came."""

    def __init__(self, adapter, path):
        self._over = threading.Event()
        self._statuses = set()
        self._thread = threading.Thread(target=self._watch, args=(adapter, path), daemon=True)
        self._thread.start()

    def _watch(self, adapter, path):
        while not self._over.wait(0.01):
            self._statuses.add(adapter.status_of(path))

    def end(self):
        self._over.set()
        self._thread.join()
        return self._statuses


# Half a minute of each fault

HANGS = {"postgres": faults.login_locked, "mariadb": faults.stopped, "mysql": faults.stopped}
LOOK_FOR = 25  # s; a login that hangs is tried anew after 10 s, and again after 30.
ATTEMPTS = 2
HELPLESS_AFTER = 30


class Ordeal:
    """An adapter that is asked all the time while its server has a fault, and what that cost."""

    def __init__(self, server, adapter):
        self.server = server
        self.adapter = adapter
        self.statuses = set()
        self.pids = set()
        self.others = self.most_probers = self.most_connections = 0
        self.recovered = False

    def begin(self):
        """The fault is there, and may have a connection of its own."""
        self.others = self.server.connections()

    def look(self):
        self.statuses.add(self.adapter.statuses())
        probers = self.adapter.probers()
        self.pids.update(probers)
        self.most_probers = max(self.most_probers, len(probers))
        self.most_connections = max(self.most_connections, self.server.connections() - self.others)

    def recover(self):
        wait_until(lambda: self.adapter.statuses() == WELL, "it is well again", limit=5)
        wait_until(lambda: self.server.connections() == 0, "nothing is left in the server")
        self.recovered = True


@pytest.fixture(scope="module")
def half_a_minute(build_dir, tmp_path_factory, request):
    """The ordeals by engine, ended; and, still there, an adapter that never had a prober program."""
    with contextlib.ExitStack() as stack:

        def start(folder, url, **options):
            adapter = Adapter(build_dir, tmp_path_factory.mktemp(folder), url, **options)
            stack.callback(adapter.end)
            return adapter.wait_serving()

        copy = tmp_path_factory.mktemp("programs")
        shutil.copy(build_dir / "dbhealthd", copy)
        shutil.copytree(build_dir / "checks", copy / "checks")
        helpless = start("helpless", "postgres://probe@127.0.0.1/", program=copy / "dbhealthd")
        hung = [request.getfixturevalue(engine) for engine in HANGS]
        ordeals = [Ordeal(server, start(server.engine, server.url())) for server in hung]
        began = time.monotonic()
        with contextlib.ExitStack() as hangs:
            for ordeal in ordeals:
                hangs.enter_context(HANGS[ordeal.server.engine](ordeal.server))
                ordeal.begin()
            while time.monotonic() - began < LOOK_FOR:
                assert helpless.status_of("/readyz") == 503
                for ordeal in ordeals:
                    ordeal.look()
                time.sleep(0.2)
        for ordeal in ordeals:
            ordeal.recover()
        yield {ordeal.server.engine: ordeal for ordeal in ordeals}, helpless


@pytest.mark.parametrize("engine", HANGS)
def test_hanging_logins_leave_a_handful(half_a_minute, engine):
    ordeal = half_a_minute[0][engine]
    assert ordeal.statuses == {DEAD}
    assert ordeal.most_probers == 2
    assert 2 < len(ordeal.pids) <= 2 * ATTEMPTS
    assert ordeal.most_connections <= 2 * ATTEMPTS
    assert ordeal.recovered


@pytest.mark.parametrize("engine", HANGS)
def test_hanging_logins_are_logged_once(half_a_minute, engine):
    for check in ("alive", "accepting"):
        lines = half_a_minute[0][engine].adapter.transitions(check)
        assert [line["outcome"] for line in lines] == ["timeout", "ok"]


def test_livez_fails_for_good_without_a_prober_program(half_a_minute):
    """Only a restart could bring it. It takes five failures in a row, over 30 s at least."""
    helpless = half_a_minute[1]
    assert helpless.status_of("/healthz") == 200

    def livez():
        helpless.status_of("/readyz")
        return helpless.status_of("/livez")

    wait_until(lambda: livez() == 503, "livez fails", limit=HELPLESS_AFTER)
    assert "[-]prober-main failed: it crashes or cannot be started" in helpless.get("/livez").body
    assert helpless.status_of("/healthz") == 200
