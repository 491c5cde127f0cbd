"""What the kernel knows of processes and sockets, and waiting for something to become true."""

import contextlib
import ctypes
import itertools
import os
import random
import signal
import socket
import time
from pathlib import Path

LISTENING_TCP = "0A"
LISTENING_UNIX = "00010000"
PTRACE_SEIZE = 0x4206

_libc = ctypes.CDLL(None)


def wait_until(condition, what, limit=45.0, pause=0.005):
    """Polls until condition() is true and returns its value; TimeoutError after limit seconds. It
    pauses between two polls, for seconds too."""
    deadline = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {limit} s: {what}")
        time.sleep(pause)


def _ports_of_worker():
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    first = 20000 + number * PORTS
    start = random.randrange(PORTS)
    return itertools.cycle(first + (start + i) % PORTS for i in range(PORTS))


PORTS = 1500  # Of each worker.
_ports = _ports_of_worker()


def free_port():
    """A loopback port that nothing listens on, below the range the kernel gives to clients. Each
    worker of pytest has some of its own, and each is given again only after all others: a server
    that takes a while to listen finds it free."""
    for port in itertools.islice(_ports, PORTS):
        with socket.socket() as candidate, contextlib.suppress(OSError):
            candidate.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


def exists(pid):
    """Whether pid is a process, and not one that ended and waits for its parent."""
    stat = _stat(Path(f"/proc/{pid}/stat"))
    return stat is not None and stat[0] != "Z"


def stopped(pid):
    """Whether every thread of pid is stopped, or has ended."""
    threads = [_stat(thread / "stat") for thread in Path(f"/proc/{pid}/task").glob("[0-9]*")]
    return all(stat is None or stat[0] in "TZ" for stat in threads)


def cpu_seconds(pid):
    """CPU time that pid's first thread has used; 0 when there is no such process."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except (FileNotFoundError, ProcessLookupError):
        return 0


def children(pid):
    """Process ids of pid's children, those left out that ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        stat = _stat(folder / "stat")
        if stat is not None and stat[0] != "Z" and stat[1] == pid:
            found.append(int(folder.name))
    return found


class Undead:
    """Processes whose end their parent does not see before the block's end, as if SIGKILL could not
    end them: we trace them, so that their end is ours to see first."""

    def __init__(self):
        self.pids = set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()

    def add(self, pid):
        """Makes the process one of these; false if it has ended."""
        if _libc.ptrace(PTRACE_SEIZE, pid, None, None) != 0:
            return False
        self.pids.add(pid)
        return True

    def release(self):
        """Lets the parent see it, of all that have been killed."""
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0x40000000)  # __WALL
        self.pids = set()


def client_sockets(pids):
    """How many sockets each of pids holds that it doesn't listen on: its clients' connections.

    The kernel tells, so this works for a server that is full or stopped; and a connection counts
    for as long as the server holds it, even when its client has gone."""
    listening = _listening_sockets()
    return {pid: len(_sockets(pid) - listening) for pid in pids}


def _stat(path):
    """State and parent from a stat file in /proc, or None when the process has gone."""
    try:
        fields = path.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], int(fields[1])


def _sockets(pid):
    inodes = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                target = os.readlink(entry.path)
                if target.startswith("socket:["):
                    inodes.add(target[len("socket:[") : -1])
    return inodes


def _listening_sockets():
    tcp = [line for table in ("tcp", "tcp6") for line in _table(table)]
    inodes = {fields[9] for fields in tcp if fields[3] == LISTENING_TCP}
    return inodes | {fields[6] for fields in _table("unix") if fields[3] == LISTENING_UNIX}


def _table(name):
    """The rows of a table in /proc/net; none when the kernel lacks the protocol."""
    try:
        lines = Path("/proc/net", name).read_text().splitlines()
    except FileNotFoundError:
        return []
    return [line.split() for line in lines[1:]]
