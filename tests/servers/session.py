"""The folders of a test session: locked while it lives, and removed when it ends; if it was killed,
by the next session."""

import atexit
import contextlib
import fcntl
import functools
import os
import shutil
import signal
import tempfile
from pathlib import Path

CACHE = Path(os.environ.get("DBHEALTH_TEST_CACHE", "/var/cache/dbhealth-tests"))
MEMORY = Path("/dev/shm")
ROOM = 4 << 30  # Bytes: many times what all servers of a session have at once.


@functools.cache
def fast_folder():
    """Where files that are soon removed are best made: in memory, if that has room."""
    if MEMORY.is_mount():
        room = os.statvfs(MEMORY)
        if room.f_bavail * room.f_frsize >= ROOM:
            return MEMORY
    return Path(tempfile.gettempdir())


@functools.cache
def session_folder(parent):
    """This session's folder in parent. Removes those of sessions that have died."""
    for place in {Path(parent), MEMORY, Path(tempfile.gettempdir())}:
        for stale in place.glob("dbhealth-servers-*"):
            if _lock(stale):
                _end_processes_in(stale)
                shutil.rmtree(stale, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="dbhealth-new-", dir=parent))
    folder.chmod(0o755)
    _lock(folder)
    folder = folder.rename(str(folder).replace("dbhealth-new-", "dbhealth-servers-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _end_processes_in(folder):
    """Ends what a dead session left running in its folder: Postgres sessions that it had stopped,
    which is why they didn't follow their postmaster."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if folder in Path(os.readlink(process / "cwd")).parents:
                os.kill(int(process.name), signal.SIGKILL)


def _lock(folder):
    """Takes the folder's lock for the life of this process; false if another process holds it, or
    held it and has removed the folder."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return False
    return True
