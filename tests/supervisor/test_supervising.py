"""What the supervisor does for a server, at its end, and for probers.

DBHEALTH_TEST_KILLS sets how many are started and killed."""

import contextlib
import errno
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest
from servers import wait_until
from servers.kernel import Undead, children, cpu_seconds
from stage import MYSQL, PEERS, POSTGRES, QUIET, File, Verb, gone, read

KILLS = int(os.environ.get("DBHEALTH_TEST_KILLS", "2000"))
URL = "postgres://probe:a-long-secret@127.0.0.1/"


# The beginning


def test_a_server_begins(stage):
    server, begin = stage.start("--listen", ":1", DBHEALTH_X="y").server()
    assert (begin.id, begin.number) == (0, 0)
    assert set(begin.files) == {File.SCHEDSTAT, File.STAT}
    assert read(begin.files[File.STAT]).startswith(f"{stage.process.pid} (dbhealthd) ")
    assert len(read(begin.files[File.SCHEDSTAT]).split()) == 3
    assert server.arguments == [str(stage.folder / "dbhealthd-server"), "--listen", ":1"]
    assert server.environment["DBHEALTH_X"] == "y"
    assert children(stage.process.pid) == [server.pid]


@pytest.mark.parametrize("command", ["check", "wait"])
def test_a_command_that_probes_is_supervised(stage, command):
    server, _ = stage.start(command, "x").server()
    assert server.arguments[1:] == [command, "x"]
    server.exit(1)
    assert stage.wait() == 1


@pytest.mark.parametrize("command", ["get", "lint", "grants", "--help", "--version", "no-such"])
def test_what_does_not_probe_is_the_server_itself(stage, command):
    actor = stage.start(command, "x", POSTGRES_PASSWORD="s").enter()
    assert actor.pid == stage.process.pid
    assert actor.arguments[1:] == [command, "x"]
    assert actor.control is None
    assert actor.environment["POSTGRES_PASSWORD"] == "s"
    actor.exit(7)
    assert stage.wait() == 7


def test_no_server_program(stage):
    (stage.folder / "dbhealthd-server").unlink()
    assert stage.start().wait() == 2
    assert stage.said()[0].endswith("dbhealthd-server: No such file or directory")
    assert stage.start("lint").wait() == 2


def test_standard_descriptors_that_are_closed(stage):
    """What is opened later must not take their places."""

    def close_all():
        for descriptor in range(3):
            os.close(descriptor)

    server, _ = stage.start(preexec=close_all).server()
    found = [os.readlink(f"/proc/{server.pid}/fd/{number}") for number in range(3)]
    assert found == ["/dev/null"] * 3


# Secrets


def test_the_server_gets_no_secret_and_a_prober_all(stage):
    environment = {"DATABASE_URL": URL, "MYSQL_ROOT_PASSWORD": "another", "DBHEALTH_PEERS": "db-1:1"}
    server, _ = stage.start(**environment).server()
    assert server.environment["DATABASE_URL"] == "postgres://probe:***@127.0.0.1:5432/postgres"
    assert server.environment["MYSQL_ROOT_PASSWORD"] == "***"
    assert server.environment["DBHEALTH_PEERS"] == "db-1:1"
    server.start(1)
    prober = stage.enter()
    assert prober.arguments == [str(stage.folder / "dbhealthd-postgres")]
    assert {name: prober.environment[name] for name in environment} == environment
    server.start(2, PEERS)
    asker = stage.enter()
    assert {name: asker.environment[name] for name in environment} == {
        name: server.environment[name] for name in environment
    }


def test_others_cannot_read_the_supervisors_environment(stage):
    """Not even who runs as the same user."""
    for path in (stage.folder, *stage.folder.iterdir(), *list(stage.folder.parents)[:3]):
        os.chmod(path, 0o777)
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")
    server, _ = stage.start(under=nobody, DATABASE_URL=URL).server()
    for name in ("environ", "mem", "fd/0"):
        for pid, readable in ((server.pid, True), (stage.process.pid, False)):
            command = (*nobody, "test", "-r", f"/proc/{pid}/{name}")
            assert (subprocess.run(command).returncode == 0) == readable, (pid, name)


