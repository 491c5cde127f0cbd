"""What is the adapter's own doing must not be laid at the server's door: a stall of the adapter
itself, and checks whose runs have to be killed again and again."""

import multiprocessing
import os
import signal
import threading
import time

import cgroups
import processes
import pytest
import sql
from adapter import AS_SHIPPED
from asking import Asking
from servers import cpu_seconds, wait_until

SLEEPERS = (
    "SELECT pid FROM pg_stat_activity WHERE state = 'active'"
    " AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
)
PERIOD = 0.1  # Seconds, of a bounded use of the CPU.
STALL = 1.2  # Seconds: more than the deadline of 0.9.


def test_a_stall_of_the_adapter_is_never_the_servers_silence(adapter, postgres):
    """Stopped in the middle of a request, at whatever point of it."""
    a = adapter(postgres.url(), DBHEALTH_CACHE="0s", **AS_SHIPPED)
    a.wait_status("/healthz", 200)
    for _ in range(4):
        answer = a.get_later("/healthz")
        processes.send(a.server, signal.SIGSTOP)
        threading.Timer(STALL, processes.send, [a.server, signal.SIGCONT]).start()
        assert answer().status == 200, a.log_text()
    assert "fail" not in [line["to"] for line in a.transitions("alive")]


def test_a_stopped_prober_is_our_own_fault(adapter, postgres):
    """It cannot have asked the server."""
    a = adapter(postgres.url(), DBHEALTH_CACHE="0s", **AS_SHIPPED)
    wait_until(lambda: a.statuses() == (200,) * 4, "it is well")
    stopped = a.probers()
    for pid in stopped:
        processes.send(pid, signal.SIGSTOP)
    assert a.status_of("/healthz") == 200
    assert {line["outcome"] for line in a.transitions("alive")} <= {"ok", "crashed", "starved"}
    wait_until(lambda: a.statuses() == (200,) * 4, "others are well")
    assert not set(stopped) & set(a.probers())


def test_probers_do_not_stop_with_a_job(start_adapter, postgres):
    """Who has the supervisor alone go on would not reach them."""
    a = start_adapter(postgres.url(), session=False, DBHEALTH_CACHE="0s").wait_serving()
    assert a.statuses() == (200,) * 4
    probers = a.probers()
    os.killpg(a.pid, signal.SIGTSTP)
    wait_until(lambda: processes.state(a.pid) == processes.state(a.server) == "T", "it is stopped")
    a.signal(signal.SIGCONT)
    assert a.statuses() == (200,) * 4
    assert a.probers() == probers


def test_a_prober_stopped_in_mid_login_is_our_own_fault(adapter, postgres):
    """Nobody would hear the server's answer."""
    times = {"DBHEALTH_TIMEOUT": "2s", "DBHEALTH_DEADLINE": "2500ms"}
    a = adapter(postgres.url(), DBHEALTH_CACHE="0s", **times)
    wait_until(lambda: a.status_of("/healthz") == 200, "it is well")
    [pid] = a.probers()
    wait_until(lambda: processes.descriptors(pid) == 4, "no session is open")
    with postgres.paused():
        answer = a.get_later("/healthz")
        wait_until(lambda: processes.descriptors(pid) > 4, "it logs in")
        processes.send(pid, signal.SIGSTOP)
        assert answer().status == 200
    assert a.transitions("alive")[-1]["outcome"] in ("crashed", "starved")


@pytest.fixture
def slow_to_start(adapter, postgres):
    """slow_to_start(seconds): an adapter where each start of a program takes so long, in which it
    stands still itself. LeakSanitizer does not work under strace."""

    def start(seconds):
        slow = processes.tampered("execve", f"delay_enter={round(seconds * 1e6)}")
        without_leaks = {"ASAN_OPTIONS": "detect_leaks=0"}
        return adapter(
            postgres.url(), under=slow, DBHEALTH_CACHE="0s", **without_leaks, **AS_SHIPPED
        )

    return start


def test_a_stall_while_a_prober_is_started_is_ours_too(slow_to_start):
    a = slow_to_start(1)
    assert a.status_of("/healthz") == 200
    wait_until(lambda: a.transitions("alive"), "what came of it is told")
    assert {line["outcome"] for line in a.transitions("alive")} <= {"starved", "ok"}


def test_a_stall_at_a_new_try_of_a_login_changes_nothing(slow_to_start, postgres):
    """The server has been silent for ten seconds by then."""
    a = slow_to_start(0.2)
    a.wait_status("/healthz", 200)
    with postgres.paused():
        a.wait_status("/healthz", 503)
        before = set(a.probers())
        with Asking(a, "/healthz") as asking:
            wait_until(lambda: set(a.probers()) - before, "another login is tried")
            count = asking.count
            wait_until(lambda: asking.count > count + 100, "it has been asked")
    assert asking.statuses == {503}


def test_a_stall_in_the_midst_of_a_silence_changes_nothing(adapter, postgres):
    """Of more than half of the time for which the login has been unanswered."""
    a = adapter(postgres.url(), DBHEALTH_CACHE="0s", **AS_SHIPPED)
    a.wait_status("/healthz", 200)
    with postgres.paused():
        a.wait_status("/healthz", 503)
        processes.send(a.server, signal.SIGSTOP)
        time.sleep(1.5)
        processes.send(a.server, signal.SIGCONT)
        with Asking(a, "/healthz") as asking:
            wait_until(lambda: asking.count > 100, "it has been asked")
    assert asking.statuses == {503}


