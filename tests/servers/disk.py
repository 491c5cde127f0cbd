"""A small disk for a server's data folder: a tmpfs that only the server sees and that ends with
it."""

import ctypes
import os
import subprocess
from pathlib import Path

CLONE_NEWNS = 0x20000
MS_REC, MS_PRIVATE = 0x4000, 0x40000

_libc = ctypes.CDLL(None, use_errno=True)


def mount_over(folder, mebibytes):
    """For what runs before the server's program: the folder's contents are on a small disk then."""
    disk = folder.with_name(f"{folder.name}-disk")

    def mount():
        _check(_libc.unshare(CLONE_NEWNS))
        _check(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
        disk.mkdir(exist_ok=True)
        _mount("-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", disk)
        subprocess.run(["cp", "-a", "--sparse=never", f"{folder}/.", disk], check=True)
        _mount("--bind", disk, folder)

    return mount


class Filling:
    """In a block the disk under a server's folder is full."""

    def __init__(self, server):
        folder = Path("/", server.data.relative_to(server.root or "/"))
        self._filler = Path(f"/proc/{server.process.pid}/root{folder}", "filler")

    def __enter__(self):
        piece = bytes(1 << 20)
        try:
            with self._filler.open("wb", buffering=0) as filler:
                while filler.write(piece) == len(piece):
                    pass
        except OSError:
            pass
        return self

    def __exit__(self, *_):
        self._filler.unlink(missing_ok=True)


def _check(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)
