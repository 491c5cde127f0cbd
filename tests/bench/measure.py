"""Measuring programs: CPU time and memory of a process tree, pinning, rounds.

CPU time is counted by a control group that a program is started in: in nanoseconds, and with all
that it ever started. (/proc/PID/stat counts in ticks of 10 ms, and /proc/PID/schedstat tells
nothing of children that ended.) Of a process that runs just then the last few ms may be missing, so
read when the load has ended."""

import contextlib
import itertools
import os
from pathlib import Path

import processes
from processes import pss
from servers import wait_until

UNIFIED = Path("/sys/fs/cgroup")
ACCOUNTING = Path("/sys/fs/cgroup/cpuacct")
GROUP = "dbhealth-bench-"  # The run's process and a number follow.
FIRST = -20  # The niceness of what is measured and of its load.
SERVER_CPU, LOAD_CPU = 0, -1  # Of those that we may use: the first and the last.

_numbers = itertools.count(1)


class Unavailable(Exception):
    """This machine, or this container, lets nobody make control groups."""


class CpuAccount:
    """Counts the CPU time of processes. In a block it exists; join is for preexec, and what the
    process starts then counts too."""

    def __enter__(self):
        self._folder = _parent() / f"{GROUP}{os.getpid()}-{next(_numbers)}"
        try:
            self._folder.mkdir()
        except OSError as error:
            raise Unavailable(f"no control groups here: {error.strerror}") from error
        return self

    def __exit__(self, *_):
        wait_until(self._remove, "the processes of a control group end")

    def join(self):
        (self._folder / "cgroup.procs").write_text("0")

    def nanoseconds(self):
        usage = self._folder / "cpuacct.usage"
        if usage.exists():
            return int(usage.read_text())
        fields = (line.split() for line in (self._folder / "cpu.stat").read_text().splitlines())
        return int(dict(fields)["usage_usec"]) * 1000

    def _remove(self):
        """False while a process is in it."""
        try:
            self._folder.rmdir()
        except OSError:
            return False
        return True


def remove_stale_accounts():
    """Those of runs that were killed."""
    for folder in _parent().glob(f"{GROUP}*"):
        if not processes.exists(int(folder.name.split("-")[2])):
            with contextlib.suppress(OSError):
                folder.rmdir()


def _parent():
    return ACCOUNTING if ACCOUNTING.is_dir() else UNIFIED


def cpu_of(account, work):
    """The CPU time in ns that the account's processes use while work() runs, and what it gives."""
    before = account.nanoseconds()
    result = work()
    return account.nanoseconds() - before, result


def tree(pid):
    """The process and all below it."""
    found = [pid]
    for parent in found:
        found += processes.children(parent)
    return found


def tree_pss(pid):
    """Memory of the tree in kB, what is shared divided among its sharers."""
    total = 0
    for process in tree(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            total += pss(process)
    return total


def cpus():
    """The CPUs for what is measured and for what loads it; the same one if there is but one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[SERVER_CPU], usable[LOAD_CPU]


def pinned(cpu, then=None):
    """For preexec, in a session of its own: the process runs on that CPU, before all others that
    want it, as far as we may say so; then is what it does next."""

    def pin():
        os.sched_setaffinity(0, {cpu})
        processes.set_niceness(FIRST)
        if then:
            then()

    return pin


@contextlib.contextmanager
def confined(pid, cpu):
    """In the block a program that runs, the leader of its session, is as if begun pinned, with all
    that it starts."""
    before = os.sched_getaffinity(pid)
    _move(pid, {cpu}, FIRST)
    try:
        yield
    finally:
        _move(pid, before, 0)


def _move(leader, cpus, niceness):
    with contextlib.suppress(OSError):
        Path(f"/proc/{leader}/autogroup").write_text(str(niceness))
    for thread in [thread for process in tree(leader) for thread in _threads(process)]:
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(thread, cpus)


def _threads(pid):
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except FileNotFoundError:
        return []


def interleaved(rounds, programs):
    """Samples programs, from names to functions that give a number, in rounds whose order turns
    round: A B, B A, A B. Gives a list of samples for each name. Each is called once before, to warm
    up."""
    names = list(programs)
    for name in names:
        programs[name]()
    samples = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            samples[name].append(programs[name]())
    return samples
