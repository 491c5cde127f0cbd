"""The prober programs as dbhealthd's children: what they link, and what is left when they die.

DBHEALTH_TEST_KILLS sets how many of them are killed in each way."""

import contextlib
import os
import re
import subprocess

import faults
import processes
import pytest
import sql
from adapter import AS_SHIPPED, check_lines
from servers import wait_until
from servers.kernel import Undead

KILLS = int(os.environ.get("DBHEALTH_TEST_KILLS", "300"))
DATABASE_LIBRARIES = {"libpq", "libmariadb", "libmysqlclient"}
LIBRARIES = {
    "dbhealthd": set(),
    "dbhealthd-server": set(),
    "dbhealthd-peers": set(),
    "dbhealthd-postgres": {"libpq"},
    "dbhealthd-mysql": {"libmariadb"},
}


@pytest.mark.parametrize("program", LIBRARIES)
def test_each_program_links_its_own_client_library_alone(build_dir, program):
    listed = subprocess.check_output(["ldd", build_dir / program], text=True)
    names = {line.split()[0].partition(".so")[0] for line in listed.splitlines()}
    assert names & DATABASE_LIBRARIES == LIBRARIES[program]


# One process per name, one connection per batch


def test_a_prober_per_name(adapter, postgres):
    checks = {
        "alive": sql.alive(),
        "one": sql.check(),
        "two": sql.check(),
        "three": sql.check(prober="reports"),
        "four": sql.check(prober="reports"),
        "five": sql.check(endpoints="none", every="1s"),
    }
    names = ("background", "liveness", "main", "reports")
    a = adapter(postgres.url(), checks=checks)
    assert a.statuses() == (200, 200, 200, 200)
    wait_until(lambda: a.transitions("five"), "the background check has run")
    lines = a.get("/livez?verbose").body.splitlines()
    assert sorted(lines[2:-1]) == [f"[+]prober-{name} ok" for name in names]
    assert len(a.probers()) == 4


def test_a_batch_is_one_connection(adapter, server):
    checks = {f"check-{i}": sql.check() for i in range(5)}
    a = adapter(server.url(), checks=checks, DBHEALTH_CACHE="0s")
    for _ in range(3):
        before = sql.logins(server)
        assert a.status_of("/readyz") == 200
        assert sql.logins(server) - before == 1


def test_a_failed_login_ends_the_whole_batch(adapter, mariadb):
    checks = {f"check-{i}": sql.check() for i in range(5)}
    a = adapter(mariadb.url(password="wrong"), checks=checks, DBHEALTH_CACHE="0s")
    before = mariadb.status("Aborted_connects")
    shown = a.shown("/readyz")
    assert [line.code for line in shown.values()] == ["denied"] * 5
    wait_until(lambda: mariadb.status("Aborted_connects") - before == 1, "one refused login")


def test_the_rest_of_a_batch_survives_a_kill(adapter, postgres):
    checks = {
        "first": sql.check(),
        "hangs": sql.check(f"SELECT 1 {faults.STALL}", timeout="300ms"),
        "last": sql.check(),
    }
    with faults.stalling_port(postgres) as port:
        a = adapter(postgres.url(port=port, sslmode="disable"), checks=checks)
        shown = check_lines(a.get("/readyz").body)
        assert [shown[name].code for name in checks] == ["", "timeout", ""]
        a.end()


# Deaths


def test_probers_die_with_the_adapter(start_adapter, postgres):
    a = start_adapter(postgres.url()).wait_serving()
    assert a.statuses() == (200, 200, 200, 200)
    probers = a.probers()
    assert len(probers) == 2
    a.kill()
    wait_until(lambda: not any(map(processes.exists, probers)), "the probers die")


def test_probers_die_with_the_adapter_in_mid_login(start_adapter, mariadb):
    with mariadb.paused():
        a = start_adapter(mariadb.url(), **AS_SHIPPED).wait_serving()
        assert a.status_of("/readyz") == 503
        probers = a.probers()
        a.kill()
        wait_until(lambda: not any(map(processes.exists, probers)), "the probers die")


def test_nothing_is_left_of_probers_killed_by_hand(adapter, mariadb, sanitized):
    a = adapter(mariadb.url(), DBHEALTH_CACHE="0s")
    with leaves_nothing(a, sanitized):
        killed = 0
        while killed < KILLS:
            for pid in a.probers():
                processes.kill(pid)
                killed += 1
            a.status_of("/readyz")
            assert a.status_of("/healthz") == 200


