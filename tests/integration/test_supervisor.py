"""The tree of processes before a real server: who crashes, who goes on, who knows the password, and
where else it runs. What the supervisor does message by message stands in tests/supervisor."""

import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time

import cgroups
import processes
import pytest
import sql
from adapter import AS_SHIPPED
from asking import Asking
from exposition import Metrics
from servers import PASSWORDS, free_port, wait_until

WELL = (200, 200, 200, 200)
UNCACHED = {"DBHEALTH_CACHE": "0s"}


# The server crashes


class Asker(Asking):
    """Clients that ask while the server crashes. An answer is a status; what was said of a
    connection that ended otherwise is its error."""

    def __init__(self, adapter):
        super().__init__(adapter, *["/healthz"] * 4)
        self.outcomes = []

    def _ask(self, adapter, path):
        while not self._over.wait(0.002):
            try:
                self.outcomes.append(adapter.status_of(path))
            except (OSError, AssertionError) as error:  # Reset, or ended without an answer.
                self.outcomes.append(type(error))

    def wait_asked(self):
        count = len(self.outcomes)
        wait_until(lambda: len(self.outcomes) > count + 20, "it has been asked")


def crash(adapter, number, shut=False):
    """Gives how long the next answer took. Nobody is refused, unless the socket had been shut."""
    before = adapter.server
    processes.send(before, number)
    wait_until(lambda: not processes.exists(before), "it has crashed")
    began = time.monotonic()
    wait_until(lambda: answers(adapter, shut), "it answers again")
    return time.monotonic() - began


def answers(adapter, shut=False):
    ends = (ConnectionResetError, ConnectionRefusedError) if shut else (ConnectionResetError,)
    with contextlib.suppress(*ends, AssertionError):
        return adapter.status_of("/healthz") == 200
    return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_crash_of_the_server_costs_a_moment(adapter, server, sanitized, number):
    if sanitized and number == signal.SIGSEGV:
        pytest.skip("AddressSanitizer takes it for a fault of ours")
    a = adapter(server.url(), **UNCACHED)
    assert a.statuses() == WELL
    first, probers = a.server, a.probers()
    with Asker(a) as asker:
        asker.wait_asked()
        took = crash(a, number)
        asker.wait_asked()
    print(f"the next answer came after {took:.3f} s")
    assert set(asker.outcomes) <= {200, ConnectionResetError, AssertionError}
    assert asker.outcomes.count(200) > len(asker.outcomes) / 2
    assert a.server != first
    wait_until(lambda: not any(map(processes.exists, probers)), "its probers have ended")
    assert a.statuses() == WELL
    [line] = a.messages("server crashed")
    assert (line["level"], line["how"]) == ("error", f"ended by signal {int(number)}")
    assert Metrics(a.get("/metrics").body).value("dbhealthd_server_restarts_total") == 1


def test_clients_wait_for_the_next_server(adapter, postgres):
    """Those that connected while there was none: nobody is refused."""
    a = adapter(postgres.url())
    a.wait_status("/readyz", 200)
    for _ in range(2):
        crash(a, signal.SIGKILL)
    processes.send(a.server, signal.SIGKILL)
    wait_until(lambda: not a.servers(), "none is there for a second")
    waiting = [a.get_later(path) for path in ("/livez", "/healthz", "/readyz") * 5]
    assert {answer().status for answer in waiting} == {200}
    assert [line["crashes"] for line in a.messages("server crashed")] == ["1", "2", "3"]


def test_no_memory_for_the_server(adapter, postgres):
    """The kernel takes the server; the supervisor is outside of the group that is short of it."""
    a = adapter(postgres.url())
    assert a.statuses() == WELL
    first = a.server
    try:
        with cgroups.Cgroup(memory=1 << 30) as group:
            group.add(first)
            group.set_memory(4096)
            wait_until(lambda: not processes.exists(first), "it is killed")
            assert group.killed() == 1
    except cgroups.Unavailable as reason:
        pytest.skip(str(reason))
    wait_until(lambda: answers(a), "it answers again")
    assert a.statuses() == WELL
    assert a.messages("server crashed")[0]["how"] == "ended by signal 9"


def test_a_server_that_shut_its_socket_down(adapter, postgres):
    """As one would that has been taken over. The socket is the next one's, too."""
    a = adapter(postgres.url(), arguments=("--listen", f"127.0.0.1:{free_port()}"))
    for listening in processes.sockets_of(a.server):
        if listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            listening.shutdown(socket.SHUT_RD)
    crash(a, signal.SIGKILL, shut=True)
    assert a.statuses() == WELL


