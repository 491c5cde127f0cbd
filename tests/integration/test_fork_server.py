"""The process that makes the probers: its death, its silence, and its children's crashes.

DBHEALTH_TEST_KILLS sets how often it is killed."""

import contextlib
import os
import shlex
import signal
import subprocess
from pathlib import Path

import processes
import pytest
import sql
from adapter import AS_SHIPPED
from asking import Asking
from servers import wait_until

KILLS = int(os.environ.get("DBHEALTH_TEST_KILLS", "300")) // 6
WELL = (200, 200, 200, 200)
LATER = 'sleep 1; exec "$0" "$@"'
UNCACHED = {"DBHEALTH_CACHE": "0s"}


def the_one(adapter):
    """The process id of its fork server."""
    [pid] = adapter.fork_servers()
    return pid


def kill(pid, number=signal.SIGKILL):
    """Its end, seen by its parent."""
    processes.send(pid, number)
    wait_until(lambda: processes.state(pid) is None, "it is reaped")


def let_none_be_born(adapter):
    """Stops its fork server, and kills its probers: others are wanted and don't come."""
    processes.send(the_one(adapter), signal.SIGSTOP)
    for pid in adapter.probers():
        kill(pid)


@pytest.fixture
def with_clone(with_prober, build_dir):
    """with_clone(before, **options): an adapter whose fork servers, and probers, are started with
    that prefix, which may make something else of clone()."""

    def start(before, **options):
        program = shlex.quote(str(build_dir.resolve() / "dbhealthd-postgres"))
        asan = "detect_leaks=0:verify_asan_link_order=0"
        return with_prober(f'exec {before} {program} "$@"', ASAN_OPTIONS=asan, **options)

    return start


# One for all


def test_there_is_one_however_many_probers(adapter, server):
    checks = {f"check-{i}": sql.check(prober=f"prober-{i}") for i in range(12)}
    a = adapter(server.url(), checks=checks, **UNCACHED)
    a.wait_status("/readyz", 200)
    assert len(a.probers()) == 12
    assert len(a.fork_servers()) == 1


def test_it_makes_a_prober_in_the_place_of_one_that_was_killed(adapter, server):
    a = adapter(server.url(), **UNCACHED)
    assert a.statuses() == WELL
    before = the_one(a)
    for _ in range(5):
        old = set(a.probers())
        for pid in old:
            kill(pid)
        wait_until(lambda: a.statuses() == WELL, "it is well")
        assert not old & set(a.probers())
    assert the_one(a) == before


def test_a_prober_has_no_descriptor_but_its_own(adapter, server):
    """Neither another prober's socket nor the one that probers are asked for on."""
    a = adapter(server.url(), **UNCACHED)
    assert a.statuses() == WELL
    sockets = [descriptors(pid)[3] for pid in (the_one(a), *a.probers())]
    assert len(set(sockets)) == 3
    for pid in (the_one(a), *a.probers()):
        wait_until(lambda pid=pid: sorted(descriptors(pid)) == [0, 1, 2, 3], "no session is open")


def descriptors(pid):
    """What each descriptor of the process is."""
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
    return found


# Its end


def test_probers_go_on_without_it(adapter, server):
    a = adapter(server.url(), **UNCACHED)
    assert a.statuses() == WELL
    probers, before = set(a.probers()), the_one(a)
    kill(before)
    assert a.statuses() == WELL
    assert (set(a.probers()), a.fork_servers()) == (probers, [])
    assert len(a.messages("fork server ended")) == 1
    for pid in probers:
        kill(pid)
    wait_until(lambda: a.statuses() == WELL, "new probers are well")
    assert the_one(a) != before


def test_nothing_is_left_when_it_is_killed_at_any_moment(adapter, mariadb):
    """Each time probers are wanted of it just then."""
    checks = {f"check-{i}": sql.check(prober=f"prober-{i}") for i in range(6)}
    a = adapter(mariadb.url(), checks={**checks, "alive": sql.alive()}, **UNCACHED)
    assert a.statuses() == WELL
    count = a.descriptors()
    for i in range(KILLS):
        for pid in processes.children(a.pid):
            if i % 2 or pid not in a.fork_servers():
                processes.kill(pid)
        answer = a.get_later("/readyz")
        for pid in a.fork_servers():
            processes.kill(pid)
        answer()
        assert a.status_of("/healthz") == 200
    wait_until(lambda: a.statuses() == WELL, "it is well")
    wait_until(lambda: not processes.zombies(a.pid), "the dead are reaped")
    assert (len(a.probers()), len(a.fork_servers())) == (7, 1)
    assert a.descriptors() == count


def test_a_crash_is_no_chance_to_try_again(adapter, server):
    """At the same addresses, with the same canary."""
    a = adapter(server.url(), **UNCACHED)
    assert a.statuses() == WELL
    before = the_one(a)
    kill(a.probers()[0], signal.SIGABRT)
    wait_until(lambda: processes.state(before) is None, "its fork server is gone")
    wait_until(lambda: a.statuses() == WELL, "it is well")
    assert the_one(a) != before
    assert not a.messages("fork server ended")


# Its silence


