"""Postgres: Debian's, with SCRAM passwords."""

import contextlib
import signal
import subprocess
from pathlib import Path

from . import account
from .kernel import children, client_sockets, wait_until
from .server import PASSWORDS, Server

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
RESERVED = 3  # superuser_reserved_connections, unless told.
USUAL_HBA = (
    "local all postgres trust",
    "local all all scram-sha-256",
    "host all all 127.0.0.1/32 scram-sha-256",
    "host all all ::1/128 scram-sha-256",
)


class PostgresProtocol(Server):
    """What speaks Postgres' protocol: Postgres and PgBouncer."""

    scheme = "postgres"
    database = "postgres"
    runs_as = "postgres"

    @classmethod
    def driver(cls):
        import psycopg2

        return psycopg2

    def connect(self, user="probe", password=None, *, database=None, **options):
        settings = {
            "host": self.host,
            "port": self.port,
            "user": user,
            "password": self._password(user, password),
            "dbname": database or self.database,
            "connect_timeout": 10,
        }
        return self.driver().connect(**{**settings, **options})

    def unix_url(self, user="probe", password=None, *, database=None, **params):
        params = {"host": self.folder, "port": self.port, **params}
        return self._url(user, password, "", database, params)


class Postgres(PostgresProtocol):
    """Roles: postgres (superuser, over the Unix socket, no password); probe and app, each with a
    password; app owns a schema of its own name.

    settings go to postgresql.conf; hba lines come before the usual ones of pg_hba.conf. With
    recovering it is a standby that stays closed: a login is told 57P03, and start() waits for that.
    """

    engine = "postgres"
    stop_signals = {
        "smart": signal.SIGTERM,
        "fast": signal.SIGINT,
        "immediate": signal.SIGQUIT,
    }

    def __init__(self, *, settings=None, hba=(), max_connections=30, tls=False, recovering=False):
        super().__init__(tls)
        self.settings = {"max_connections": max_connections, **(settings or {})}
        self.places = max_connections - RESERVED
        self.recovering = recovering
        self._hba = hba

    def set_hba(self, *lines):
        """Puts other lines before the usual ones of pg_hba.conf, for logins from now on."""
        self._hba = lines
        self._write_hba()
        mark = self.log_mark()
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reloading" in self.log_since(mark), f"{self.name} reloads")

    def backends(self):
        """Process ids of the client sessions, those still logging in included; from outside."""
        sockets = client_sockets(children(self.process.pid))
        return [pid for pid, count in sockets.items() if count]

    def connections(self):
        return len(self.backends())

    def close(self):
        if self.alive():
            self.stop("immediate")
        self._remove_shared_memory()
        super().close()

    @classmethod
    def initialise(cls, data):
        options = "--no-sync --auth=trust --username=postgres --encoding=UTF8 --locale=C.UTF-8"
        command = [PROGRAMS / "initdb", f"--pgdata={data}", "--wal-segsize=1", *options.split()]
        account.run(cls.runs_as, command, cls.root)

    def _prepare(self):
        self._copy_template()
        if self.tls:
            self._copy_certificates()
        if self.recovering:
            (self.data / "standby.signal").touch()
        self._write_settings()
        self._write_hba()

    def _write_settings(self):
        settings = {
            "listen_addresses": self.host,
            "port": self.port,
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "full_page_writes": "off",
            "shared_buffers": "8MB",
            "autovacuum": "off",
            "log_connections": "on",
            "log_disconnections": "on",
            "log_line_prefix": "%m [%p] %q%u@%d ",
            "hot_standby": "off" if self.recovering else "on",
            "ssl": "on" if self.tls else "off",
            "ssl_cert_file": self.folder / "server.pem",
            "ssl_key_file": self.folder / "server.key",
            **self.settings,
        }
        with (self.data / "postgresql.conf").open("a") as stream:
            stream.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def _write_hba(self):
        (self.data / "pg_hba.conf").write_text("\n".join((*self._hba, *USUAL_HBA, "")))

    def _command(self):
        return [PROGRAMS / "postgres", "-D", self.data]

    def _populate(self):
        if self.recovering:
            return
        roles = [f"CREATE ROLE {user} LOGIN PASSWORD '{word}'" for user, word in PASSWORDS.items()]
        self.sql("; ".join((*roles, "CREATE SCHEMA app AUTHORIZATION app")))

    def _admin(self):
        connection = self.connect("postgres", host=str(self.folder))
        connection.autocommit = True
        return connection

    def _sessions(self):
        return self.sql(
            "SELECT pid, usename, state, query FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )

    def _answers(self):
        if not self.recovering:
            return super()._answers()
        try:
            return super()._answers()
        except self.driver().OperationalError as error:
            return "Hot standby mode is disabled" in str(error)

    def _remove_shared_memory(self):
        """Removes the segment that a postmaster killed by SIGKILL leaves, which its pid file names."""
        with contextlib.suppress(FileNotFoundError, IndexError):
            segment = (self.data / "postmaster.pid").read_text().splitlines()[6].split()[1]
            subprocess.run(["ipcrm", "--shmem-id", segment], stderr=subprocess.DEVNULL, check=False)
