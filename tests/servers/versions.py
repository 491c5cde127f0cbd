"""Servers of other versions than those that all tests use. tests/install servers NAME puts one into
its cache, if it is to be had.

    kind = version("mariadb-10.5")
    if is_there(kind):
        with kind() as server:
            ..."""

import functools
import re
import subprocess

from .mysql import MariaDB, MySQL
from .postgres import Postgres
from .session import CACHE

FOLDER = CACHE / "servers"


class PackagedPostgres(Postgres):
    """One that comes without client programs."""

    def _copy(self, source):
        """Of a server that is stopped: that is sure to be whole."""
        source.stop()
        subprocess.run(["cp", "-a", source.data, self.data], check=True)
        source.start()


class EarlyPostgres(PackagedPostgres):
    """Before 14."""

    replay_is_paused = "SELECT pg_is_wal_replay_paused()"


class EarlyMariaDB(MariaDB):
    """Before 10.10."""

    demotes = False


@functools.cache
def release(kind):
    """What Debian's server of a class says it is: (15, 12), (11, 8)."""
    program = kind.programs / "postgres" if issubclass(kind, Postgres) else kind.program
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return tuple(map(int, re.search(r"(\d+)\.(\d+)", told.stdout).groups()))


def _postgres(major):
    if major == release(Postgres)[0]:
        return Postgres
    base = EarlyPostgres if major < 14 else PackagedPostgres
    programs = FOLDER / f"postgres-{major}" / "native" / "bin"
    return type(f"Postgres{major}", (base,), {"version": str(major), "programs": programs})


def _mariadb(name):
    if name == "{}.{}".format(*release(MariaDB)):
        return MariaDB
    base = EarlyMariaDB if name == "10.5" else MariaDB
    return type(f"MariaDB{name}", (base,), {"version": name, "root": FOLDER / f"mariadb-{name}"})


# In the order of the table in checks/README.md.
VERSIONS = {
    **{f"postgres-{major}": _postgres(major) for major in range(12, 19)},
    **{f"mariadb-{name}": _mariadb(name) for name in ("10.5", "10.11", "11.8")},
    "mysql-9": MySQL,
}


def version(name):
    """The class of servers of this version."""
    return VERSIONS[name]


def is_there(kind):
    """Whether a server of this class can be started here."""
    return (kind.programs if issubclass(kind, Postgres) else kind.root or FOLDER.parent).is_dir()