# Probers


PROGRAMS = [(POSTGRES, "dbhealthd-postgres"), (MYSQL, "dbhealthd-mysql"), (PEERS, "dbhealthd-peers")]


@pytest.mark.parametrize("engine, name", PROGRAMS)
def test_a_prober(stage, serving, engine, name):
    server, _ = serving
    ours, started = server.start(7, engine)
    prober = stage.enter()
    assert prober.arguments == [str(stage.folder / name)]
    assert started.number == 0
    assert read(started.files[File.STAT]).startswith(f"{prober.pid} ")
    assert len(read(started.files[File.SCHEDSTAT]).split()) == 3
    prober.control.send(b"hello")
    assert ours.recv(100) == b"hello"
    prober.exit(3)
    ended = server.expect(Verb.ENDED)
    assert (ended.id, os.waitstatus_to_exitcode(ended.number)) == (7, 3)
    with pytest.raises(ProcessLookupError):
        read(started.files[File.STAT])


@pytest.mark.parametrize(
    "arguments, environment, starts",
    [((), {}, False), (("--peers", "db-1:1"), {}, True), ((), {"DBHEALTH_PEERS": "db-1:1"}, True)],
)
def test_who_asks_peers_is_started_only_where_there_are_any(stage, arguments, environment, starts):
    """It is a way to others for who has taken the server over."""
    server, _ = stage.start(*arguments, **environment).server()
    _, started = server.start(1, PEERS)
    assert started.number == (0 if starts else errno.EMFILE)
    server.start(2, POSTGRES)
    names = [stage.enter().arguments[0].rpartition("/")[2] for _ in range(2 if starts else 1)]
    assert ("dbhealthd-peers" in names) == starts


def test_a_prober_is_killed(stage, serving):
    server, _ = serving
    for id in (1, 2):
        server.start(id)
    first, second = stage.enter(), stage.enter()
    server.send(Verb.KILL, 1)
    ended = server.expect(Verb.ENDED)
    assert (ended.id, ended.number) == (1, signal.SIGKILL)
    assert gone(first.pid) != gone(second.pid)
    for stranger in (1, 3):
        server.send(Verb.KILL, stranger)
    assert server.receive(QUIET) is None


def test_a_prober_is_killed_before_it_is_there(stage, serving):
    server, _ = serving
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    os.kill(stage.process.pid, signal.SIGSTOP)
    server.send(Verb.START, 1, POSTGRES, socket=theirs)
    server.send(Verb.KILL, 1)
    os.kill(stage.process.pid, signal.SIGCONT)
    assert server.expect(Verb.STARTED).number == 0
    assert server.expect(Verb.ENDED).number == signal.SIGKILL


def test_no_prober_program(stage, serving):
    server, _ = serving
    (stage.folder / "dbhealthd-postgres").unlink()
    _, started = server.start(1)
    assert started.number == 2  # ENOENT
    assert server.receive(QUIET) is None