@pytest.fixture
def without_memory_at_first(build_dir, tmp_path):
    """The programs, but the server's first message finds the kernel without memory for it.
    LeakSanitizer does not work under strace."""
    for program in build_dir.glob("dbhealthd*"):
        (tmp_path / program.name).symlink_to(program)
    (tmp_path / "dbhealthd").unlink()
    shutil.copy(build_dir / "dbhealthd", tmp_path)
    ours = tmp_path / "dbhealthd-server"
    ours.unlink()
    words = shlex.join(processes.tampered("sendmsg", "error=ENOMEM:when=1"))
    ours.write_text(f"#!/bin/bash\nexec {words} {build_dir / 'dbhealthd-server'} \"$@\"\n")
    ours.chmod(0o755)
    return {"program": tmp_path / "dbhealthd", "ASAN_OPTIONS": "detect_leaks=0"}


def test_a_server_that_could_not_tell_at_once_that_it_listens(
    adapter, postgres, without_memory_at_first
):
    """It does with what it tells next."""
    a = adapter(postgres.url(), **without_memory_at_first)
    assert a.statuses() == WELL
    crash(a, signal.SIGKILL)
    assert a.statuses() == WELL


def test_livez_tells_of_no_crash(adapter, postgres):
    a = adapter(postgres.url())
    for crashes in range(3):
        assert a.status_of("/livez") == 200
        crash(a, signal.SIGKILL)
    assert a.status_of("/livez") == 200


def test_a_crash_in_mid_login_leaves_little(adapter, postgres):
    """The prober that hangs is ended, however silent the server is."""
    a = adapter(postgres.url(), **UNCACHED, **AS_SHIPPED)
    a.wait_status("/healthz", 200)
    with postgres.paused():
        a.wait_status("/healthz", 503)
        hanging = a.probers()
        processes.send(a.server, signal.SIGKILL)
        wait_until(lambda: not any(map(processes.exists, hanging)), "its prober has ended")
        wait_until(lambda: a.status_of("/healthz") == 503, "the next server says the same")
        assert len(a.probers()) <= 2
    wait_until(lambda: a.statuses() == WELL, "it is well")


def test_certificate_and_drain_go_on_after_a_crash(adapter, postgres, tmp_path):
    a = adapter(postgres.url(), DBHEALTH_DRAIN_FILE=str(tmp_path / "drain"))
    crash(a, signal.SIGKILL)
    (tmp_path / "drain").touch()
    assert a.statuses() == (200, 503, 200, 200)
    (tmp_path / "drain").unlink()
    a.signal(signal.SIGHUP)
    wait_until(lambda: a.messages("reload found no change"), "it reads its configuration anew")


# The supervisor


def test_all_die_with_the_supervisor(start_adapter, server):
    a = start_adapter(server.url()).wait_serving()
    assert a.statuses() == WELL
    children = processes.children(a.pid)
    assert len(children) == 3
    a.kill()
    wait_until(lambda: not any(map(processes.exists, children)), "they die")


def test_a_supervisor_that_is_stopped_is_our_own_fault(adapter, postgres):
    """Nobody starts the probers that are wanted."""
    a = adapter(postgres.url(), **UNCACHED, **AS_SHIPPED)
    wait_until(lambda: a.statuses() == WELL, "it is well")
    for path, status in (("/readyz", 503), ("/healthz", 200)) * 2:
        stop_supervisor(a)
        assert a.status_of(path) == status
        a.signal(signal.SIGCONT)
        wait_until(lambda: a.status_of("/healthz") == a.status_of("/readyz") == 200, "it is well")
    outcomes = {line["outcome"] for line in a.transitions()}
    assert outcomes <= {"ok", "skipped", "crashed", "starved"}, outcomes


def test_a_check_that_waits_longer_than_its_requests_for_a_stopped_supervisor(adapter, postgres):
    alive = sql.alive(every="100ms", timeout="10s", cache="0s")
    a = adapter(postgres.url(), checks={"alive": alive}, **AS_SHIPPED)
    a.wait_status("/healthz", 200)
    stop_supervisor(a)
    answers = [(a.status_of("/healthz"), a.shown("/healthz")["alive"].code) for _ in range(3)]
    assert {status for status, _ in answers} == {200}
    assert {code for _, code in answers} <= {"crashed", "starved", "unknown"}, answers


def stop_supervisor(adapter):
    """And kills its probers: others are wanted and don't come."""
    adapter.signal(signal.SIGSTOP)
    for pid in adapter.probers():
        processes.kill(pid)


# Probers


def test_one_server_and_a_prober_per_name(adapter, server):
    checks = {f"check-{i}": sql.check(prober=f"prober-{i}") for i in range(12)}
    a = adapter(server.url(), checks=checks, **UNCACHED)
    a.wait_status("/readyz", 200)
    assert (len(a.servers()), len(a.probers())) == (1, 12)


def test_a_prober_has_no_descriptor_but_its_own(adapter, server):
    """Neither another prober's socket nor the one that probers are asked for on."""
    a = adapter(server.url(), **UNCACHED)
    assert a.statuses() == WELL
    sockets = [descriptors(pid)[3] for pid in (a.server, *a.probers())]
    assert len(set(sockets)) == 3
    for pid in a.probers():
        wait_until(lambda pid=pid: sorted(descriptors(pid)) == [0, 1, 2, 3], "no session is open")


