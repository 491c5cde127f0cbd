"""The supervisor before a server and probers that are this test's: the messages of
src/common/control.h, written a second time, and programs that hand themselves over to the test.

A server that the supervisor has started is an `Actor`: it has given us the socket that it found, so
that we speak in its place, and it does what it is told to do with itself."""

import contextlib
import enum
import json
import os
import select
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path


PATIENCE = 20.0  # Seconds after which what is due is given up.
QUIET = 0.3  # Seconds in which what must not come would have come.
POSTGRES, MYSQL, PEERS = 1, 2, 3  # Of enum engine.

# A server, or what the name of the program says. It is killed with the test's end of its line.
ACTOR = f"""#!{sys.executable} -IS
import json, os, resource, signal, socket, sys
found = [3] if os.path.exists("/proc/self/fd/3") else []
line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
line.connect(os.environ["STAGE"])
ignored = [n for n in range(1, 32) if signal.getsignal(n) == signal.SIG_IGN]
blocked = [int(n) for n in signal.pthread_sigmask(signal.SIG_BLOCK, [])]
for number in (signal.SIGINT, signal.SIGPIPE):
    if number not in (signal.SIGINT if 2 in ignored else 0,):
        signal.signal(number, signal.SIG_DFL)
told = {{"pid": os.getpid(), "arguments": sys.argv, "environment": dict(os.environ),
        "ignored": ignored, "blocked": blocked}}
socket.send_fds(line, [json.dumps(told).encode()], found)
for descriptor in found:
    os.close(descriptor)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
while order := line.recv(100).decode().split():
    if order[0] == "exit":
        os._exit(int(order[1]))
    if order[0] == "ignore":
        signal.signal(int(order[1]), signal.SIG_IGN)
        continue
    signal.signal(int(order[1]), signal.SIG_DFL) if int(order[1]) != 9 else None
    os.kill(os.getpid(), int(order[1]))
os.kill(os.getpid(), 9)
"""


class Verb(enum.IntEnum):
    START = 1
    KILL = 2
    LISTENING = 3
    BEGIN = 4
    STARTED = 5
    ENDED = 6
    SIGNAL = 7


class File(enum.IntFlag):
    SOCKET = 1
    DETAILS = 2
    AGENT = 4
    SCHEDSTAT = 8
    STAT = 16


FORM = "=BBIi"


@dataclass
class Message:
    verb: Verb
    id: int = 0
    number: int = 0
    files: dict = field(default_factory=dict)  # Descriptors, by File.

    def close(self):
        for descriptor in self.files.values():
            os.close(descriptor)
        self.files = {}
        return self


def read(descriptor):
    """All of a file of /proc."""
    return os.pread(descriptor, 4096, 0).decode()


class Actor:
    """A program that has come to the stage. `control` is the socket that it found at descriptor 3;
    None if it found none."""

    def __init__(self, line):
        self.line = line
        told, files, *_ = socket.recv_fds(line, 1 << 20, 1)
        told = json.loads(told)
        self.pid, self.arguments = told["pid"], told["arguments"]
        self.environment = told["environment"]
        self.ignored, self.blocked = set(told["ignored"]), set(told["blocked"])
        self.control = socket.socket(fileno=files[0]) if files else None

    def exit(self, status):
        self.line.send(f"exit {status}".encode())

    def die(self, number):
        self.line.send(f"die {int(number)}".encode())

    def ignore(self, number):
        """From when it goes on, if it is stopped."""
        self.line.send(f"ignore {int(number)}".encode())

    def send(self, verb, id=0, number=0, **files):
        """files are descriptors or sockets by their names in File, in lower case."""
        chosen = {File[name.upper()]: file for name, file in files.items()}
        bits = sum(chosen)
        descriptors = [file if isinstance(file, int) else file.fileno() for file in chosen.values()]
        socket.send_fds(self.control, [struct.pack(FORM, verb, bits, id, number)], descriptors)

    def receive(self, patience=PATIENCE):
        """The next message; None if none comes."""
        if not select.select([self.control], [], [], patience)[0]:
            return None
        bytes_, descriptors, flags, _ = socket.recv_fds(self.control, 64, len(File))
        if not bytes_:
            return None
        verb, bits, id, number = struct.unpack(FORM, bytes_)
        flagged = [file for file in File if file & bits]
        assert len(flagged) == len(descriptors), "files are missing"
        return Message(Verb(verb), id, number, dict(zip(flagged, descriptors)))

    def expect(self, verb):
        """The next message, which must be of this kind."""
        message = self.receive()
        assert message and message.verb == verb, (message, verb)
        return message

    def start(self, id, engine=POSTGRES):
        """Asks for a prober; gives our end of its socket, and what came of it."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.send(Verb.START, id, engine, socket=theirs)
        started = self.expect(Verb.STARTED)
        assert started.id == id
        return ours, started

    def listen(self):
        """Tells of a listening socket; gives its address."""
        return self.listen_on("socket")["socket"]

    def listen_on(self, *names):
        """Tells of listening sockets; gives their addresses by their names."""
        with contextlib.ExitStack() as opened:
            listeners = {
                name: opened.enter_context(socket.create_server(("127.0.0.1", 0)))
                for name in names
            }
            self.send(Verb.LISTENING, **listeners)
            return {name: listener.getsockname() for name, listener in listeners.items()}

    def close(self):
        self.line.close()
        if self.control:
            self.control.close()


class Stage:
    """A folder of programs: the supervisor, and actors in the place of all others. Words in capitals
    are variables of its environment."""

    def __init__(self, build, folder):
        self.folder = folder
        self.process = None
        self.address = str(folder / "stage")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.address)
        self.listener.listen(100)
        self.program = folder / "dbhealthd"
        self.program.write_bytes((build / "dbhealthd").read_bytes())
        self.program.chmod(0o755)
        self.actors = []
        for name in ("dbhealthd-server", "dbhealthd-postgres", "dbhealthd-mysql", "dbhealthd-peers"):
            self.write(name, ACTOR)

    def write(self, name, text):
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    def start(self, *arguments, under=(), preexec=None, session=True, stderr=None, **environment):
        """With a session of its own, or as a job in ours: SIGTSTP stops none that no shell has.
        stderr in place of what said() reads."""
        self.process = subprocess.Popen(
            [*map(str, under), str(self.program), *arguments],
            env={"PATH": os.environ["PATH"], "STAGE": self.address, **environment},
            stdin=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("ab") if stderr is None else stderr,
            start_new_session=session,
            process_group=None if session else 0,
            preexec_fn=preexec,
        )
        return self

    def enter(self, patience=PATIENCE):
        """The next that comes to the stage; None if nobody comes."""
        if not select.select([self.listener], [], [], patience)[0]:
            return None
        self.actors.append(Actor(self.listener.accept()[0]))
        return self.actors[-1]

    def server(self):
        """The next server, and the first message that it found."""
        actor = self.enter()
        assert actor, "no server is started"
        return actor, actor.expect(Verb.BEGIN)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """Its exit status, as that of subprocess."""
        return self.process.wait(PATIENCE)

    def said(self):
        """The lines of its standard error."""
        return (self.folder / "log").read_text().splitlines()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def close(self):
        for actor in self.actors:
            actor.close()
        self.listener.close()
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def gone(pid):
    """Whether the process has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True