def test_nothing_is_left_of_many(stage, serving, sanitized):
    """Some end by themselves, some are killed, some do both at once."""
    server, _ = serving
    stage.write("dbhealthd-postgres", "#!/bin/true\n")
    stage.write("dbhealthd-mysql", "#!/bin/sh\nexec sleep 60\n")
    server.start(KILLS + 1)[0].close()  # By then it has taken the listening socket.
    server.expect(Verb.ENDED)
    descriptors = stage.descriptors()
    memory = []
    for number in range(1, KILLS + 1, 4):
        for id in range(number, number + 4):
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with ours, theirs:
                server.send(Verb.START, id, POSTGRES if id % 2 else MYSQL, socket=theirs)
            server.send(Verb.KILL, id)
        told = [server.receive().close() for _ in range(8)]
        assert {m.id for m in told if m.verb == Verb.ENDED} == set(range(number, number + 4))
        memory.append(own_memory(stage.process.pid))
    assert stage.descriptors() == descriptors
    assert children(stage.process.pid) == [server.pid]
    assert sanitized or memory[-1] <= memory[len(memory) // 2]


def own_memory(pid):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Private_Dirty"))


def test_a_server_that_does_not_read_loses_nothing(stage, serving):
    """More than its socket takes."""
    server, _ = serving
    stage.write("dbhealthd-postgres", "#!/bin/true\n")
    sockets = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(300)]
    for id, (_, theirs) in enumerate(sockets, 1):
        server.send(Verb.START, id, POSTGRES, socket=theirs)
        theirs.close()
    wait_until(lambda: not set(children(stage.process.pid)) - {server.pid}, "all have ended")
    time.sleep(QUIET)
    messages = [server.receive().close() for _ in range(600)]
    for id in range(1, 301):
        assert [m.verb for m in messages if m.id == id] == [Verb.STARTED, Verb.ENDED]
    for ours, _ in sockets:
        ours.close()


def assert_refused_unread(server, first):
    """A server that asks for more than its socket takes answers, and reads none meanwhile."""
    ids = range(first, first + 400)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        for id in ids:
            server.send(Verb.START, id, POSTGRES, socket=theirs)
    time.sleep(QUIET)
    refused = [server.expect(Verb.STARTED) for _ in ids]
    assert sorted(message.id for message in refused) == list(ids)
    assert {message.number for message in refused} == {24}  # EMFILE


@pytest.fixture
def many_descriptors():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_server_that_wants_too_many(many_descriptors, stage, serving):
    server, _ = serving
    stage.write("dbhealthd-postgres", "#!/bin/sh\nexec sleep 60\n")
    for id in range(1, 513):
        ours, started = server.start(id)
        ours.close()
        assert started.close().number == 0
    assert_refused_unread(server, 513)
    server.send(Verb.KILL, 1)
    assert server.expect(Verb.ENDED).id == 1
    assert server.start(1000)[1].close().number == 0


@contextlib.contextmanager
def no_descriptors_left(stage):
    """The supervisor can take none: the standard ones are open."""
    soft, hard = resource.prlimit(stage.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(stage.process.pid, resource.RLIMIT_NOFILE, (3, hard))
    yield
    resource.prlimit(stage.process.pid, resource.RLIMIT_NOFILE, (soft, hard))


def test_prober_without_descriptors_left(stage, serving):
    """It says so, and goes on."""
    server, _ = serving
    server.start(1)  # By then it has taken the listening socket.
    with no_descriptors_left(stage):
        assert_refused_unread(server, 2)
    assert server.start(1000)[1].number == 0


def test_a_server_that_never_stops_talking(stage, serving):
    """Signals are heard, and the dead reaped, all the same."""
    server, _ = serving
    server.start(1)
    prober = stage.enter()
    over = threading.Event()

    def talk():
        while not over.is_set():
            server.send(Verb.KILL, 2)

    talkers = [threading.Thread(target=talk, daemon=True) for _ in range(4)]
    for talker in talkers:
        talker.start()
    try:
        stage.signal(signal.SIGHUP)
        assert server.expect(Verb.SIGNAL).number == signal.SIGHUP
        prober.exit(0)
        assert server.expect(Verb.ENDED).id == 1
    finally:
        over.set()
        for talker in talkers:
            talker.join()


# The end of a server that nobody relies on yet


@pytest.mark.parametrize("status", [0, 1, 2])
def test_ends_as_the_server_does(stage, status):
    server, _ = stage.start().server()
    server.exit(status)
    assert stage.wait() == status


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGPIPE, signal.SIGINT])
def test_ends_by_the_servers_signal(stage, number):
    server, _ = stage.start("check").server()
    server.die(number)
    assert stage.wait() == -number


