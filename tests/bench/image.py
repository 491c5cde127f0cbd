"""The image's root folder, made of a build as the Dockerfile makes it, but in a folder: programs
stripped, and with them each shared object that they load."""

import functools
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@functools.cache
def image(bench):
    """The image of the build under measurement; made once in a run."""
    return Image(bench)


class Image:
    def __init__(self, bench):
        self.root = bench.folder("image")
        install = ["cmake", "--install", bench.build, "--prefix=/usr", "--component=programs"]
        environment = {**os.environ, "DESTDIR": str(self.root)}
        subprocess.run(
            [*install, "--strip"], env=environment, stdout=subprocess.DEVNULL, check=True
        )
        compiler = {**os.environ, "CC": "gcc"}
        subprocess.run([ROOT / "src" / "image" / "collect", self.root], env=compiler, check=True)
        self.program = self.root / "usr" / "bin" / "dbhealthd"

    def programs(self):
        """Their files."""
        return [self.program, *(self.root / "usr" / "libexec" / "dbhealthd").iterdir()]

    def shared_objects(self):
        return [path for path in self.files() if ".so" in path.suffixes]

    def files(self):
        """All that is in it."""
        return [path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink()]

    def environment(self):
        """Has its programs load the image's objects instead of this machine's."""
        [libc] = [path for path in self.shared_objects() if path.name == "libc.so.6"]
        return {"LD_LIBRARY_PATH": str(libc.parent)}


def size(paths):
    """In bytes."""
    return sum(path.stat().st_size for path in paths)
