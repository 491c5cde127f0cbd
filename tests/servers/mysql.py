"""MariaDB: Debian's. MySQL: Debian unstable's, which needs a newer libc than ours and so runs in a
root folder of its own, made by tests/install."""

import contextlib
import signal
import subprocess
from pathlib import Path

from . import account
from .kernel import wait_until
from .server import PASSWORDS, Server
from .session import CACHE, session_folder

TOO_MANY_CONNECTIONS = 1040

REPLICATOR, REPLICATOR_PASSWORD = "replicator", "replicator-secret"
SEEN_BY_PROBE = (  # Tables of MySQL's performance_schema.
    "replication_connection_status",
    "replication_applier_configuration",
    "replication_applier_status",
    "replication_applier_status_by_coordinator",
    "replication_applier_status_by_worker",
    "replication_group_members",
)
MYSQL_ROOT = CACHE / "mysql-root"


class MySqlProtocol(Server):
    """Users: root (over the Unix socket, no password); probe, who may do what the shipped checks
    need, and app, who may do all in the database app, each with a password.

    settings are options of the server program; True stands for one that takes no value."""

    strict_settings = {"ssl-crl": "revocations.pem"}
    runs_as = "nobody"  # The packages without a service create no account.
    program = None
    client = ()  # The engine's own, with options.
    probe_grants = ()
    no_tls = {}
    stop_signals = {"fast": signal.SIGTERM, "immediate": signal.SIGKILL}
    reload_certificates = None  # A statement.
    replica = None  # How a statement about replication calls one.
    gtid_options = {}
    read_only_options = ()  # Of a replica, in the order in which they are switched on.

    def __init__(self, *, settings=None, max_connections=None, tls=False):
        super().__init__(tls)
        self.settings = {"max-connections": 30, **(settings or {})}
        if max_connections:
            self.settings["max-connections"] = max_connections
        self.places = self.settings["max-connections"]
        self.socket = self.folder / "socket"
        self._replicates = False  # Has a binary log, as primaries and replicas do.
        self._read_only = False
        self._origin = None  # Whose data it begins with, if not the template's.

    @classmethod
    def driver(cls):
        import pymysql

        return pymysql

    @classmethod
    def session_folder(cls):
        if not cls.root:
            return super().session_folder()
        if not cls.root.is_dir():
            raise RuntimeError(f"no server in {cls.root}; tests/install puts it there")
        return session_folder(cls.root / "tmp")

    @classmethod
    def inside(cls, path):
        return Path("/", path.relative_to(cls.root)) if cls.root else path

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

    def script(self, text, user="root"):
        """What the engine's own client prints when it runs the text: a line a row, with tabs."""
        login = [f"--socket={self.inside(self.socket)}", f"--user={user}"]
        if user in PASSWORDS:
            login.append(f"--password={PASSWORDS[user]}")
        return account.run(self.runs_as, [*self.client, *login, "--batch"], self.root, text)

    def replication(self):
        """What SHOW REPLICA STATUS says, by column; nothing if this is no replica."""
        with contextlib.closing(self._admin()) as connection:
            cursor = connection.cursor(self.driver().cursors.DictCursor)
            cursor.execute(f"SHOW {self.replica} STATUS")
            return cursor.fetchone() or {}

    def status(self, name):
        """A global status counter, as a number."""
        return int(self.sql(f"SHOW GLOBAL STATUS LIKE '{name}'")[0][1])

    # Replication, by GTID

    def new_replica(self, *, settings=None, **options):
        """A started server that replicates from this one and has caught up; options are the
        constructor's, and what they leave out is as here. It is a copy of this one, which the
        copying restarts."""
        options = {"tls": self.tls, **options}
        replica = type(self)(settings={**self.settings, **(settings or {})}, **options)
        replica._replicates = replica._read_only = True
        replica._origin = self
        try:
            replica.start().follow(self)
        except BaseException:
            replica.close()
            raise
        return replica

    def follow(self, primary):
        """Makes this server a replica of another, whatever it was; waits until it has caught up and
        is connected. It keeps its data: what it alone has of them is the caller's trouble."""
        self._read_only = True
        if not self.alive():
            self.start()
        self._set_read_only("ON")
        self._stop_replication()
        self._set_source(primary)
        self.sql(f"START {self.replica}")
        wait_until(
            lambda: self._is_connected() and self.caught_up(primary), f"{self.name} catches up", 30
        )

    def promote(self):
        """Makes a replica a primary that knows of no other and has all that was received; returns
        when it takes writes."""
        self.resume_replay()  # Before the other: MariaDB drops its relay log when both rest.
        self.stop_receiver()
        wait_until(self.has_applied_all, f"{self.name} applies what it has received", 30)
        self._stop_replication()
        self._read_only = False
        self._set_read_only("OFF")

    def stop_receiver(self):
        """Stops the thread that fetches changes."""
        self.sql(f"STOP {self.replica} IO_THREAD")

    def start_receiver(self):
        self.sql(f"START {self.replica} IO_THREAD")

    def pause_replay(self):
        """Stops the thread that applies changes."""
        self.sql(f"STOP {self.replica} SQL_THREAD")

    def resume_replay(self):
        self.sql(f"START {self.replica} SQL_THREAD")

    def set_delay(self, seconds):
        """Has a replica apply changes so late."""
        raise NotImplementedError

    def caught_up(self, primary):
        """Whether it has applied all that the primary has written so far."""
        raise NotImplementedError

    def has_applied_all(self):
        """Whether it has applied all that it has received."""
        raise NotImplementedError

    def _set_source(self, primary):
        raise NotImplementedError

    def _is_connected(self):
        return self.replication()[f"{self.replica.title()}_IO_Running"] == "Yes"

    def _stop_replication(self):
        self.sql(f"STOP {self.replica}")
        self.sql(f"RESET {self.replica} ALL")

    def _set_read_only(self, state):
        for name in self.read_only_options:
            self.sql(f"SET GLOBAL {name.replace('-', '_')} = {state}")

    def _create_replicator(self):
        """The user that replicas log in as."""
        self.sql(f"CREATE USER {REPLICATOR}@'%' IDENTIFIED BY '{REPLICATOR_PASSWORD}'")
        self.sql(f"GRANT REPLICATION SLAVE ON *.* TO {REPLICATOR}@'%'")

    def _copy_to(self, folder):
        """Puts a copy of our data there, and leaves us with a binary log from now on. Data that no
        server uses is the one thing that is sure to be whole."""
        if not self._replicates:
            self._create_replicator()
            self._replicates = True
        self.stop()
        self._copy(folder)
        self.start()

    def _copy(self, folder):
        subprocess.run(["cp", "-a", self.data, folder], check=True)

    @classmethod
    def common_options(cls, folder):
        """Options for initialising and running alike: little memory, no waiting for the disk."""
        return {
            "tmpdir": cls.inside(folder),
            "innodb-buffer-pool-size": "16M",
            "innodb-flush-method": "nosync",
            "innodb-doublewrite": "OFF",
        }

    def _prepare(self):
        if self._origin:
            self._origin._copy_to(self.data)
        else:
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
            **self._binlog_options(),
            **dict.fromkeys(self.read_only_options if self._read_only else (), "ON"),
            **self.settings,
        }
        return [self.program, "--no-defaults", *_arguments(options)]

    def _binlog_options(self):
        if not self._replicates:
            return {} if "log-bin" in self.settings else {"skip-log-bin": True}
        names = {"log-bin": "binlog", "relay-log": "relay", "server-id": self.port}
        return {**names, "sync-binlog": 0, "max-binlog-size": "4M", **self.gtid_options}

    def _tls_options(self):
        return {
            "ssl-ca": self.inside(self.folder / "ca.pem"),
            "ssl-cert": self.inside(self.folder / "server.pem"),
            "ssl-key": self.inside(self.folder / "server.key"),
        }

    def _reload_certificates(self):
        self.sql(self.reload_certificates)

    def _populate(self):
        if self._origin:
            return
        for user, password in PASSWORDS.items():
            self.sql(f"CREATE USER {user}@'%' IDENTIFIED BY '{password}'")
        for privilege in self.probe_grants:
            self.sql(f"GRANT {privilege} TO probe@'%'")
        self.sql("CREATE DATABASE app")
        self.sql("GRANT ALL ON app.* TO app@'%'")

    def _admin(self):
        return wait_until(self._try_admin, f"{self.name} has its administrator's place free")

    def _try_admin(self):
        """None if the server is full, administrator's place and all: who held it may just have left,
        unnoticed yet."""
        try:
            return self.connect("root", unix_socket=str(self.socket), autocommit=True)
        except self.driver().OperationalError as error:
            if error.args[0] != TOO_MANY_CONNECTIONS:
                raise
            return None

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
    client = ("mariadb", "--no-defaults", "--skip-ssl")  # From 11.4 on it asks for TLS.
    probe_grants = ("PROCESS, SLAVE MONITOR ON *.*",)
    no_tls = {"skip-ssl": True}
    reload_certificates = "FLUSH SSL"
    replica = "SLAVE"
    gtid_options = {"log-slave-updates": True}
    demotes = True  # A primary may become a replica with transactions of its own: from 10.10 on.
    read_only_options = ("read-only",)

    def set_delay(self, seconds):
        self.sql("STOP SLAVE")
        self.sql(f"CHANGE MASTER TO MASTER_DELAY = {seconds}")
        self.sql("START SLAVE")

    def caught_up(self, primary):
        written = primary.value("SELECT @@global.gtid_binlog_pos")
        return written == self.value("SELECT @@global.gtid_slave_pos")

    def has_applied_all(self):
        received = self.replication()["Gtid_IO_Pos"]
        return received in ("", self.value("SELECT @@global.gtid_slave_pos"))

    @classmethod
    def common_options(cls, folder):
        return {**super().common_options(folder), "innodb-log-file-size": "4M"}

    @classmethod
    def initialise(cls, data):
        options = {
            **cls.common_options(data.parent),
            "datadir": cls.inside(data),
            "auth-root-authentication-method": "normal",
            "skip-test-db": True,
            "skip-name-resolve": True,
            "force": True,  # Though a root folder of its own may know no host by name.
        }
        command = ["mariadb-install-db", "--no-defaults", *_arguments(options)]
        account.run(cls.runs_as, command, cls.root)

    def _populate(self):
        super()._populate()
        if self._origin and self._replicates:  # Which may have followed another one before.
            self.sql("SET GLOBAL gtid_slave_pos = @@global.gtid_binlog_pos")

    def _set_source(self, primary):
        self.sql(
            f"CHANGE MASTER TO MASTER_HOST = '{primary.host}', MASTER_PORT = {primary.port},"
            f" MASTER_USER = '{REPLICATOR}', MASTER_PASSWORD = '{REPLICATOR_PASSWORD}',"
            " MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 1,"
            " MASTER_SSL_VERIFY_SERVER_CERT = 0,"  # From MariaDB 11.3 on it is the default.
            " MASTER_USE_GTID = slave_pos" + ", MASTER_DEMOTE_TO_SLAVE = 1" * self.demotes
        )