def test_a_command_that_ends_leaves_no_prober(stage):
    server, _ = stage.start("check").server()
    server.start(1)
    prober = stage.enter()
    server.exit(0)
    assert stage.wait() == 0
    assert gone(prober.pid)


# The end of a server that listened


def answers(address):
    """Whether the kernel still takes connections for that socket."""
    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection(address, 5).close()
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_server_that_crashed_is_started_anew(stage, serving, number):
    server, address = serving
    server.die(number)
    second, begin = stage.server()
    assert answers(address)
    assert begin.id == 1
    assert os.waitstatus_to_exitcode(begin.number) == -number
    with socket.socket(fileno=begin.files[File.SOCKET]) as listener:
        assert listener.getsockname() == address
    second.exit(0)
    assert stage.wait() == 0


def test_all_its_sockets_are_kept(stage):
    server, begin = stage.start().server()
    assert not begin.files.keys() & {File.SOCKET, File.DETAILS, File.AGENT}
    addresses = server.listen_on("socket", "details", "agent")
    server.exit(1)
    second, begin = stage.server()
    for name, address in addresses.items():
        assert answers(address)
        with socket.socket(fileno=begin.files.pop(File[name.upper()])) as listener:
            assert listener.getsockname() == address
    begin.close()
    second.exit(0)
    assert stage.wait() == 0
    assert not any(map(answers, addresses.values()))


def test_a_status_is_a_crash_too(stage, serving):
    server, _ = serving
    server.exit(3)
    second, begin = stage.server()
    assert (begin.id, os.waitstatus_to_exitcode(begin.number)) == (1, 3)


def test_a_good_end_is_the_end(stage, serving):
    server, address = serving
    server.exit(0)
    assert stage.wait() == 0
    assert not answers(address)


def test_a_socket_that_cannot_be_kept(stage):
    """The next server has to listen anew, but it comes."""
    server, _ = stage.start().server()
    with no_descriptors_left(stage):
        address = server.listen()
        wait_until(lambda: not answers(address), "nobody has the socket")
    server.exit(1)
    second, begin = stage.server()
    assert begin.id == 1
    assert not begin.files.keys() & {File.SOCKET, File.DETAILS, File.AGENT}
    address = second.listen()
    second.exit(1)
    assert stage.server()[1].id == 2
    assert answers(address)
    assert stage.said() == []


def test_one_that_listened_and_died_at_once(stage):
    """Its last word is heard."""
    server, _ = stage.start().server()
    os.kill(stage.process.pid, signal.SIGSTOP)
    address = server.listen()
    server.exit(1)
    wait_until(lambda: gone(server.pid), "it has ended")
    os.kill(stage.process.pid, signal.SIGCONT)
    _, begin = stage.server()
    assert begin.id == 1
    assert answers(address)


@pytest.mark.parametrize("message", [b"", b"x", b"nonsense, and much of it", bytes(10)])
def test_a_server_that_makes_no_sense(stage, serving, message):
    server, _ = serving
    server.control.send(message) if message else server.control.shutdown(socket.SHUT_RDWR)
    _, begin = stage.server()
    assert (begin.id, begin.number) == (1, signal.SIGKILL)


def test_a_server_that_passes_a_socket_that_lingers(stage, serving):
    """To close a connection whose client does not read is not to take as long as it has set."""
    server, _ = serving
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()):
            ours, _ = listener.accept()
            ours.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while ours.send(bytes(1 << 16)):
                    pass
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
            stage.signal(signal.SIGSTOP)  # It is not to close it before we do.
            server.send(Verb.KILL, 1, socket=ours)  # There is no such message.
            ours.close()
            stage.signal(signal.SIGCONT)
            _, begin = stage.server()
    assert (begin.id, begin.number) == (1, signal.SIGKILL)


