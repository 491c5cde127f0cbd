"""MariaDB: Debian's. MySQL: Debian unstable's, which needs a newer libc than ours and so runs in a
root folder of its own, made by tests/install."""

import os
import signal
from pathlib import Path

from . import account
from .server import PASSWORDS, Server
from .session import session_folder

MYSQL_ROOT = Path(os.environ.get("DBHEALTH_TEST_CACHE", "/var/cache/dbhealth-tests"), "mysql-root")


class MySqlProtocol(Server):
    """Users: root (over the Unix socket, no password); probe and app, each with a password; app may
    do all in the database app.

    settings are options of the server program; True stands for one that takes no value."""

    runs_as = "nobody"  # The packages without a service create no account.
    program = None
    no_tls = {}
    stop_signals = {"fast": signal.SIGTERM, "immediate": signal.SIGKILL}

    def __init__(self, *, settings=None, max_connections=30, tls=False):
        super().__init__(tls)
        self.settings = {"max-connections": max_connections, **(settings or {})}
        self.places = max_connections
        self.socket = self.folder / "socket"

    @classmethod
    def driver(cls):
        import pymysql

        return pymysql

    def connect(self, user="probe", password=None, *, database=None, **options):
        settings = {
            "host": self.host,
            "port": self.port,
            "user": user,
            "password": self._password(user, password),
            "database": database,
            "connect_timeout": 10,
            "read_timeout": 120,
        }
        return self.driver().connect(**{**settings, **options})

    def unix_url(self, user="probe", password=None, *, database=None, **params):
        params = {"socket": self.socket, **params}
        return self._url(user, password, "localhost", database, params)

    def status(self, name):
        """A global status counter, as a number."""
        return int(self.sql(f"SHOW GLOBAL STATUS LIKE '{name}'")[0][1])

    @classmethod
    def inside(cls, path):
        """The path as the server sees it."""
        return path

    @classmethod
    def common_options(cls, folder):
        """Options for initialising and running alike: little memory, no waiting for the disk."""
        return {
            "tmpdir": cls.inside(folder),
            "innodb-buffer-pool-size": "16M",
            "innodb-flush-method": "nosync",
            "innodb-doublewrite": "OFF",
            "skip-log-bin": True,
        }

    def _prepare(self):
        self._copy_template()
        if self.tls:
            self._copy_certificates()

    def _command(self):
        options = {
            **self.common_options(self.folder),
            "datadir": self.inside(self.data),
            "socket": self.inside(self.socket),
            "pid-file": self.inside(self.folder / "pid"),
            "bind-address": self.host,
            "port": self.port,
            "skip-name-resolve": True,
            **(self._tls_options() if self.tls else self.no_tls),
            **self.settings,
        }
        return [self.program, "--no-defaults", *_arguments(options)]

    def _tls_options(self):
        return {
            "ssl-ca": self.inside(self.folder / "ca.pem"),
            "ssl-cert": self.inside(self.folder / "server.pem"),
            "ssl-key": self.inside(self.folder / "server.key"),
        }

    def _populate(self):
        for user, password in PASSWORDS.items():
            self.sql(f"CREATE USER {user}@'%' IDENTIFIED BY '{password}'")
        self.sql("CREATE DATABASE app")
        self.sql("GRANT ALL ON app.* TO app@'%'")

    def _admin(self):
        return self.connect("root", unix_socket=str(self.socket), autocommit=True)

    def _sessions(self):
        return self.sql(
            "SELECT id, user, command, info FROM information_schema.processlist"
            " WHERE id <> connection_id() AND user NOT IN ('event_scheduler', 'system user')"
        )


class MariaDB(MySqlProtocol):
    """A MariaDB server."""

    engine = "mariadb"
    scheme = "mariadb"
    program = "/usr/sbin/mariadbd"
    no_tls = {"skip-ssl": True}

    @classmethod
    def common_options(cls, folder):
        return {**super().common_options(folder), "innodb-log-file-size": "4M"}

    @classmethod
    def initialise(cls, data):
        options = {
            **cls.common_options(data.parent),
            "datadir": data,
            "auth-root-authentication-method": "normal",
            "skip-test-db": True,
            "skip-name-resolve": True,
        }
        command = ["mariadb-install-db", "--no-defaults", *_arguments(options)]
        account.run(cls.runs_as, command, cls.root)


class MySQL(MySqlProtocol):
    """A MySQL server; users log in with caching_sha2_password."""

    engine = "mysql"
    scheme = "mysql"
    program = "/usr/sbin/mysqld"
    root = MYSQL_ROOT
    no_tls = {"tls-version": ""}

    @classmethod
    def session_folder(cls):
        if not MYSQL_ROOT.is_dir():
            raise RuntimeError(f"no MySQL in {MYSQL_ROOT}; tests/install puts it there")
        return session_folder(MYSQL_ROOT / "tmp")

    @classmethod
    def inside(cls, path):
        return Path("/", path.relative_to(MYSQL_ROOT))

    @classmethod
    def common_options(cls, folder):
        return {
            **super().common_options(folder),
            "innodb-redo-log-capacity": "8M",
            "performance-schema": "OFF",
            "mysqlx": "OFF",
            "secure-file-priv": "",
        }

    @classmethod
    def initialise(cls, data):
        options = {**cls.common_options(data.parent), "datadir": cls.inside(data)}
        command = [cls.program, "--no-defaults", "--initialize-insecure", *_arguments(options)]
        account.run(cls.runs_as, command, cls.root)


def _arguments(options):
    return [f"--{name}" if value is True else f"--{name}={value}" for name, value in options.items()]
