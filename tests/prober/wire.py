"""The contract between the server and its probers, written a second time from src/common/wire.h, and
a prober to talk to over it."""

import enum
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

WIRE_MAX = 64 * 1024
SOCKET = 3  # The descriptor on which a prober finds its socket.
PATIENCE = 30.0  # Seconds after which a reply that is due is given up.

OUTCOMES = (
    "ok failed no_row not_accepting terminated denied saturated quota query_timeout missing server_error"
    " tls refused unreachable timeout lost crashed config too_large starved unknown skipped"
).split()
TRIALS = ["none", "refused", "withheld"]
FLAVORS = ["unknown", "postgres", "mysql", "mariadb"]


class Verb(enum.IntEnum):
    OPEN = 1
    RUN = 2
    CLOSE = 3


class Type(enum.IntEnum):
    NULL = 0
    BOOLEAN = 1
    NUMBER = 2
    STRING = 3


Column = enum.IntEnum(
    "Column",
    "PLAIN DATE TIMESTAMP TIME INTERVAL MONEY LSN XID JSON ARRAY BITS DATETIME DURATION DOCUMENT OTHER",
    start=0,
)


@dataclass
class Value:
    type: Type
    text: bytes = b""
    cut: bool = False


@dataclass
class Result:
    row_count: int
    cut: bool
    columns: list
    types: list
    rows: list

    def texts(self):
        """The values as text, None for NULL."""
        return [
            tuple(None if value.type == Type.NULL else value.text.decode() for value in row)
            for row in self.rows
        ]


@dataclass
class Reply:
    sequence: int
    verb: Verb
    outcome: str
    code: str
    message: str
    version: str
    flavor: str
    superuser: bool
    trial: str
    secret: int
    sandbox: str
    result: Result | None


def encode_call(
    sequence,
    verb,
    deadline,
    inspect=False,
    withheld=0,
    last=False,
    read_only=True,
    limit=1000,
    max_rows=10,
    sql=b"",
):
    """A call; deadline in ns on CLOCK_BOOTTIME, limit in ms."""
    message = struct.pack("=IBQ", sequence, verb, deadline)
    if verb == Verb.OPEN:
        message += struct.pack("=BQ", inspect, withheld)
    if verb == Verb.RUN:
        sql = sql.encode() if isinstance(sql, str) else sql
        message += struct.pack("=BBIII", last, read_only, limit, max_rows, len(sql)) + sql + b"\0"
    return message


class _Reader:
    def __init__(self, message):
        self.message = message
        self.position = 0

    def number(self, form):
        (number,) = struct.unpack_from("=" + form, self.message, self.position)
        self.position += struct.calcsize("=" + form)
        return number

    def flag(self):
        byte = self.number("B")
        assert byte in (0, 1), f"a flag of {byte}"
        return byte == 1

    def text(self):
        length = self.number("I")
        text = self.message[self.position : self.position + length + 1]
        assert len(text) == length + 1 and text[-1] == 0, "a text runs over the end"
        self.position += length + 1
        return text[:-1]


def decode_reply(message):
    reader = _Reader(message)
    sequence, verb = reader.number("I"), Verb(reader.number("B"))
    reply = Reply(
        sequence,
        verb,
        OUTCOMES[reader.number("B")],
        reader.text().decode(),
        reader.text().decode(),
        reader.text().decode(),
        FLAVORS[reader.number("B")],
        reader.flag(),
        TRIALS[reader.number("B")],
        reader.number("Q"),
        reader.text().decode() if verb == Verb.OPEN else "",
        None,
    )
    if reader.flag():
        reply.result = _decode_result(reader)
    assert reader.position == len(message), "bytes after the reply"
    return reply


def _decode_result(reader):
    row_count = reader.number("Q")
    cut = reader.flag()
    named = [(reader.text().decode(), Column(reader.number("B"))) for _ in range(reader.number("H"))]
    columns = [name for name, _ in named]
    rows = []
    for _ in range(reader.number("I")):
        row = []
        for _ in columns:
            kind, value_cut = Type(reader.number("B")), reader.flag()
            row.append(Value(kind, reader.text(), value_cut))
        rows.append(tuple(row))
    return Result(row_count, cut, columns, [column for _, column in named], rows)


