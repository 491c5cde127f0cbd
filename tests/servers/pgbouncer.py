"""PgBouncer: Debian's, before a Postgres."""

import re
import signal

from .postgres import PostgresProtocol
from .server import PASSWORDS

ADMIN_PASSWORD = "console"


class PgBouncer(PostgresProtocol):
    """All its users share one pool of pool_size connections, in which they are the role app: what
    one leaves on a connection the others see. settings go to its file and win over ours. sql() talks
    to the admin console; connections() counts those to Postgres too."""

    engine = "pgbouncer"
    stop_signals = {"fast": signal.SIGTERM, "smart": signal.SIGINT}

    def __init__(self, postgres, *, pool_size=1, tls=False, settings=None, shows=None):
        """It shows Postgres the password of app, or another one."""
        super().__init__(tls)
        self.postgres = postgres
        self.shows = shows or PASSWORDS["app"]
        self.pool_size = pool_size
        self.settings = settings or {}

    def set_password(self, word, user="probe"):
        """What the user has to show from now on."""
        self._write_users({user: word})
        self.sql("RELOAD")

    def refusals(self):
        """How many passwords it has refused."""
        return len(re.findall(r"(?:SASL|password) authentication failed \(", self.log_since()))

    def _prepare(self):
        self._write_users({})
        if self.tls:
            self._copy_certificates()
            self.settings = {
                "client_tls_sslmode": "require",
                "client_tls_cert_file": self.folder / "server.pem",
                "client_tls_key_file": self.folder / "server.key",
                **self.settings,
            }
        more = "".join(f"{name} = {value}\n" for name, value in self.settings.items())
        (self.folder / "pgbouncer.ini").write_text(self._settings() + more)

    def _write_users(self, changes):
        passwords = {**PASSWORDS, "postgres": ADMIN_PASSWORD, **changes}
        users = "".join(f'"{user}" "{password}"\n' for user, password in passwords.items())
        (self.folder / "users").write_text(users)

    def _settings(self):
        server = f"host={self.postgres.host} port={self.postgres.port}"
        return f"""\
[databases]
postgres = {server} user=app password={self.shows}

[pgbouncer]
listen_addr = {self.host}
listen_port = {self.port}
unix_socket_dir = {self.folder}
auth_type = scram-sha-256
auth_file = {self.folder}/users
admin_users = postgres
stats_users = probe
pool_mode = transaction
default_pool_size = {self.pool_size}
reserve_pool_size = 0
server_login_retry = 1
"""

    def _command(self):
        return ["/usr/sbin/pgbouncer", self.folder / "pgbouncer.ini"]

    def _admin(self):
        connection = self.connect("postgres", ADMIN_PASSWORD, database="pgbouncer")
        connection.autocommit = True
        return connection

    def _answers(self):
        return self.sql("SHOW VERSION")
