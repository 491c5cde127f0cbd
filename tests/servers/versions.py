"""Servers of other versions than those that all tests use. tests/install servers NAME puts one into
its cache, if it is to be had.

    kind = version("mariadb-10.5")
    if is_there(kind):
        with kind() as server:
            ..."""

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


def _postgres(major):
    base = EarlyPostgres if major < 14 else PackagedPostgres
    programs = FOLDER / f"postgres-{major}" / "native" / "bin"
    return type(f"Postgres{major}", (base,), {"version": str(major), "programs": programs})


def _mariadb(name):
    base = EarlyMariaDB if name == "10.5" else MariaDB
    return type(f"MariaDB{name}", (base,), {"version": name, "root": FOLDER / f"mariadb-{name}"})


# In the order of the table in checks/README.md.
VERSIONS = {
    **{f"postgres-{major}": _postgres(major) for major in (12, 13, 14)},
    "postgres-15": Postgres,
    **{f"postgres-{major}": _postgres(major) for major in (16, 17, 18)},
    "mariadb-10.5": _mariadb("10.5"),
    "mariadb-10.11": MariaDB,
    "mariadb-11.8": _mariadb("11.8"),
    "mysql-9": MySQL,
}


def version(name):
    """The class of servers of this version."""
    return VERSIONS[name]


def is_there(kind):
    """Whether a server of this class can be started here."""
    return (kind.programs if issubclass(kind, Postgres) else kind.root or FOLDER.parent).is_dir()