def descriptors(pid):
    """What each descriptor of the process is."""
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
    return found


def test_one_that_is_slow_to_start_is_left_to_it(with_prober, build_dir, postgres):
    """Another one would be as slow. It has not asked the server meanwhile."""
    program = shlex.quote(str(build_dir / "dbhealthd-postgres"))
    a = with_prober(f"sleep 1; exec {program}", url=postgres.url(), **UNCACHED, **AS_SHIPPED)
    with Asking(a, "/healthz") as asking:
        wait_until(lambda: a.statuses() == WELL, "it is well")
    assert asking.statuses == {200}
    assert a.transitions("alive")[0]["outcome"] in ("crashed", "starved")
    assert not a.messages("prober failed")
    assert len(a.probers()) == 2


def test_one_that_asks_late_is_not_the_servers_silence(with_prober, build_dir, postgres):
    """It comes so late that the server has little time left."""
    program = shlex.quote(str(build_dir / "dbhealthd-postgres"))
    a = with_prober(f"sleep 0.6; exec {program}", url=postgres.url(), **UNCACHED, **AS_SHIPPED)
    with postgres.paused():
        assert a.status_of("/healthz") == 200
        a.wait_status("/healthz", 503)
    wait_until(lambda: a.statuses() == WELL, "it is well")


def test_one_that_never_comes_is_killed_in_the_end(with_prober):
    a = with_prober("exec sleep 60", **UNCACHED, **AS_SHIPPED)
    readyz = a.get_later("/readyz")
    first = wait_until(a.probers, "it is started")
    readyz()
    wait_until(lambda: not set(first) & set(a.probers()), "it is killed")
    assert a.status_of("/healthz") == 200
    assert wait_until(lambda: a.messages("prober failed"), "it is told")[0]["how"] == (
        "was not there in time"
    )
    wait_until(lambda: not processes.zombies(a.pid), "the dead are reaped")


# The password


@pytest.mark.parametrize("given", ["url", "image", "both"])
def test_a_password_of_the_environment_is_not_the_servers(adapter, server, given):
    secret = PASSWORDS["probe"]
    names = {"postgres": "POSTGRES", "mariadb": "MARIADB", "mysql": "MYSQL"}
    image = {f"{names[server.engine]}_{name}": "probe" for name in ("USER", "DATABASE", "DB")}
    variables = {**image, f"{names[server.engine]}_PASSWORD": secret, "COPY": f"of {secret}"}
    if given == "url":
        variables = {"OTHER": server.url()}
    a = adapter(None if given == "image" else server.url(), **variables)
    if given != "image":  # Those name the usual port.
        assert a.statuses() == WELL
    a.get("/status")
    assert a.status_of("/livez") == 200
    assert secret.encode() not in environment(a.server)
    assert not processes.in_memory(a.server, secret)
    assert any(processes.in_memory(pid, secret) for pid in a.probers()), "or this test proves nothing"


def environment(pid):
    with open(f"/proc/{pid}/environ", "rb") as file:
        return file.read()


def test_another_program_cannot_be_the_server(build_dir):
    """By hand it has no supervisor."""
    ended = subprocess.run([build_dir / "dbhealthd-server"], capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr == "dbhealthd: this program is dbhealthd's to start, expected its socket\n"


# Elsewhere


def test_under_an_emulator(start_adapter, build_dir, tmp_path, mariadb, sanitized):
    """All programs, by qemu's user mode, which knows less than the kernel."""
    if sanitized:
        pytest.skip("AddressSanitizer does not work there")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "dbhealthd").write_bytes((build_dir / "dbhealthd").read_bytes())
    (programs / "checks").symlink_to((build_dir / "checks").resolve())
    (programs / "dbhealthd").chmod(0o755)
    for name in ("dbhealthd-server", "dbhealthd-mysql"):
        program = shlex.quote(str(build_dir / name))
        (programs / name).write_text(f'#!/bin/sh\nexec qemu-x86_64 {program} "$@"\n')
        (programs / name).chmod(0o755)
    emulated = {"program": programs / "dbhealthd", "under": ("qemu-x86_64",)}
    a = start_adapter(mariadb.url(), **emulated, **UNCACHED).wait_serving()
    wait_until(lambda: a.statuses() == WELL, "it is well")
    for _ in range(2):
        for pid in processes.children(a.pid)[1:]:
            processes.kill(pid)
        wait_until(lambda: a.statuses() == WELL, "it is well")
    processes.kill(processes.children(a.pid)[0])
    wait_until(lambda: answers(a), "the next server answers")
    a.signal(signal.SIGINT)
    assert a.wait() == 0
