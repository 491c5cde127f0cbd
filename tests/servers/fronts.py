"""What may stand between an adapter and its server, beside PgBouncer: pgpool and HAProxy, Debian's;
Odyssey and MySQL Router, Debian unstable's, in a root folder of their own, made by tests/install.

    with Postgres() as server, Pgpool(server) as front:
        front.url()
"""

import contextlib
import os
import signal
from pathlib import Path

from .kernel import children, free_port
from .server import PASSWORDS, Server
from .session import session_folder

ROOT = Path(os.environ.get("DBHEALTH_TEST_CACHE", "/var/cache/dbhealth-tests"), "fronts-root")


class Front(Server):
    """Who logs in gets to the server behind. A subclass gives program and configuration."""

    runs_as = "nobody"
    stop_signals = {"fast": signal.SIGTERM}

    def __init__(self, server):
        super().__init__()
        self.server = server
        self.scheme = server.scheme
        self.database = server.database

    def driver(self):
        return self.server.driver()

    def connect(self, user="app", password=None, **options):
        return self.server.connect(user, password, **{"port": self.port, **options})

    def pause(self):
        """All its processes."""
        super().pause()
        for pid in children(self.process.pid):
            self.pause_backend(pid)

    def kill9(self):
        """Some leave processes behind when they are killed."""
        orphans = children(self.process.pid)
        self.process.kill()
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)

    def _prepare(self):
        self._config().write_text(self._settings())

    def _config(self):
        return self.folder / "config"

    def _answers(self):
        self.connect().close()
        return True

    def _settings(self):
        raise NotImplementedError


class TcpProxy(Front):
    """HAProxy, which passes bytes on."""

    engine = "haproxy"

    def _settings(self):
        return f"""\
defaults
    mode tcp
    timeout connect 1s
    timeout client 1h
    timeout server 1h
listen database
    bind {self.host}:{self.port}
    server db {self.server.host}:{self.server.port}
"""

    def _command(self):
        return ["/usr/sbin/haproxy", "-db", "-f", self._config()]


class Pgpool(Front):
    """It asks for the password itself, and logs in with it."""

    engine = "pgpool"
    runs_as = "postgres"

    def _prepare(self):
        super()._prepare()
        (self.folder / "pcp").write_text("")
        (self.folder / "hba").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        passwords = "".join(f"{user}:TEXT{word}\n" for user, word in PASSWORDS.items())
        (self.folder / "passwords").write_text(passwords)

    def _settings(self):
        return f"""\
backend_clustering_mode = 'raw'
listen_addresses = '{self.host}'
port = {self.port}
unix_socket_directories = '{self.folder}'
pcp_port = {free_port()}
pcp_socket_dir = '{self.folder}'
pid_file_name = '{self.folder}/pid'
work_dir = '{self.folder}'
backend_hostname0 = '{self.server.host}'
backend_port0 = {self.server.port}
num_init_children = 3
enable_pool_hba = on
pool_passwd = '{self.folder}/passwords'
"""

    def _command(self):
        files = ("-f", self._config(), "-F", self.folder / "pcp", "-a", self.folder / "hba")
        return ["/usr/sbin/pgpool", "-n", *files]


class InRoot(Front):
    root = ROOT

    @classmethod
    def session_folder(cls):
        if not ROOT.is_dir():
            raise RuntimeError(f"no poolers in {ROOT}; tests/install puts them there")
        return session_folder(ROOT / "tmp")

    @classmethod
    def inside(cls, path):
        return Path("/", path.relative_to(ROOT))


class Odyssey(InRoot):
    """Its users are the role app for the server."""

    engine = "odyssey"

    def _settings(self):
        users = "".join(map(self._user, PASSWORDS))
        return f"""\
daemonize no
log_to_stdout yes
log_format "%p %t %l [%i %s] (%c) %m\\n"
unix_socket_dir "{self.inside(self.folder)}"
unix_socket_mode "0644"
listen {{
    host "{self.host}"
    port {self.port}
}}
storage "server" {{
    type "remote"
    host "{self.server.host}"
    port {self.server.port}
}}
database "{self.database}" {{
{users}}}
"""

    @staticmethod
    def _user(user):
        return f"""\
    user "{user}" {{
        authentication "scram-sha-256"
        password "{PASSWORDS[user]}"
        storage "server"
        storage_user "app"
        storage_password "{PASSWORDS["app"]}"
        pool "transaction"
    }}
"""

    def _command(self):
        return ["/usr/bin/odyssey", self.inside(self._config())]


class MySqlRouter(InRoot):
    engine = "mysql-router"

    def _settings(self):
        folder = self.inside(self.folder)
        return f"""\
[DEFAULT]
logging_folder =
runtime_folder = {folder}
data_folder = {folder}

[routing:database]
bind_address = {self.host}
bind_port = {self.port}
destinations = {self.server.host}:{self.server.port}
routing_strategy = first-available
protocol = classic
"""

    def _command(self):
        return ["/usr/bin/mysqlrouter", "-c", self.inside(self._config())]
