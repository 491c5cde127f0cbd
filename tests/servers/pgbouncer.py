"""PgBouncer: Debian's, in transaction mode before a Postgres."""

import signal

from .postgres import PostgresProtocol
from .server import PASSWORDS

ADMIN_PASSWORD = "console"


class PgBouncer(PostgresProtocol):
    """All its users share one pool of pool_size connections, in which they are the role app: what
    one leaves on a connection the others see. sql() talks to the admin console; connections() counts
    those to Postgres too."""

    engine = "pgbouncer"
    stop_signals = {"fast": signal.SIGTERM, "smart": signal.SIGINT}

    def __init__(self, postgres, *, pool_size=1):
        super().__init__()
        self.postgres = postgres
        self.pool_size = pool_size

    def _prepare(self):
        passwords = {**PASSWORDS, "postgres": ADMIN_PASSWORD}
        users = "".join(f'"{user}" "{password}"\n' for user, password in passwords.items())
        (self.folder / "users").write_text(users)
        (self.folder / "pgbouncer.ini").write_text(self._settings())

    def _settings(self):
        server = f"host={self.postgres.host} port={self.postgres.port}"
        return f"""\
[databases]
postgres = {server} user=app password={PASSWORDS["app"]}

[pgbouncer]
listen_addr = {self.host}
listen_port = {self.port}
unix_socket_dir = {self.folder}
auth_type = scram-sha-256
auth_file = {self.folder}/users
admin_users = postgres
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
