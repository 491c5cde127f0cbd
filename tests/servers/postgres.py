"""Postgres: Debian's, with SCRAM passwords."""

import contextlib
import shutil
import signal
import subprocess
from pathlib import Path

from . import account
from .kernel import children, client_sockets, wait_until
from .server import PASSWORDS, Server

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
RESERVED = 3  # superuser_reserved_connections, unless told.
USUAL_HBA = (
    "local all postgres trust",
    "local replication postgres trust",
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
    """Roles: postgres (superuser, over the Unix socket, no password); probe, who may do what the
    shipped checks need, and app, each with a password; app owns a schema of its own name, in which
    probe may use what it is given.

    settings go to postgresql.conf; hba lines come before the usual ones of pg_hba.conf. With
    recovering it is a standby that stays closed: a login is told 57P03, and start() waits for that.

    A replica is a standby that streams; any server can have one at any time, a standby too.
    """

    engine = "postgres"
    programs = PROGRAMS
    replay_is_paused = "SELECT pg_get_wal_replay_pause_state() = 'paused'"
    strict_settings = {"ssl_ca_file": "ca.pem", "ssl_crl_file": "revocations.pem"}
    stop_signals = {
        "smart": signal.SIGTERM,
        "fast": signal.SIGINT,
        "immediate": signal.SIGQUIT,
    }

    def __init__(self, *, settings=None, hba=(), max_connections=None, tls=False, recovering=False):
        super().__init__(tls)
        self.settings = {"max_connections": 30, **(settings or {})}
        if max_connections:
            self.settings["max_connections"] = max_connections
        self.places = self.settings["max_connections"] - RESERVED
        self.recovering = recovering
        self._hba = hba
        self._upstream = None  # Whom it is a standby of.
        self._slot = None  # Through which slot of that one, if any.

    def set_hba(self, *lines):
        """Puts other lines before the usual ones of pg_hba.conf, for logins from now on."""
        self._hba = lines
        self._write_hba()
        self._reload()

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
        command = [cls.programs / "initdb", f"--pgdata={data}", "--wal-segsize=1", *options.split()]
        account.run(cls.runs_as, command, cls.root)

    # Replication

    def new_replica(self, *, slot=None, settings=None, **options):
        """A started server that streams from this one and has caught up; options are the
        constructor's, and what they leave out is as here. With slot through a physical slot of that
        name, which is made."""
        options = {"hba": self._hba, "tls": self.tls, **options}
        replica = type(self)(settings={**self.settings, **(settings or {})}, **options)
        replica._slot = slot
        replica._upstream = self
        try:
            replica.start().wait_streaming()
        except BaseException:
            replica.close()
            raise
        return replica

    def follow(self, primary):
        """Makes this server a replica of another: by a new copy of that one, unless it is a standby
        that runs. Waits until it streams and has caught up."""
        self._upstream = primary
        if self.alive() and self.is_standby():
            self._make_slot()
            self._set_upstream(primary)
        else:
            if self.alive():
                self.stop("immediate")
            shutil.rmtree(self.data)
            self._prepare()
            self.start()
        self.wait_streaming()
        wait_until(lambda: self.caught_up(primary), f"{self.name} catches up", 30)

    def promote(self):
        """Makes a standby a primary with all that was received; returns when it takes writes."""
        assert self.value("SELECT pg_promote(true, 30)"), f"{self.name} is not promoted"
        self._upstream = None

    def stop_receiver(self):
        """Takes the standby's source from it, as a network that is gone would."""
        self._set_upstream(None)
        wait_until(lambda: not self.is_streaming(), f"{self.name}: the receiver ends")

    def start_receiver(self):
        self._set_upstream(self._upstream)
        self.wait_streaming()

    def pause_replay(self):
        self.sql("SELECT pg_wal_replay_pause()")
        wait_until(lambda: self.value(self.replay_is_paused), f"{self.name}: replay is paused")

    def resume_replay(self):
        self.sql("SELECT pg_wal_replay_resume()")

    def is_standby(self):
        return self.value("SELECT pg_is_in_recovery()")

    def caught_up(self, primary):
        """Whether this standby shows all that the other server does now."""
        shown = primary.value(
            "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
            " ELSE pg_current_wal_lsn() END"
        )
        return self.value(f"SELECT pg_last_wal_replay_lsn() >= '{shown}'")

    def has_applied_all(self):
        """Whether it has applied all that it has received."""
        return self.value("SELECT pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn()")

    def is_streaming(self):
        return self.value("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'")

    def wait_streaming(self):
        wait_until(self.is_streaming, f"{self.name} streams", 30)

    def _set_upstream(self, source):
        conninfo = source._conninfo() if source else ""
        self.sql(f"ALTER SYSTEM SET primary_conninfo = '{conninfo}'")
        self.sql("SELECT pg_reload_conf()")

    def _conninfo(self):
        return f"host={self.folder} port={self.port} user=postgres"

    def _copy_upstream(self):
        """Makes the data folder a copy of the upstream server's, and that of a standby."""
        source = self._upstream
        self._make_slot()
        self._copy(source)
        (self.data / "standby.signal").touch()
        with (self.data / "postgresql.auto.conf").open("a") as stream:
            stream.write(f"primary_conninfo = '{source._conninfo()}'\n")

    def _copy(self, source):
        options = f"--no-sync --checkpoint=fast --host={source.folder} --port={source.port}"
        command = [self.programs / "pg_basebackup", f"--pgdata={self.data}", "--username=postgres"]
        account.run(self.runs_as, [*command, *options.split()], self.root)

    def _make_slot(self):
        if self._slot:
            self._upstream.sql(
                f"SELECT pg_create_physical_replication_slot('{self._slot}') WHERE NOT EXISTS"
                f" (SELECT FROM pg_replication_slots WHERE slot_name = '{self._slot}')"
            )

    # Start

    def _prepare(self):
        if self._upstream:
            self._copy_upstream()
        else:
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
            "shared_buffers": "8MB",
            "dynamic_shared_memory_type": "mmap",  # In its folder, which goes when it is killed.
            "autovacuum": "off",
            "password_encryption": "scram-sha-256",  # Before 14 the default is another.
            "log_connections": "on",
            "log_disconnections": "on",
            "log_line_prefix": "%m [%p] %q%u@%d ",
            "hot_standby": "off" if self.recovering else "on",
            "ssl": "on" if self.tls else "off",
            "ssl_cert_file": self.folder / "server.pem",
            "ssl_key_file": self.folder / "server.key",
            "wal_retrieve_retry_interval": "100ms",
            "primary_slot_name": self._slot or "",
            **self.settings,
        }
        with (self.data / "postgresql.conf").open("a") as stream:
            stream.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def _write_hba(self):
        (self.data / "pg_hba.conf").write_text("\n".join((*self._hba, *USUAL_HBA, "")))

    def _reload(self):
        mark = self.log_mark()
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reloading" in self.log_since(mark), f"{self.name} reloads")

    _reload_certificates = _reload

    def _command(self):
        return [self.programs / "postgres", "-D", self.data]

    def _populate(self):
        if self.recovering or self._upstream:
            return
        roles = [f"CREATE ROLE {user} LOGIN PASSWORD '{word}'" for user, word in PASSWORDS.items()]
        grant = "GRANT pg_read_all_stats TO probe"
        schema = "CREATE SCHEMA app AUTHORIZATION app; GRANT USAGE ON SCHEMA app TO probe"
        self.sql("; ".join((*roles, grant, schema)))

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
