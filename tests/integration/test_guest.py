"""The adapter as its server's guest, by the server's own counters, sessions and log: an hour of
probing, timeouts, and a shutdown. Time is compressed: nothing is cached, and probes come without a
pause. Logins that hang are in test_stopped."""

import faults
import pytest
import servers
import sql
from asking import Asking
from exposition import Metrics
from manners import polite_to, unusual
from servers import wait_until

PROBES = 360  # An hour's of each endpoint, at one in 10 s.
PROBERS = ("liveness", "main", "background")
BACKGROUND = sql.check(endpoints="none", every="1s")
OPTIONS = {  # MySQL and MariaDB are to log whatever they have to say of a connection.
    "postgres": {"hba": ("host all probe all trust",)},  # SCRAM would take most of the time.
    "mariadb": {"settings": {"log-warnings": 3}},
    "mysql": {"settings": {"log-error-verbosity": 3}},
}
KINDS = [
    pytest.param(kind, id=kind.engine, marks=pytest.mark.xdist_group(f"guest-{kind.engine}"))
    for kind in (servers.Postgres, servers.MariaDB, servers.MySQL)
]


@pytest.fixture(scope="module", params=KINDS)
def host(request):
    """A server of each engine in turn, without other guests."""
    with request.param(**OPTIONS[request.param.engine]) as server:
        yield server


def at_most(server, count):
    """In the block the server refuses the probe's user one more connection than so many."""
    if server.engine == "postgres":
        limit = "ALTER ROLE probe CONNECTION LIMIT"
        return faults.changed(server, f"{limit} {count}", f"{limit} -1")
    limit = "ALTER USER probe@'%' WITH MAX_USER_CONNECTIONS"
    return faults.changed(server, f"{limit} {count}", f"{limit} 0")


class Onlooker:
    """A session of the administrator's that sees those of the probe; in a block."""

    SEEN = {
        "postgres": "SELECT count(*) FROM pg_stat_activity WHERE usename = 'probe'",
        "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE user = 'probe'",
        "mysql": "SELECT count(*) FROM information_schema.processlist WHERE user = 'probe'",
    }

    def __init__(self, server):
        self._server = server
        self.most = 0  # Sessions that it has seen at once.

    def __enter__(self):
        self._connection = self._server._admin()
        return self

    def __exit__(self, *_):
        self._connection.close()

    def look(self):
        """How many sessions the probe has now."""
        cursor = self._connection.cursor()
        cursor.execute(self.SEEN[self._server.engine])
        count = cursor.fetchone()[0]
        self.most = max(self.most, count)
        return count


# An hour


def test_an_hour_of_probes(host, adapter, tmp_path):
    """One connection a prober and never one more, each with a goodbye, and no word in the log. A
    server may still hold the session before when a prober that needs no pause comes again, so each
    round waits until it has seen the goodbyes."""
    (tmp_path / "background.sql").write_text(BACKGROUND)
    with polite_to(host), at_most(host, len(PROBERS)), Onlooker(host) as onlooker:
        mark = host.log_mark()
        a = adapter(host.url(), DBHEALTH_CACHE="0s", DBHEALTH_CHECKS=f"library:{tmp_path}")
        for _ in range(PROBES):
            answers = [a.get_later(path) for path in ("/readyz", "/healthz")]
            onlooker.look()
            assert [answer().status for answer in answers] == [200, 200]
            wait_until(lambda: onlooker.look() == 0, "the server sees the goodbyes")
        metrics = Metrics(a.get("/metrics").body)
        a.end()
    opened = metrics.by("prober", "dbhealthd_prober_connections_opened_total")
    print(f"{host.name}: {opened}, {onlooker.most} at once")
    assert onlooker.most <= len(PROBERS)
    assert min(opened["liveness"], opened["main"]) >= PROBES and opened["background"] > 0
    assert outcomes(metrics) <= {"ok", "skipped"}
    assert unusual(host, mark) == []


def outcomes(metrics):
    """Those that there were."""
    family = "dbhealthd_check_outcomes_total"
    return {
        dict(labels)["outcome"]
        for (name, labels), count in metrics.series.items()
        if name == family and count > 0
    }


# Timeouts

# MySQL's and MariaDB's SLEEP swallows its interruption and gives 1; then the second row sees it.
TWICE = "SELECT MAX(SLEEP(600)) = 0 FROM (SELECT 1 AS n UNION SELECT 2) AS two"
SLEEP = {"postgres": "SELECT pg_sleep(600) IS NOT NULL", "mariadb": TWICE, "mysql": TWICE}


@pytest.fixture
def sleeper(host, adapter):
    """An adapter with a check that sleeps, and can't in its time."""
    slow = sql.check(SLEEP[host.engine], endpoints="slow", timeout="1s")
    checks = {"alive": sql.alive(), "accepting": sql.check(), "slow": slow}
    return adapter(host.url(), checks=checks, DBHEALTH_CACHE="0s")


def test_no_statement_runs_after_a_timeout(host, sleeper):
    """The server ends it just before our own limit, unless the machine is busy with much else."""

    def code():
        return sleeper.shown("/slow")["slow"].code

    wait_until(lambda: code() == "query_timeout", "the server ends the statement", 30)
    wait_until(lambda: not sql.sleeping(host), "it runs no more")
    wait_until(lambda: host.connections() == 0, "nor does its session stay")


def test_no_statement_runs_after_a_kill(host, sleeper):
    """A frozen server can't end it in time, so the prober is killed."""
    with Asking(sleeper, "/slow") as asking:
        wait_until(lambda: sql.sleeping(host), "the check runs")
        with faults.frozen(host):
            before = asking.count
            wait_until(lambda: asking.count > before, "there is an answer")
    assert asking.statuses == {503}
    wait_until(lambda: not sql.sleeping(host), "it runs no more")
    wait_until(lambda: host.connections() == 0, "nor does its session stay")
    wait_until(lambda: sleeper.statuses() == (200, 200, 200, 200), "it is well again")


# A shutdown


def test_a_shutdown_is_not_delayed(host, adapter):
    """Postgres' smart one waits for all sessions, so it ends only because none of ours stays."""
    a = adapter(host.url(), DBHEALTH_CACHE="0s")
    with Asking(a, "/healthz", "/readyz") as asking:
        wait_until(lambda: asking.count > 20, "they ask")
        host.stop("smart" if host.engine == "postgres" else "fast")
        before = asking.count
        wait_until(lambda: asking.count > before + 20, "they go on asking")
    host.start()
    wait_until(lambda: a.statuses() == (200, 200, 200, 200), "it is well again")