def test_its_probers_end_and_are_nobody_elses(stage, serving):
    """Even under the same number."""
    server, _ = serving
    server.start(1)
    first = stage.enter()
    server.die(signal.SIGKILL)
    second, begin = stage.server()
    second.start(1)
    prober = stage.enter()
    wait_until(lambda: gone(first.pid), "the first one's prober ends")
    assert second.receive(QUIET) is None
    assert not gone(prober.pid)


def test_again_and_again_is_ever_more_slowly(stage, serving):
    server, address = serving
    began = []
    for crashes in range(1, 5):
        server.die(signal.SIGKILL)
        server, begin = stage.server()
        began.append(time.monotonic())
        assert begin.close().id == crashes
    waits = [later - earlier for earlier, later in zip(began, began[1:])]
    assert [wait >= least for wait, least in zip(waits, (1, 2, 4))] == [True] * 3, waits
    assert answers(address)
    early = "dbhealthd: dbhealthd-server ended before it served; next try in"
    assert stage.said() == [f"{early} {wait} s" for wait in (1, 2, 4)]


def test_nobody_reads_what_is_said(stage):
    """On a terminal that it may not open again, with room for a part of a line."""
    with new_terminal() as inside:
        capacity = fill(inside)
    with new_terminal() as inside:
        fill(inside, capacity - 40)
        assert select.select([], [inside], [], 0)[1], "it should have room"
        os.fchmod(inside, 0)
        server, _ = stage.start(under=("setpriv", "--bounding-set=-all"), stderr=inside).server()
        server.listen()
        for crashes in (1, 2):
            server.die(signal.SIGKILL)
            server, begin = stage.server()
            assert begin.id == crashes


@contextlib.contextmanager
def new_terminal():
    """The inside of one that nobody reads."""
    outside, inside = os.openpty()
    try:
        yield inside
    finally:
        os.close(outside)
        os.close(inside)


def fill(terminal, most=None):
    """How many bytes it has taken, in single ones, when it takes no more or this is the most."""
    taken = 0
    os.set_blocking(terminal, False)

    def takes_no_more():  # It moves them on behind our back.
        nonlocal taken
        before = taken
        with contextlib.suppress(BlockingIOError):
            while taken != most:
                taken += os.write(terminal, b".")
        return taken == before

    wait_until(takes_no_more, "the terminal is full", pause=0.05)
    os.set_blocking(terminal, True)
    return taken


def test_a_server_that_cannot_be_started_any_more(stage, serving):
    server, _ = serving
    program = stage.folder / "dbhealthd-server"
    program.rename(stage.folder / "away")
    server.die(signal.SIGKILL)
    assert stage.enter(QUIET) is None
    (stage.folder / "away").rename(program)
    _, begin = stage.server()
    assert begin.id == 2
    [line] = stage.said()
    cannot = "dbhealthd-server cannot be started (No such file or directory)"
    assert line == f"dbhealthd: {cannot}; next try in 1 s"


# Signals

LONG = 6.0  # Seconds; longer than a server has that is to end now.
FORWARDED = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


@pytest.mark.parametrize("number", FORWARDED)
@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_signals_are_told_once(stage, serving, number, send):
    """Whether they come to the supervisor or to all."""
    server, _ = serving
    assert set(FORWARDED) <= server.ignored
    assert not server.blocked
    send(stage.process.pid, number)
    told = server.expect(Verb.SIGNAL)
    assert (told.id, told.number) == (0, number)
    assert server.receive(QUIET) is None
    server.exit(0)
    assert stage.wait() == 0


@pytest.mark.parametrize("numbers", [[signal.SIGINT], [signal.SIGTERM] * 2])
def test_a_server_that_hangs_when_it_is_to_end_now(stage, serving, numbers):
    server, _ = serving
    for number in numbers:
        stage.signal(number)
        assert server.expect(Verb.SIGNAL).number == number
    assert stage.wait() == -signal.SIGKILL
    assert gone(server.pid)