class MySQL(MySqlProtocol):
    """A MySQL server; users log in with caching_sha2_password."""

    engine = "mysql"
    scheme = "mysql"
    program = "/usr/sbin/mysqld"
    client = ("mysql", "--no-defaults")
    probe_grants = ("PROCESS ON *.*", *(f"SELECT ON performance_schema.{t}" for t in SEEN_BY_PROBE))
    root = MYSQL_ROOT
    no_tls = {"tls-version": ""}
    reload_certificates = "ALTER INSTANCE RELOAD TLS"
    replica = "REPLICA"
    gtid_options = {"gtid-mode": "ON", "enforce-gtid-consistency": "ON"}
    read_only_options = ("read-only", "super-read-only")

    def stop(self, mode="fast", wait=True):
        """As for all; but it would wait 9 s for its replicas."""
        if mode == "fast" and self._replicates and not self._paused:
            self._hang_up_on_replicas()
        super().stop(mode, wait)

    def set_delay(self, seconds):
        self.sql("STOP REPLICA SQL_THREAD")
        self.sql(f"CHANGE REPLICATION SOURCE TO SOURCE_DELAY = {seconds}")
        self.sql("START REPLICA SQL_THREAD")

    def caught_up(self, primary):
        written = primary.value("SELECT @@global.gtid_executed")
        return self.value(f"SELECT GTID_SUBSET('{written}', @@global.gtid_executed)")

    def has_applied_all(self):
        received = self.replication()["Retrieved_Gtid_Set"]
        return self.value(f"SELECT GTID_SUBSET('{received}', @@global.gtid_executed)")

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

    def _prepare(self):
        super()._prepare()
        (self.data / "auto.cnf").unlink(missing_ok=True)  # The server's identity: each has its own.

    def _hang_up_on_replicas(self):
        for session in self.sessions():
            if session["user"] == REPLICATOR:
                with contextlib.suppress(self.driver().Error):
                    self.sql(f"KILL {session['id']}")

    def _set_source(self, primary):
        self.sql(
            f"CHANGE REPLICATION SOURCE TO SOURCE_HOST = '{primary.host}',"
            f" SOURCE_PORT = {primary.port}, SOURCE_USER = '{REPLICATOR}',"
            f" SOURCE_PASSWORD = '{REPLICATOR_PASSWORD}', GET_SOURCE_PUBLIC_KEY = 1,"
            " SOURCE_SSL = 0, SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 1000,"
            " SOURCE_HEARTBEAT_PERIOD = 1, SOURCE_AUTO_POSITION = 1"
        )


def _arguments(options):
    return [f"--{name}" if value is True else f"--{name}={value}" for name, value in options.items()]