def test_nothing_is_left_of_probers_killed_at_their_deadline(adapter, mariadb, sanitized):
    """A server that stops in mid-query, for eight probers at once."""
    hangs = f"SELECT 1 {faults.STALL}"
    checks = {
        f"check-{i}": sql.check(hangs, prober=f"prober-{i}", timeout="50ms") for i in range(8)
    }
    with faults.stalling_port(mariadb) as port:
        a = adapter(mariadb.url(port=port), checks=checks, DBHEALTH_CACHE="0s")
        with leaves_nothing(a, sanitized):
            for _ in range(KILLS // len(checks)):
                shown = check_lines(a.get("/readyz").body)
                assert {line.code for line in shown.values()} <= {"timeout", "starved"}
        assert not a.messages("prober failed")
        a.end()


@contextlib.contextmanager
def leaves_nothing(adapter, sanitized):
    """After the block the adapter has as many descriptors and as much memory as before, and no
    zombies. It is warmed up first, so that all probers are there."""
    for _ in range(5):
        adapter.statuses()
    before, descriptors = own_memory(adapter), adapter.descriptors()
    yield
    wait_until(lambda: not processes.zombies(adapter.pid), "the dead are reaped")
    wait_until(lambda: adapter.descriptors() <= descriptors, "descriptors are closed")
    grown = own_memory(adapter) - before
    print(f"supervisor and server {before} kB of its own, grown by {grown} kB")
    assert sanitized or grown < 300


def own_memory(adapter):
    return processes.own_memory(adapter.pid) + processes.own_memory(adapter.server)


# Probers that do not end

UNENDED_MOST = 4  # Of one name.


@pytest.fixture
def undead():
    with Undead() as undead:
        yield undead


@pytest.fixture
def unending(start_adapter, postgres, undead):
    """An adapter whose prober `main` was killed so often, for nothing, that no more are started."""
    checks = {
        f"check-{i}": sql.check(f"SELECT 1 {faults.STALL}", timeout="700ms")
        for i in range(UNENDED_MOST + 2)
    }
    with faults.stalling_port(postgres) as port:
        url = postgres.url(port=port, sslmode="disable")
        checks["alive"] = sql.alive()
        a = start_adapter(url, checks=checks, DBHEALTH_CACHE="0s").wait_serving()
        assert a.status_of("/healthz") == 200
        liveness = a.probers()
        a.get_later("/readyz")

        def refused():
            for pid in set(a.probers()).difference(liveness, undead.pids):
                undead.add(pid)
            return a.messages("prober failed")

        wait_until(refused, "no other prober is started")
        yield a


def test_probers_that_do_not_end_are_bounded(unending, undead):
    a = unending
    assert len(undead.pids) == UNENDED_MOST
    assert "do not end" in a.messages("prober failed")[0]["how"]
    assert a.status_of("/healthz") == 200
    assert a.status_of("/readyz") == 503
    assert {a.shown("/readyz")[f"check-{i}"].code for i in (4, 5)} == {"crashed"}
    assert len(processes.zombies(a.pid)) == UNENDED_MOST
    undead.release()
    wait_until(lambda: not processes.zombies(a.pid), "they are reaped")
    wait_until(lambda: a.shown("/readyz")["check-5"].code == "timeout", "another one is started")
    a.end()


def test_probers_that_do_not_end_hold_nobody_up(unending, undead):
    unending.end()


# Probers that misbehave

SCRIPTS = {
    "exits": "exit 1",
    "segfaults": "kill -SEGV $$",
    "babbles": "echo nonsense >&3; exec sleep 60",
    "turns-away": "exec 3>&-; exec sleep 60",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_prober_that_misbehaves_is_our_fault(with_prober, script):
    a = with_prober(SCRIPTS[script])
    assert a.status_of("/healthz") == 200
    assert a.status_of("/readyz") == 503
    assert a.shown("/readyz")["accepting"].code == "crashed"
    assert a.transitions("alive")[-1]["to"] == "unknown"
    assert a.status_of("/livez") == 200


def test_a_crashing_prober_is_started_ever_more_slowly(with_prober, tmp_path):
    starts = tmp_path / "starts"
    a = with_prober(f"echo >>{starts}; exit 1", DBHEALTH_CACHE="0s")

    def failures():
        a.status_of("/readyz")
        return a.messages("prober failed")

    lines = wait_until(lambda: failures()[5:], "six failures") and failures()
    assert {line["prober"] for line in lines} == {"main"}
    assert [line["failures"] for line in lines[:6]] == list("123456")
    waits = [line["restart_in_ms"] for line in lines[:6]]
    assert waits == ["0", "100", "200", "400", "800", "1600"]
    assert len(starts.read_text()) == len(failures())
    assert [line["outcome"] for line in a.transitions("accepting")] == ["crashed"]


def test_why_one_cannot_be_started_is_told_however_late_it_is_called(adapter, programs_but_probers):
    """Its socket is closed by then, as by one that has died. LeakSanitizer does not work under
    strace."""
    a = adapter(
        "postgres://probe:word@127.0.0.1:1/",
        checks={"one": sql.check()},
        program=programs_but_probers / "dbhealthd",
        under=processes.tampered("sendto", "delay_enter=100000"),
        ASAN_OPTIONS="detect_leaks=0",
    )
    assert a.status_of("/readyz") == 503
    assert a.shown("/readyz")["one"].code == "crashed"
    failure = a.messages("prober failed")[0]
    assert failure["how"].startswith("cannot start dbhealthd-postgres: ")


def test_livez_fails_for_good_without_a_prober_program(without_prober):
    """Only a restart could bring it. That takes five failures in a row, over 30 s at least."""
    a = without_prober
    a.wait_status("/startupz", 200)
    assert (a.status_of("/healthz"), a.status_of("/readyz")) == (200, 503)
    assert a.shown("/healthz")["alive"].code == a.shown("/readyz")["accepting"].code == "crashed"
    failures = a.messages("prober failed")
    assert failures[0]["how"].startswith("cannot start ")
    assert len(failures) >= 5 or a.status_of("/livez") == 200

    def livez():
        a.status_of("/readyz")
        return a.status_of("/livez")

    wait_until(lambda: livez() == 503, "livez fails", limit=60)
    assert "[-]prober-main failed: it crashes or cannot be started" in a.get("/livez").body
    assert a.status_of("/healthz") == 200


# Secrets


def test_no_secret_on_a_command_line(adapter, server):
    a = adapter(server.url())
    assert a.statuses() == (200, 200, 200, 200)
    for pid in a.tree():
        assert not re.search(b"secret|probe:", processes.command_line(pid))