def test_a_server_that_may_take_its_time_to_end(stage, serving):
    server, _ = serving
    stage.signal(signal.SIGTERM)
    server.expect(Verb.SIGNAL)
    time.sleep(LONG)
    assert not gone(server.pid)
    server.exit(0)
    assert stage.wait() == 0


def test_signals_that_come_before_the_server_reads(stage):
    server, _ = stage.start().server()
    for number in FORWARDED:
        stage.signal(number)
    assert {server.expect(Verb.SIGNAL).number for _ in FORWARDED} == set(FORWARDED)


def ignoring(*numbers):
    return lambda: [signal.signal(number, signal.SIG_IGN) for number in numbers]


@pytest.mark.parametrize(
    "command, ignored, heard",
    [
        (("check",), (signal.SIGINT,), (signal.SIGHUP, signal.SIGTERM)),
        (("check",), (signal.SIGHUP,), (signal.SIGINT, signal.SIGTERM)),
        ((), FORWARDED, FORWARDED),  # Serving is no job of a shell's.
    ],
)
def test_what_is_ignored_from_the_start(stage, command, ignored, heard):
    """As by nohup, and by a shell for what runs in its background."""
    server, _ = stage.start(*command, preexec=ignoring(*ignored)).server()
    assert set(FORWARDED) <= server.ignored
    for number in FORWARDED:
        stage.signal(number)
    assert {server.expect(Verb.SIGNAL).number for _ in heard} == set(heard)
    assert server.receive(QUIET) is None


def test_children_that_the_starter_ignores(stage):
    """Else the kernel would reap them itself."""
    server, _ = stage.start(preexec=ignoring(signal.SIGCHLD)).server()
    server.exit(4)
    assert stage.wait() == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_to_end_is_not_started_anew(stage, serving, number):
    server, _ = serving
    stage.signal(number)
    server.expect(Verb.SIGNAL)
    server.die(signal.SIGSEGV)
    assert stage.wait() == -signal.SIGSEGV


def test_hangup_is_no_end(stage, serving):
    server, _ = serving
    stage.signal(signal.SIGHUP)
    server.expect(Verb.SIGNAL)
    server.die(signal.SIGSEGV)
    assert stage.server()[1].id == 1


def test_ends_between_two_servers(stage, serving):
    server, _ = serving
    server.die(signal.SIGKILL)
    server, _ = stage.server()
    server.die(signal.SIGKILL)
    wait_until(lambda: not children(stage.process.pid), "it waits to try anew")
    stage.signal(signal.SIGTERM)
    assert stage.wait() == -signal.SIGKILL


def test_waits_for_an_orphan_without_haste(stage, serving, sanitized):
    """Also once it would be time to try anew, if it were not to end."""
    server, _ = serving
    server.die(signal.SIGKILL)
    server, _ = stage.server()
    server.start(1)
    with Undead() as undead:
        assert undead.add(stage.enter().pid)
        server.die(signal.SIGKILL)
        known = f"/proc/{server.pid}"
        wait_until(lambda: not os.path.exists(known), "it waits to try anew")
        stage.signal(signal.SIGTERM)
        before = cpu_seconds(stage.process.pid)
        wait_until(lambda: gone(stage.process.pid), "it has waited")
        assert sanitized or cpu_seconds(stage.process.pid) - before < 0.05
    assert stage.wait() == -signal.SIGKILL


# A terminal's stop