def test_a_frozen_session_costs_the_server_few_others(adapter, new_postgres):
    """Each kill leaves a session behind, until the server notices. Without holding back it would be
    one for every 0.4 s here, 15 in all."""
    postgres = new_postgres()
    checks = {"slow": sql.check("SELECT pg_sleep(30) IS NULL", timeout="400ms")}
    a = adapter(postgres.url(), checks=checks, DBHEALTH_CACHE="0s", **AS_SHIPPED)
    frozen = set()
    end = time.monotonic() + 6
    while time.monotonic() < end:
        answer = a.get_later("/readyz")
        freeze_sleepers(postgres, frozen)
        assert answer().status == 503
    assert 1 <= len(frozen) <= 6, frozen
    shown = a.shown("/readyz")["slow"]
    assert (shown.verdict, shown.code) == ("failed", "timeout")


def freeze_sleepers(postgres, frozen):
    """Stops the sessions that run the slow statement by now, or within 0.1 s."""
    until = time.monotonic() + 0.1
    while time.monotonic() < until:
        for (pid,) in postgres.sql(SLEEPERS):
            if pid not in frozen:
                postgres.pause_backend(pid)
                frozen.add(pid)


def test_an_every_check_does_not_say_for_its_period_that_there_was_no_server(adapter, new_postgres):
    """A native sidecar starts before its database."""
    postgres = new_postgres()
    postgres.stop()
    a = adapter(postgres.url(), checks={"seldom": sql.check(every="1h")}, DBHEALTH_CACHE="200ms")
    a.wait_status("/readyz", 503)
    postgres.start()
    a.wait_status("/readyz", 200)
    wait_until(lambda: a.transitions("seldom")[-1]["to"] == "pass", "a line of the recovery")


# Too little CPU


class DutyCycle:
    """Where the kernel lets us make no control groups: the adapter and its probers may run for a
    moment now and then, the more seldom the more they then use of the CPU. Who stops them is a
    process of its own that gets the CPU as soon as they do, or such a moment is enough for all."""

    def __init__(self):
        self.adapter = None
        self._process = None

    def join(self):
        pass

    def set_cpu(self, cpu):
        if cpu < 1:
            context = multiprocessing.get_context("fork")
            turn = (processes.comes_first(), cpu)
            self._process = context.Process(target=self._turn, args=turn, daemon=True)
            self._process.start()
        elif self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None
            self._signal(signal.SIGCONT)

    def _turn(self, come_first, cpu):
        os.setsid()
        come_first()
        while True:
            before = self._used()
            self._signal(signal.SIGCONT)
            time.sleep(cpu * PERIOD)
            self._signal(signal.SIGSTOP)
            time.sleep(max(PERIOD, (self._used() - before) / cpu))

    def _signal(self, number):
        """The adapter stops first and goes on last: it finds no prober stopped."""
        tree = self.adapter.tree()
        for pid in tree if number == signal.SIGSTOP else reversed(tree):
            processes.send(pid, number)

    def _used(self):
        return sum(map(cpu_seconds, self.adapter.tree()))


@pytest.fixture(params=("quota", "stop-and-go"))
def little_cpu(request):
    """What bounds the CPU time of the adapter that joins it; at first it does not."""
    if request.param == "stop-and-go":
        cycle = DutyCycle()
        yield cycle
        cycle.set_cpu(1)
        return
    try:
        with cgroups.Cgroup(cpu=2) as group:
            yield group
    except cgroups.Unavailable as reason:
        pytest.skip(str(reason))


def test_too_little_cpu_is_told_and_kills_nobody(little_cpu, adapter, postgres):
    """A hundredth of a CPU, on which a login with SCRAM takes about as long as a check may."""
    a = little_cpu.adapter = adapter(
        postgres.url(), preexec=little_cpu.join, DBHEALTH_CACHE="0s", **AS_SHIPPED
    )
    a.wait_status("/readyz", 200)
    mark = len(a.transitions())
    statuses = set()

    def asked_often():
        readyz = a.get_later("/readyz")
        statuses.add(a.status_of("/healthz"))
        readyz()
        outcomes = [line["outcome"] for line in a.transitions()[mark:]]
        return outcomes.count("starved") >= 3

    little_cpu.set_cpu(0.01)
    wait_until(asked_often, "it says so", limit=30)
    little_cpu.set_cpu(2)
    wait_until(lambda: a.statuses() == (200,) * 4, "it is well again", limit=20)
    assert statuses == {200}
    assert {line["outcome"] for line in a.transitions()[mark:]} <= {"starved", "ok"}


def test_a_limit_of_the_servers_own_is_no_lack_of_cpu(little_cpu, adapter, mariadb):
    """It ends a statement long before our limit could, however much of that time we waited for the
    CPU; and we have time enough."""
    limited = sql.check("SET STATEMENT max_statement_time = 0.001 FOR SELECT SLEEP(1)")
    a = little_cpu.adapter = adapter(
        mariadb.url(), preexec=little_cpu.join, checks={"limited": limited}, DBHEALTH_CACHE="0s"
    )
    assert a.shown("/readyz")["limited"].code == "query_timeout"
    little_cpu.set_cpu(0.02)
    codes = {a.shown("/readyz")["limited"].code for _ in range(10)}
    little_cpu.set_cpu(2)
    assert codes == {"query_timeout"}