class NoReply(AssertionError):
    """Nothing came in the time given."""


class Prober:
    """A prober program as the supervisor starts it, and our end of its socket. What it prints is an
    error: probers log nothing."""

    def __init__(self, program, url=None, environment=None):
        environment = {"PATH": "/usr/bin:/bin", **(environment or {})}
        if url is not None:
            environment["DATABASE_URL"] = url
        self.sequence = 0
        self.program = str(program)
        self._printed = tempfile.TemporaryFile()
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                # The shell moves our descriptor to 3. Not sh: dash knows one-digit ones only.
                ["/bin/bash", "-c", f'exec "$0" {SOCKET}<&{theirs.fileno()}', self.program],
                env=environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._printed,
                stderr=self._printed,
                process_group=0,  # SIGTSTP stops none that no shell has.
            )
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def wait(self, patience=PATIENCE):
        """Its exit status, as that of subprocess; None if it does not end in time."""
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            return None

    def signal(self, number):
        """The signal, if it has not been waited for."""
        self.process.send_signal(number)

    def send(self, verb, sql="", **options):
        """Sends a call; the reply is for receive()."""
        self.sequence += 1
        deadline = time.clock_gettime_ns(time.CLOCK_BOOTTIME) + 10**9
        self.socket.send(encode_call(self.sequence, verb, deadline, sql=sql, **options))

    def receive(self, patience=PATIENCE):
        """The reply to the call that was sent last; NoReply if it doesn't come in time."""
        if not select.select([self.socket], [], [], patience)[0]:
            raise NoReply(f"no reply within {patience} s")
        try:
            message = self.socket.recv(WIRE_MAX + 1)
        except ConnectionResetError:  # It ended with a call of ours unread.
            message = b""
        assert message, f"the prober has ended: status {self.wait(10)}, {self.output()!r}"
        reply = decode_reply(message)
        assert reply.sequence == self.sequence
        return reply

    def open(self, **options):
        self.send(Verb.OPEN, **options)
        return self.receive()

    def run(self, sql, **options):
        self.send(Verb.RUN, sql, **options)
        return self.receive()

    def close(self):
        self.send(Verb.CLOSE)
        return self.receive()

    def opened(self):
        """Opens, which must succeed, and returns itself."""
        reply = self.open()
        assert reply.outcome == "ok", reply
        return self

    def outcome(self, patience):
        """That of an open, a run and a close, as far as they come; None if one does not end in time."""
        reply = None
        for verb, sql in ((Verb.OPEN, ""), (Verb.RUN, "SELECT 1"), (Verb.CLOSE, "")):
            self.send(verb, sql)
            try:
                reply = self.receive(patience)
            except NoReply:
                return None
            if reply.outcome != "ok":
                break
        return reply.outcome

    def memory(self):
        """Resident anonymous memory in KiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
        raise AssertionError("the prober has ended")

    def peak(self):
        """The most memory that was resident since the last call, or the start, in KiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        return next(int(x.split()[1]) for x in status.splitlines() if x.startswith("VmHWM:"))

    def output(self):
        """What it printed; once it has ended."""
        self._printed.seek(0)
        return self._printed.read().decode(errors="replace")

    def end(self):
        """Closes our end: the prober says goodbye to the server and ends by itself, with status 0
        and having printed nothing. A second call does nothing, nor does one after kill()."""
        if self.socket.fileno() < 0:
            return
        self.socket.close()
        status = self.wait()
        if status is None:
            self.kill()
            raise AssertionError("the prober did not end when its socket was closed")
        assert (status, self.output()) == (0, "")

    def kill(self):
        """SIGKILL, as from a dbhealthd that lost patience."""
        self.signal(signal.SIGKILL)
        self.wait()
        self.socket.close()
