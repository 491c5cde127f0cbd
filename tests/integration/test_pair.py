"""k8s/overlays/postgres-pair: its scripts on real servers, and what adapters beside them say."""

import shutil

import pytest
import servers
from documents import REPOSITORY
from servers import account, wait_until

PAIR = REPOSITORY / "k8s" / "overlays" / "postgres-pair"
PASSWORD = "it's a \\ secret"


class Follower(servers.Postgres):
    """A Postgres whose replicas are made by the overlay's script."""

    def _copy_upstream(self):
        run_script(self, PAIR / "standby" / "clone.sh", PGPORT=self._upstream.port)


def run_script(server, script, **variables):
    """As the container of the manifests does, but for places; gives what it printed."""
    password = server.folder / "replication-password"
    password.write_text(PASSWORD + "\n")
    account.own(server.runs_as, password)
    copied = shutil.copy(script, server.folder)
    values = {"PATH": f"{servers.postgres.PROGRAMS}:/usr/bin:/bin", "PGDATA": server.data}
    values |= {"REPLICATION_PASSWORD_FILE": password, "PRIMARY": "127.0.0.1", **variables}
    words = [f"{name}={value}" for name, value in values.items()]
    return account.run(server.runs_as, ["env", *words, "bash", copied], server.root)


@pytest.fixture
def primary(new):
    primary = new(Follower)
    script = PAIR / "primary" / "replication.sh"
    run_script(primary, script, PGHOST=primary.folder, PGPORT=primary.port)
    primary._reload()
    return primary


def test_one_is_the_primary_and_the_other_a_replica(primary, adapter):
    with primary.new_replica() as standby:
        writes, reads = adapter(primary.url()), adapter(standby.url())
        paths = ("/primary", "/replica", "/readyz")
        reads.wait_status("/replica", 200)
        assert [writes.status_of(path) for path in paths] == [200, 503, 200]
        assert [reads.status_of(path) for path in paths] == [503, 200, 200]
        primary.sql("CREATE TABLE app.sent AS SELECT 1 AS n")
        wait_until(lambda: standby.caught_up(primary), "it follows")
        assert standby.value("SELECT n FROM app.sent") == 1


def test_a_copy_is_made_once_and_whole(primary):
    with primary.new_replica() as standby:
        standby.stop("fast")
        kept = (standby.data / "PG_VERSION").stat()
        run_script(standby, PAIR / "standby" / "clone.sh", PGPORT=1)  # It asks nobody.
        assert (standby.data / "PG_VERSION").stat() == kept
        shutil.rmtree(standby.data)
        interrupted = standby.data.with_name(standby.data.name + ".new")
        interrupted.mkdir()
        account.own(standby.runs_as, interrupted)
        (interrupted / "PG_VERSION").touch()
        run_script(standby, PAIR / "standby" / "clone.sh", PGPORT=primary.port)
        assert not interrupted.exists()
        assert (standby.data / "standby.signal").exists()
