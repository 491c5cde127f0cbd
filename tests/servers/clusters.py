"""Clusters in which every server has all data: Galera of MariaDB, group replication of MySQL.

    with Galera() as node, node.new_member() as other:
        other.kill9()  # Half is no quorum.
"""

from .kernel import free_port, wait_until
from .mysql import REPLICATOR, REPLICATOR_PASSWORD, MariaDB, MySQL

GALERA_LIBRARY = "/usr/lib/galera/libgalera_smm.so"
GROUP = "5dbea1fd-0000-4000-8000-000000000000"


class Member:
    """For a server class: the first member of a cluster, or another one of it."""

    def __init__(self, **options):
        super().__init__(**options)
        self.cluster_port = free_port()
        self.is_first = True

    def new_member(self, **options):
        """Another server in the cluster, in step with this one."""
        member = type(self)(**options)
        member.is_first = False
        member._origin = self
        try:
            member.start()
        except BaseException:
            member.close()
            raise
        return member

    def start(self):
        super().start()
        wait_until(self.in_step, f"{self.name} is in step with its cluster", 40)
        return self

    def in_step(self):
        raise NotImplementedError

    def _peer(self):
        return f"127.0.0.1:{self._origin.cluster_port if self._origin else self.cluster_port}"


class Galera(Member, MariaDB):
    """A node; the first one begins a cluster at each start. Another one is a copy of it, which
    restarts it: then nothing has to be transferred, by programs that the tests would need."""

    def in_step(self):
        return self.wsrep("local_state_comment") == "Synced"

    def wsrep(self, name):
        return self.sql(f"SHOW GLOBAL STATUS LIKE 'wsrep_{name}'")[0][1]

    def _answers(self):
        # It takes connections before its cluster lets it serve them.
        return super()._answers() and self.wsrep("ready") == "ON"

    def _copy_to(self, folder):
        self.stop()
        self._copy(folder)
        self.start()

    def _command(self):
        here = f"127.0.0.1:{self.cluster_port}"
        provider = {
            "base_host": "127.0.0.1",
            "base_port": self.cluster_port,
            "gmcast.listen_addr": f"tcp://{here}",
            "ist.recv_addr": f"127.0.0.1:{free_port()}",
            "gcache.size": "1M",
        }
        return [
            *super()._command(),
            "--wsrep-on=ON",
            f"--wsrep-provider={GALERA_LIBRARY}",
            f"--wsrep-provider-options={';'.join(f'{k}={v}' for k, v in provider.items())}",
            f"--wsrep-cluster-address=gcomm://{'' if self.is_first else self._peer()}",
            f"--wsrep-node-address={here}",
            "--binlog-format=ROW",
            "--innodb-autoinc-lock-mode=2",
        ]


class GroupMember(Member, MySQL):
    """A member of a group with one primary, the first one. Another one fetches all that the first
    has ever done."""

    def __init__(self, **options):
        super().__init__(**options)
        self._replicates = True

    def start(self):
        if not self.alive():
            MySQL.start(self)
        self.join()
        return self

    def join(self):
        """Joins the group; the first member begins it."""
        login = f"USER = '{REPLICATOR}', PASSWORD = '{REPLICATOR_PASSWORD}'"
        bootstrap = "SET GLOBAL group_replication_bootstrap_group ="
        self.sql(f"{bootstrap} {'ON' if self.is_first else 'OFF'}")
        self.sql(f"START GROUP_REPLICATION {login}")
        self.sql(f"{bootstrap} OFF")
        wait_until(self.in_step, f"{self.name} is online in its group", 40)

    def leave(self):
        self.sql("STOP GROUP_REPLICATION")

    def states(self):
        """The state of each member as this one sees it."""
        rows = self.sql("SELECT member_state FROM performance_schema.replication_group_members")
        return sorted(state for (state,) in rows)

    def in_step(self):
        return self.value(
            "SELECT member_state = 'ONLINE' FROM performance_schema.replication_group_members"
            " WHERE member_id = @@server_uuid"
        )

    def _prepare(self):
        origin, self._origin = self._origin, None  # Not a copy.
        super()._prepare()
        self._origin = origin

    def _populate(self):
        if not self.is_first:
            return
        super()._populate()
        self._create_replicator()

    def _command(self):
        options = {
            "group-name": GROUP,
            "local-address": f"127.0.0.1:{self.cluster_port}",
            "group-seeds": self._peer(),
            "start-on-boot": "OFF",
            "ip-allowlist": "127.0.0.1/8",
            "recovery-get-public-key": "ON",
            "message-cache-size": 128 << 20,  # bytes, the least
        }
        return [
            *super()._command(),
            "--plugin-load-add=group_replication.so",
            "--report-host=127.0.0.1",
            "--tls-version=TLSv1.3",  # It wants some, though it uses none.
            *(f"--loose-group-replication-{name}={value}" for name, value in options.items()),
        ]