def test_a_stopped_one_is_our_own_fault(adapter, server):
    a = adapter(server.url(), **UNCACHED, **AS_SHIPPED)
    wait_until(lambda: a.statuses() == WELL, "it is well")
    before = the_one(a)
    for path, status in (("/readyz", 503), ("/healthz", 200)) * 2:
        let_none_be_born(a)
        assert a.status_of(path) == status
        wait_until(lambda: a.status_of("/healthz") == a.status_of("/readyz") == 200, "it is well")
    let_none_be_born(a)
    readyz = a.get_later("/readyz")
    assert a.status_of("/healthz") == 200
    readyz()
    wait_until(lambda: a.statuses() == WELL, "both are well")
    assert the_one(a) != before
    outcomes = {line["outcome"] for line in a.transitions()}
    assert outcomes <= {"ok", "skipped", "crashed", "starved"}, outcomes


def test_a_check_that_waits_longer_than_its_requests_for_a_stopped_one(adapter, postgres):
    alive = sql.alive(every="100ms", timeout="10s", cache="0s")
    a = adapter(postgres.url(), checks={"alive": alive}, **AS_SHIPPED)
    a.wait_status("/healthz", 200)
    let_none_be_born(a)
    answers = [(a.status_of("/healthz"), a.shown("/healthz")["alive"].code) for _ in range(3)]
    assert {status for status, _ in answers} == {200}
    assert {code for _, code in answers} <= {"crashed", "starved", "unknown"}, answers


def test_a_stopped_one_holds_no_end_up(start_adapter, postgres):
    a = start_adapter(postgres.url(), **UNCACHED, **AS_SHIPPED).wait_serving()
    wait_until(lambda: a.statuses() == WELL, "it is well")
    let_none_be_born(a)
    a.get_later("/readyz")
    assert a.status_of("/livez") == 200
    a.end()


def test_one_that_is_slow_to_start_is_left_to_it(with_clone, postgres):
    """Another one would be as slow."""
    a = with_clone(f"sh -c {shlex.quote(LATER)}", url=postgres.url(), **UNCACHED, **AS_SHIPPED)
    assert a.status_of("/healthz") == 200
    assert a.transitions("alive")[0]["outcome"] in ("crashed", "starved")
    before = the_one(a)
    wait_until(lambda: a.statuses() == WELL, "it is well")
    assert the_one(a) == before


def test_one_that_never_makes_any_is_killed_in_the_end(with_prober):
    a = with_prober("exec sleep 60", **UNCACHED, **AS_SHIPPED)
    readyz = a.get_later("/readyz")
    first = wait_until(a.fork_servers, "it is started")
    readyz()
    wait_until(lambda: not set(first) & set(a.fork_servers()), "it is killed")
    assert a.status_of("/healthz") == 200
    assert wait_until(lambda: a.messages("prober failed"), "it is told")[0]["how"] == (
        "was not there in time"
    )
    wait_until(lambda: not processes.zombies(a.pid), "the dead are reaped")
    assert len(a.fork_servers()) <= 1


# Without it


def failing(error):
    return f"strace -D -qq -o /dev/null -e trace=clone -e inject=clone:error={error}"


def test_no_process_can_be_made(with_clone):
    a = with_clone(failing("EAGAIN"))
    assert (a.status_of("/healthz"), a.status_of("/readyz")) == (200, 503)
    how = a.messages("prober failed")[0]["how"]
    assert how.startswith("cannot start ") and how.endswith(": Resource temporarily unavailable")


@pytest.fixture(scope="module")
def without_parent(tmp_path_factory):
    """The prefix that makes clone() overlook CLONE_PARENT, as gVisor does."""
    folder = tmp_path_factory.mktemp("without-parent")
    source, library = Path(__file__).parent / "without_parent.c", folder / "without_parent.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return f"env LD_PRELOAD={library}"


@pytest.mark.parametrize("how", ["refused", "overlooked"])
def test_probers_are_started_one_by_one_where_none_can_be_forked(
    with_clone, without_parent, postgres, how
):
    """The first of which only tells so."""
    before = {"refused": failing("EINVAL"), "overlooked": without_parent}[how]
    a = with_clone(before, url=postgres.url(), **UNCACHED)
    assert a.statuses() == WELL
    wait_until(lambda: not a.fork_servers(), "there is no fork server")
    assert len(a.messages("probers cannot be forked")) == 1
    for number in (signal.SIGKILL, signal.SIGABRT):
        old = set(a.probers())
        assert len(old) == 2
        for pid in old:
            kill(pid, number)
        wait_until(lambda: a.statuses() == WELL, "it is well")
        assert not old & set(a.probers())
    assert not a.fork_servers()


def test_one_that_is_slow_to_start_by_itself_has_not_asked_the_server(with_clone, postgres):
    slow = f"sh -c {shlex.quote(LATER)} {failing('EINVAL')}"
    a = with_clone(slow, url=postgres.url(), **UNCACHED, **AS_SHIPPED)
    with Asking(a, "/healthz") as asking:
        wait_until(lambda: a.messages("probers cannot be forked"), "the fork server has said so")
        count = len(a.messages("prober failed"))
        wait_until(lambda: len(a.messages("prober failed")) >= count + 2, "each is too slow")
    assert asking.statuses == {200}
    assert {line["outcome"] for line in a.transitions("alive")} <= {"crashed", "starved"}


# The adapter's end


def test_all_die_with_the_adapter(start_adapter, server):
    a = start_adapter(server.url()).wait_serving()
    assert a.statuses() == WELL
    processes.send(the_one(a), signal.SIGSTOP)
    children = processes.children(a.pid)
    assert len(children) == 3
    a.kill()
    wait_until(lambda: not any(map(processes.exists, children)), "they die")
