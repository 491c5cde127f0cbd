"""Commands run to their end, and what /proc tells of processes: children, descriptors, memory."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
from pathlib import Path

from servers import dies_with_us

PIDFD_GETFD = 438
AUTOGROUP = Path("/proc/self/autogroup")
FIRST = -10  # A niceness: nine times the CPU of others.

_libc = ctypes.CDLL(None, use_errno=True)


def run(command, environment, limit, cwd=None):
    """A command to its end, as a subprocess.CompletedProcess. It ends with us, and after limit
    seconds."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=limit,
        preexec_fn=dies_with_us(),
        check=False,
    )


def tampered(call, how):
    """What to start a program under, so that strace tampers with a system call of its own and of all
    that it starts; it costs the other calls nothing. LeakSanitizer does not work under strace."""
    words = ("-f", "--seccomp-bpf", "-D", "-qq", "-o", "/dev/null")
    return ("strace", *words, "-e", f"trace={call}", "-e", f"inject={call}:{how}")


def comes_first():
    """For preexec_fn, with start_new_session: a program under test. It dies with us, and it gets the
    CPU before the servers and the other tests, whose load is none of what a test is about: short of
    CPU, it rightly says no more than that."""
    become_mortal = dies_with_us()

    def become_first():
        become_mortal()
        set_niceness(FIRST)

    return become_first


def set_niceness(niceness):
    """Of this process and its session, as far as we may."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
        AUTOGROUP.write_text(str(niceness))  # Without it sessions share alike.


def children(pid):
    """Process ids of pid's children, those left out that ended and wait for it."""
    return [child for child in _children(pid) if state(child) not in ("Z", None)]


def zombies(pid):
    """Process ids of pid's children that ended and wait for it."""
    return [child for child in _children(pid) if state(child) == "Z"]


def state(pid):
    """The letter of proc(5); None when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def name(pid):
    """What ps calls it; None when there is no such process."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().rstrip("\n")
    except (FileNotFoundError, ProcessLookupError):
        return None


def exists(pid):
    return state(pid) not in ("Z", None)


def kill(pid):
    """SIGKILL, if it is there."""
    send(pid, signal.SIGKILL)


def send(pid, number):
    """The signal, if it is there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def sockets_of(pid):
    """Its sockets, as socket.socket objects of ours."""
    process = os.pidfd_open(pid)
    try:
        for number in map(int, os.listdir(f"/proc/{pid}/fd")):
            if os.readlink(f"/proc/{pid}/fd/{number}").startswith("socket:"):
                with socket.socket(fileno=_libc.syscall(PIDFD_GETFD, process, number, 0)) as it:
                    yield it
    finally:
        os.close(process)


def pss(pid):
    """Memory with what is shared divided among its sharers, in kB."""
    return _rollup(pid)["Pss"]


def own_memory(pid):
    """The part of it that is no file's, in kB: it doesn't grow when others end who shared those."""
    return _rollup(pid)["Pss_Anon"]


def _rollup(pid):
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {name: int(size.split()[0]) for name, size in (line.split(":") for line in lines)}


def in_memory(pid, word):
    """Whether a process has the word in memory that it can write."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            place, access = line.split()[:2]
            start, end = (int(number, 16) for number in place.split("-"))
            if access.startswith("rw") and end - start < 1 << 28:
                with contextlib.suppress(OSError):
                    memory.seek(start)
                    if word.encode() in memory.read(end - start):
                        return True
    return False


def command_line(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _children(pid):
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def listening_port(pid):
    """The TCP port that the process listens on; None as long as there is none."""
    inodes = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                inodes.add(os.readlink(entry.path))
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                return int(fields[1].rpartition(":")[2], 16)
    return None
