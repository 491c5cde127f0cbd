"""Folders of secrets, as containers are given them."""

import os


class Volume:
    """A folder of secrets as the kubelet makes them: NAME leads to ..data/NAME, and ..data to a
    folder which is exchanged as a whole."""

    def __init__(self, folder, **files):
        self._folder = folder
        self._version = 0
        folder.mkdir()
        self.write(**files)
        for name in files:
            (folder / name).symlink_to(f"..data/{name}")

    def __truediv__(self, name):
        return self._folder / name

    def write(self, **files):
        self._version += 1
        version = self._folder / f"..{self._version}"
        version.mkdir()
        for name, content in files.items():
            content = content.encode() if isinstance(content, str) else content
            (version / name).write_bytes(content)
            (version / name).chmod(0o600)
        link = self._folder / "..next"
        link.symlink_to(version.name)
        os.replace(link, self._folder / "..data")
