"""A folder as the kubelet fills it from a ConfigMap or Secret, and changes it: its AtomicWriter.

Each file is a link into `..data`, which is a link to a folder of that version; a new version is
complete before the link to it is renamed into place."""

import itertools
import os
import shutil

_numbers = itertools.count(1)


class Volume:
    def __init__(self, folder, files):
        self.folder = folder
        folder.mkdir()
        self.write(files)

    def __truediv__(self, name):
        return self.folder / name

    def write(self, files):
        """files: from names to bytes or text."""
        version = self.folder / f"..2026_01_01_00_00_00.{next(_numbers)}"
        version.mkdir()
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (version / name).write_bytes(data)
            (version / name).chmod(0o600)  # Or libpq takes no key from it.
        before = self.folder / "..data"
        earlier = before.resolve() if before.exists() else None
        link = self.folder / "..data_tmp"
        link.symlink_to(version.name)
        os.rename(link, before)
        for name in files:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        for path in self.folder.iterdir():
            if not path.name.startswith("..") and path.name not in files:
                path.unlink()
        if earlier:
            shutil.rmtree(earlier)
