"""A control group of the kernel's, of either version, that bounds what its processes may use."""

import itertools
import os
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PERIOD = 100_000  # Microseconds, over which a quota of CPU time counts.

_numbers = itertools.count(1)


class Unavailable(Exception):
    """This machine, or this container, lets nobody make control groups."""


class Cgroup:
    """In a block it exists; join() is for preexec. memory is in bytes, cpu in CPUs."""

    def __init__(self, *, memory=None, cpu=None):
        self._memory = memory
        self._cpu = cpu
        self._folders = {}

    def __enter__(self):
        try:
            if self._memory is not None:
                self._bound_memory()
            if self._cpu is not None:
                self._bound_cpu()
        except OSError as error:
            self._remove()
            raise Unavailable(error) from error
        return self

    def __exit__(self, *_):
        self._remove()

    def join(self):
        for folder in self._folders.values():
            (folder / "cgroup.procs").write_text("0")

    def add(self, pid):
        """Moves a process into it."""
        for folder in self._folders.values():
            (folder / "cgroup.procs").write_text(str(pid))

    def most_memory(self):
        """Bytes, the page cache and the kernel's buffers included."""
        folder = self._folders["memory"]
        peak = folder / "memory.peak"
        return int((peak if peak.exists() else folder / "memory.max_usage_in_bytes").read_text())

    def killed(self):
        """How many processes ended for lack of memory."""
        folder = self._folders["memory"]
        events = folder / "memory.events"
        text = (events if events.exists() else folder / "memory.oom_control").read_text()
        return int(dict(line.split() for line in text.splitlines())["oom_kill"])

    def _bound_memory(self):
        self._make("memory")
        self.set_memory(self._memory)

    def set_memory(self, memory):
        """Another bound from now on, where there was one."""
        folder = self._folders["memory"]
        if (folder / "memory.max").exists():
            (folder / "memory.max").write_text(str(memory))
            return
        (folder / "memory.limit_in_bytes").write_text(str(memory))

    def _bound_cpu(self):
        self._make("cpu")
        self.set_cpu(self._cpu)

    def set_cpu(self, cpu):
        """Another bound from now on, where there was one."""
        folder = self._folders["cpu"]
        quota = int(cpu * PERIOD)
        if (folder / "cpu.max").exists():
            (folder / "cpu.max").write_text(f"{quota} {PERIOD}")
            return
        (folder / "cpu.cfs_period_us").write_text(str(PERIOD))
        (folder / "cpu.cfs_quota_us").write_text(str(quota))

    def _make(self, controller):
        unified = (ROOT / "cgroup.controllers").exists()
        parent = ROOT if unified else ROOT / controller
        if unified:
            (parent / "cgroup.subtree_control").write_text(f"+{controller}")
        folder = parent / f"dbhealth-test-{os.getpid()}-{next(_numbers)}"
        folder.mkdir()
        self._folders[controller] = folder
        return folder

    def _remove(self):
        """The folder of a group whose processes have all ended."""
        for folder in self._folders.values():
            folder.rmdir()
        self._folders = {}