def stopped(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "T"


def ignores(pid, number):
    with open(f"/proc/{pid}/status") as status:
        [ignored] = [line.split()[1] for line in status if line.startswith("SigIgn:")]
    return int(ignored, 16) >> (number - 1) & 1


@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_it_stops_when_the_server_has(stage, send):
    """Whether the signal comes to the supervisor or to all."""
    server, _ = stage.start("check", session=False).server()
    for _ in range(3):
        send(stage.process.pid, signal.SIGTSTP)
        _, status = os.waitpid(stage.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert stopped(server.pid)
        stage.signal(signal.SIGCONT)
        wait_until(lambda: not stopped(server.pid), "the server goes on")
    server.exit(1)
    assert stage.wait() == 1


def test_it_stops_when_the_server_has_been_stopped_before(stage):
    """A terminal's signal reaches one of them first, and the server's stop may be seen before it."""
    server, _ = stage.start("check", session=False).server()
    os.kill(server.pid, signal.SIGTSTP)
    wait_until(lambda: stopped(server.pid), "it is stopped")
    for id in (1, 2):  # It looks for stops between what it is asked for.
        server.start(id)
    stage.signal(signal.SIGTSTP)
    wait_until(lambda: stopped(stage.process.pid), "it is stopped, too")
    stage.signal(signal.SIGCONT)
    wait_until(lambda: not stopped(server.pid), "the server goes on")


def test_a_server_that_went_on_is_not_stopped_any_more(stage):
    server, _ = stage.start("check", session=False).server()
    os.kill(server.pid, signal.SIGTSTP)
    wait_until(lambda: stopped(server.pid), "it is stopped")
    for id in (1, 2):
        server.start(id)
    server.ignore(signal.SIGTSTP)
    os.kill(server.pid, signal.SIGCONT)
    wait_until(lambda: ignores(server.pid, signal.SIGTSTP), "it has gone on")
    stage.signal(signal.SIGTSTP)
    time.sleep(QUIET)
    assert not stopped(stage.process.pid)


def test_a_server_that_is_stopped_alone_after_a_stop_that_came_to_nothing(stage, serving):
    """There is no shell that would have it go on."""
    server, _ = serving
    stage.signal(signal.SIGTSTP)
    stage.signal(signal.SIGHUP)
    server.expect(Verb.SIGNAL)
    os.kill(server.pid, signal.SIGSTOP)
    wait_until(lambda: stopped(server.pid), "it is stopped")
    time.sleep(QUIET)
    assert not stopped(stage.process.pid)
    os.kill(server.pid, signal.SIGCONT)


def test_a_server_that_is_stopped_alone(stage, serving):
    server, _ = serving
    os.kill(server.pid, signal.SIGSTOP)
    wait_until(lambda: stopped(server.pid), "it is stopped")
    time.sleep(QUIET)
    assert not stopped(stage.process.pid)
    server.start(1)
    stage.enter()
    os.kill(server.pid, signal.SIGKILL)
    assert stage.server()[1].id == 1


# Process 1

FIRST = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


@pytest.mark.parametrize("status, expected", [("exit 3", 3), ("die 15", 128 + 15)])
def test_process_1_ends_as_the_server_does(stage, status, expected):
    server, begin = stage.start(under=FIRST).server()
    assert read(begin.files[File.STAT]).startswith("1 (dbhealthd) ")
    server.line.send(status.encode())
    assert stage.wait() == expected


def test_process_1_hears_signals_and_restarts(stage):
    server, _ = stage.start(under=FIRST).server()
    server.listen()
    [first] = children(stage.process.pid)
    for number in FORWARDED:
        os.kill(first, number)
        assert server.expect(Verb.SIGNAL).number == number
    server.exit(0)
    assert stage.wait() == 0


def test_process_1_reaps_strangers(stage):
    server, _ = stage.start(under=FIRST).server()
    [first] = children(stage.process.pid)
    orphan = ("nsenter", "--target", str(first), "--pid", "sh", "-c", "(exit 1) & sleep 0.05 &")
    for _ in range(5):
        subprocess.run(orphan, check=True)
    server.start(1)
    wait_until(lambda: len(children(first)) == 2, "the orphans end")
    tasks = f"/proc/{first}/task/{first}/children"
    wait_until(lambda: len(open(tasks).read().split()) == 2, "the orphans are reaped")
    assert server.receive(QUIET) is None
