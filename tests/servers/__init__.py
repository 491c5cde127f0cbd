"""Real throw-away database servers for the tests and the demo.

    with Postgres(max_connections=10) as server:
        server.sql("CREATE TABLE t ()")
        with server.paused():
            ...
        with server.new_replica() as replica:
            replica.promote()
            server.follow(replica)

Each server runs on loopback with a free port, a Unix socket and a data folder of its own, copied
from a template that is initialised once per session. A server dies with the process that started
it, whatever way that one ends, and what a killed session leaves on disk the next one removes.

Needs root, since the servers refuse to run as root and are given other accounts. tests/install
installs them; nothing here reaches the network.
"""

from .account import dies_with_us
from .certificates import certificates
from .clusters import Galera, GroupMember
from .fronts import MySqlRouter, Odyssey, Pgpool, TcpProxy
from .kernel import cpu_seconds, free_port, wait_until
from .mysql import SEEN_BY_PROBE, MariaDB, MySQL
from .pgbouncer import PgBouncer
from .postgres import Postgres
from .server import PASSWORDS, running

__all__ = [
    "PASSWORDS",
    "SEEN_BY_PROBE",
    "Galera",
    "GroupMember",
    "MariaDB",
    "MySQL",
    "MySqlRouter",
    "Odyssey",
    "PgBouncer",
    "Pgpool",
    "Postgres",
    "TcpProxy",
    "certificates",
    "cpu_seconds",
    "dies_with_us",
    "free_port",
    "running",
    "wait_until",
]
