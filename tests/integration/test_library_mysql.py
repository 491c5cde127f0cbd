"""The shipped checks of MySQL and MariaDB, on real servers, as the user that `dbhealthd grants`
makes and as no other: each once passing and once made to fail; roles and lag of a pair that is
broken step by step; clusters that lose their quorum."""

import contextlib
import json
import re
import time
from pathlib import Path

import pytest
import servers
from program import Program
from servers import wait_until

FOLDER = Path(__file__).resolve().parents[2] / "checks" / "mysql"
USER, PASSWORD = "checker", "checker-secret"
OPTIONAL = "write slow-statements long-sessions long-sessions-raw"
KINDS = {kind.engine: kind for kind in (servers.MariaDB, servers.MySQL)}
LOGGING = {"log-bin": "binlog", "server-id": 1, "performance-schema": "ON"}
QUICK = {"DBHEALTH_CACHE": "100ms"}
AN_HOUR_AHEAD = "SET timestamp = UNIX_TIMESTAMP() + 3600"


def group(name, engine):
    """What uses one server, or one pair, stays with one worker."""
    return pytest.param(engine, id=engine, marks=pytest.mark.xdist_group(f"{name}-{engine}"))


# The probe user


def shipped():
    return {path.stem: path.read_text() for path in FOLDER.glob("*.sql")}


def grant(server, program):
    """Makes the user as an administrator would, by the engine's own client."""
    ended = program.run("grants", DATABASE_URL=url_of(server), DBHEALTH_ENABLE=OPTIONAL)
    assert (ended.status, ended.errors) == (0, "")
    server.script(ended.output.replace("'...'", f"'{PASSWORD}'"))


def url_of(server):
    return server.url(USER, PASSWORD)


@pytest.fixture(scope="module")
def program(build_dir):
    return Program(build_dir)


@pytest.fixture
def check(program):
    """check(server, name) runs a check once; gives verdict and detail. Words in capitals are
    variables of its environment."""

    def run(server, name, **environment):
        words = ("check", name, "--timeout", environment.pop("timeout", "10s"), "--deadline", "20s")
        environment = {"DATABASE_URL": url_of(server), "DBHEALTH_ENABLE": OPTIONAL, **environment}
        return program.run(*words, **environment).row(name)

    return run


@pytest.fixture
def serve(adapter):
    """serve(server) starts an adapter with the library."""
    return lambda server, **options: adapter(url_of(server), **{**QUICK, **options})


# A server that stands alone


@pytest.fixture(scope="module", params=[group("library", engine) for engine in KINDS])
def alone(request, program):
    """Its machine is far from Greenwich, and its sessions have yet another time zone."""
    server = KINDS[request.param](settings={**LOGGING, "default-time-zone": "-05:00"})
    server.zone = "EAST-09"
    with server:
        server.sql("CREATE TABLE app.t (n int PRIMARY KEY)")
        server.sql("INSERT INTO app.t VALUES (1), (2)")
        grant(server, program)
        yield server


def test_the_user_has_no_right_that_is_not_for_a_check(alone):
    rows = alone.sql(f"SHOW GRANTS FOR {USER}@'127.0.0.1'")
    given = {re.sub(r" TO .*", "", row[0].replace("`", "")) for row in rows}
    seen = servers.SEEN_BY_PROBE if alone.engine == "mysql" else ()
    seen = (*seen, "events_statements_summary_by_digest", "events_statements_current", "threads")
    assert given == {
        "GRANT PROCESS ON *.*" if alone.engine == "mysql" else "GRANT PROCESS, SLAVE MONITOR ON *.*",
        *(f"GRANT SELECT ON performance_schema.{table}" for table in seen),
        "GRANT SELECT, INSERT, UPDATE ON dbhealthd.written",
        "GRANT EXECUTE ON PROCEDURE dbhealthd.write",
    }


def test_grants_work_whatever_the_mode_of_sql(program, check, alone):
    mode = "ORACLE" if alone.engine == "mariadb" else "ANSI,NO_BACKSLASH_ESCAPES"
    alone.sql(f"DROP USER {USER}@'127.0.0.1'")
    alone.sql("DROP DATABASE dbhealthd")
    with setting(alone, "sql_mode", f"'{mode}'"):
        grant(alone, program)
        assert check(alone, "write") == ("pass", "")


FOR_MARIADB = "galera primary-mariadb read-only-mariadb replica-mariadb replica-writable-mariadb"
FOR_MYSQL = "group-replication primary-mysql read-only-mysql replica-mysql"
SKIPPED = {  # Why, on a server that stands alone, is no part of any cluster and takes writes.
    "mysql": {
        "group-replication": "in_group 0 == 0",
        "read-only-mysql": "channels 0 == 0",
        "replica-mysql": "channels 0 == 0",
        **dict.fromkeys(FOR_MARIADB.split(), "it is for mariadb"),
    },
    "mariadb": {
        "galera": "in_cluster 0 == 0",
        "read-only-mariadb": "rows 0 == 0",
        "replica-mariadb": "rows 0 == 0",
        "replica-writable-mariadb": "running_replicas 0 == 0",
        **dict.fromkeys(FOR_MYSQL.split(), "it is for mysql"),
    },
}


def test_a_server_alone_passes_or_skips_every_check(program, alone):
    words = {"DATABASE_URL": url_of(alone), "DBHEALTH_ENABLE": OPTIONAL}
    alone.sql("SET GLOBAL binlog_expire_logs_seconds = 604800")
    ended = program.run("check", "--timeout", "10s", "--deadline", "20s", **words)
    for name in shipped():
        reason = SKIPPED[alone.engine].get(name)
        if reason is None:
            assert (name, *ended.row(name)) == (name, "pass", "")
        else:
            detail = f"not meant for this server ({reason})"
            assert (name, *ended.row(name)) == (name, "skipped", detail)


def test_each_file_runs_unchanged_in_the_engines_own_client(alone):
    """What is for the other product need not."""
    for text in shipped().values():
        flavor = re.search(r"^-- flavor: +(.*)$", text, re.MULTILINE)
        if not flavor or alone.engine in flavor[1]:
            alone.script(text)


# Each check is made to fail


@contextlib.contextmanager
def session(server, *statements, user="app"):
    """In the block somebody is logged in who has run these."""
    login = {"unix_socket": str(server.socket)} if user == "root" else {}
    with contextlib.closing(server.connect(user, database="app", **login)) as connection:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        yield connection


@contextlib.contextmanager
def setting(server, name, value):
    before = server.value(f"SELECT @@global.{name}")
    server.sql(f"SET GLOBAL {name} = {value}")
    try:
        yield
    finally:
        before = before if isinstance(before, int) else f"'{before}'"
        server.sql(f"SET GLOBAL {name} = {before}")


def an_hour_later(server):
    """In the block it is an hour later for those who log in, administrators not."""
    return setting(server, "init_connect", f"'{AN_HOUR_AHEAD}'")


def transaction(*statements):
    return lambda server: session(server, "START TRANSACTION", *statements)


@contextlib.contextmanager
def prepared_transaction(server):
    """One that waits for its second phase, and whose session has ended."""
    update = "UPDATE t SET n = 3 WHERE n = 2"
    with session(server, "XA START 'x'", update, "XA END 'x'", "XA PREPARE 'x'"):
        pass
    wait_until(lambda: server.sql("XA RECOVER"), "it is prepared")
    try:
        yield
    finally:
        server.sql("XA ROLLBACK 'x'")


@contextlib.contextmanager
def nearly_full(server):
    wait_until(lambda: server.connections() == 0, "earlier sessions end")
    with contextlib.ExitStack() as stack:
        for _ in range(server.places - 2):
            stack.enter_context(session(server))
        yield


@contextlib.contextmanager
def old_versions(server):
    with session(server, "START TRANSACTION WITH CONSISTENT SNAPSHOT"):
        for _ in range(3):
            server.sql("UPDATE app.t SET n = n + 10 ORDER BY n DESC")
            server.sql("UPDATE app.t SET n = n - 10 ORDER BY n")
        yield


@contextlib.contextmanager
def row_lock_wait(server):
    with transaction("SELECT n FROM t FOR UPDATE")(server), later(server, "DELETE FROM t"):
        yield


@contextlib.contextmanager
def table_lock_wait(server):
    with transaction("SELECT n FROM t")(server), later(server, "ALTER TABLE t COMMENT 'x'"):
        yield


@contextlib.contextmanager
def later(server, statement, *before):
    """In the block a session waits for the end of the statement; it is killed then."""
    with session(server, *before) as connection:
        connection._execute_command(3, statement)  # COM_QUERY, whose answer nobody reads.
        try:
            yield
        finally:
            server.sql(f"KILL {connection.thread_id()}")


def locked_account(server):
    user = f"ALTER USER {USER}@'127.0.0.1' ACCOUNT"
    return changed(server, f"{user} LOCK", f"{user} UNLOCK")


@contextlib.contextmanager
def changed(server, statement, back):
    server.sql(statement)
    try:
        yield
    finally:
        server.sql(back)


def locked_table(server):
    """For writers, by someone who reads: a backup, say."""
    return session(server, "LOCK TABLES dbhealthd.written READ", user="root")


LOCK_FAILS = {"MAX_LOCK_WAIT_SECONDS": "0"}
FAULTS = [  # Check, fault, variables, verdict and what is said.
    ("alive", lambda s: s.paused(), {"timeout": "300ms"}, "fail", "timeout: .*"),
    ("accepting", locked_account, {}, "fail", "denied: .*"),
    ("alive", locked_account, {}, "warn", "denied: .*"),
    ("connections", nearly_full, {}, "fail", r"used_ratio .+ > 0\.95"),
    ("connections", nearly_full, {"MAX_CONNECTIONS_RATIO": "2"}, "warn", r"used_ratio .+ > 0\.8"),
    (
        "oldest-transaction",
        transaction("SELECT n FROM t"),
        {"MAX_TRANSACTION_SECONDS": "0"},
        "fail",
        r"oldest_transaction_seconds \d+ > 0",
    ),
    (
        "oldest-transaction",
        transaction("SELECT n FROM t"),
        {"MAX_IDLE_TRANSACTION_SECONDS": "0"},
        "fail",
        r"longest_idle_transaction_seconds \d+ > 0",
    ),
    (
        "oldest-transaction",
        prepared_transaction,
        {"WARN_IDLE_TRANSACTION_SECONDS": "0"},
        "warn",
        r"longest_idle_transaction_seconds \d+ > 0",
    ),
    ("history", old_versions, {"MAX_HISTORY": "5"}, "fail", r"history_length \d+ > 5"),
    ("history", old_versions, {"WARN_HISTORY": "5"}, "warn", r"history_length \d+ > 5"),
    ("lock-waits", row_lock_wait, LOCK_FAILS, "fail", r"longest_wait_seconds \d+ > 0"),
    ("lock-waits", table_lock_wait, LOCK_FAILS, "fail", r"longest_wait_seconds \d+ > 0"),
    ("lock-waits", table_lock_wait, {"WARN_LOCK_WAITERS": "0"}, "warn", r"waiting_sessions 1 > 0"),
    (
        "binlogs",
        lambda s: setting(s, "binlog_expire_logs_seconds", 0),
        {},
        "warn",
        "purged 0 == 0",
    ),
    (
        "binlogs",
        lambda s: setting(s, "binlog_expire_logs_seconds", 3600),
        {},
        "warn",
        "retention_seconds 3600 < 86400",
    ),
    ("write", locked_table, {}, "fail", "query_timeout: .*"),
    ("write", old_versions, {"WARN_WRITE_SECONDS": "0"}, "warn", r"write_seconds 0\.\d{6} > 0"),
    ("write", lambda s: setting(s, "read_only", 1), {}, "skipped", ".*writable 0 == 0.*"),
    ("primary", lambda s: setting(s, "read_only", 1), {}, "skipped", ".*writable 0 == 0.*"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault[0])
def test_a_check_fails_while_its_fault_lasts(check, alone, fault):
    name, cause, variables, verdict, said = fault
    name = f"primary-{alone.engine}" if name == "primary" else name
    with setting(alone, "binlog_expire_logs_seconds", 604800):
        assert check(alone, name)[0] == "pass"
        with cause(alone):
            wait_seen(lambda: check(alone, name, **variables), verdict, said)
        wait_seen(lambda: check(alone, name), "pass", "")


def wait_seen(look, verdict, said):
    """Waits until look() gives this verdict, and a detail as said. InnoDB goes on showing the same
    to those who look at its transactions more often than each 0.1 s."""
    seen = [None, ""]

    def is_seen():
        seen[:] = look()
        return seen[0] == verdict and re.fullmatch(said, seen[1])

    with contextlib.suppress(TimeoutError):
        wait_until(is_seen, "", pause=0.15)
    assert seen[0] == verdict and re.fullmatch(said, seen[1]), seen


def test_mysql_may_be_told_not_to_purge(check, alone):
    if alone.engine == "mysql":
        with setting(alone, "binlog_expire_logs_auto_purge", 0):
            assert check(alone, "binlogs") == ("warn", "purged 0 == 0")


ELSEWHERE = {  # What is made to fail by the tests below.
    *("galera", "group-replication", "primary-mariadb", "primary-mysql"),
    *("read-only-mariadb", "read-only-mysql"),
    *("replica-mariadb", "replica-mysql", "replica-writable-mariadb"),
    "slow-statements",
}
NEVER = {"long-sessions", "long-sessions-raw"}  # They judge nothing.


def test_every_check_is_made_to_fail():
    assert {name for name, *_ in FAULTS} - {"primary"} | ELSEWHERE | NEVER == shipped().keys()


# Reports


def rows_of(adapter, check):
    return [line for line in adapter.output() if line["check"] == check]


def test_slow_statements_are_logged(serve, alone):
    """The one of ten, the server's own start among them, that took the longest."""
    alone.sql("SELECT SLEEP(2) AS slept, 'a secret'")
    a = serve(alone, DBHEALTH_ENABLE="slow-statements")

    def slept():
        return [row for row in rows_of(a, "slow-statements") if "slept" in row["statement"]]

    [row] = wait_until(slept, "it reports")
    assert (row["calls"], row["errors"]) == ("1", "0")
    assert 2 <= float(row["total_seconds"]) < 20
    assert "secret" not in a.log_text() and "secret" not in str(a.output())


SECRETIVE = (
    "ALTER USER app@'%' IDENTIFIED BY 'app-secret'",
    "/* app-secret */ SET PASSWORD FOR app@'%' = {} -- app-secret",
    "SELECT 'app-secret', \"app-secret\", 4711",
)


@pytest.mark.parametrize("statement", SECRETIVE)
def test_no_secret_is_in_a_digest(alone, statement):
    """By the statement of the check itself: what is slow is chance."""
    table = "performance_schema.events_statements_summary_by_digest"
    alone.sql(f"TRUNCATE TABLE {table}")
    word = "'app-secret'" if alone.engine == "mysql" else "PASSWORD('app-secret')"
    alone.sql(statement.format(word))
    seen = alone.sql(f"SELECT digest_text FROM {table}")
    assert any(statement.split("*/ ")[-1].split()[0] in text for (text,) in seen if text)
    assert "app-secret" not in str(seen) and "4711" not in str(seen)


def test_long_sessions_are_logged(serve, alone):
    with an_hour_later(alone), transaction("SELECT n FROM t")(alone):
        wait_known(alone)
        a = serve(alone, DBHEALTH_ENABLE="long-sessions")
        wait_until(lambda: rows_of(a, "long-sessions"), "it reports")
        [row] = rows_of(a, "long-sessions")
        assert (row["user_name"], row["database_name"], row["command"]) == ("app", "app", "Sleep")
        assert row["client"] == "127.0.0.1"
        assert 3600 <= int(row["transaction_seconds"]) < 3700


def wait_known(server):
    """InnoDB shows its transactions as they were 0.1 s ago: waits until ours is among them."""
    session = "JOIN information_schema.processlist ON id = trx_mysql_thread_id WHERE user = 'app'"
    known = f"SELECT COUNT(*) FROM information_schema.innodb_trx {session}"
    wait_until(lambda: server.value(known), "the transaction is known", pause=0.15)


def test_what_long_sessions_do_is_shown_without_its_constants(serve, alone):
    begin = ("START TRANSACTION", "SELECT n FROM t")
    statement = "/* hidden */ SELECT SLEEP(60), 'hidden'"
    sleeping = "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep'"
    with an_hour_later(alone), later(alone, statement, *begin):
        wait_until(lambda: alone.value(sleeping), "the statement runs")
        wait_known(alone)
        a = serve(alone, DBHEALTH_ENABLE="long-sessions long-sessions-raw")
        [raw] = wait_until(lambda: rows_of(a, "long-sessions-raw"), "it reports")
        [row] = wait_until(lambda: rows_of(a, "long-sessions"), "it reports")
    shown = {"mysql": "SELECT `SLEEP` (?) , ?", "mariadb": "SELECT SLEEP"}
    assert row["statement"] == shown[alone.engine]
    assert ("digest" in row) == (alone.engine == "mysql")
    assert (raw["id"], raw["statement"]) == (row["id"], statement)


def test_without_statistics_the_report_warns(check, pair):
    assert check(pair[0], "slow-statements") == ("warn", "rows 0 == 0")


# A pair

LAG_SHOWN = r"(?:lag_seconds|Seconds_Behind_Master) ([\d.]+) > 1"
NO_LAG = "/replica?max_lag_seconds=0"


@pytest.fixture(scope="module", params=[group("library-pair", engine) for engine in KINDS])
def pair(request, program):
    """The primary's performance_schema is off, which matters for MySQL, and the replica's is on."""
    with KINDS[request.param]() as primary:
        primary.sql("CREATE TABLE app.t (n int)")
        grant(primary, program)
        noticing = f"{primary.replica.lower()}-net-timeout"  # Of a source that says nothing.
        settings = {"performance-schema": "ON", noticing: 4}
        with primary.new_replica(settings=settings) as replica:
            yield primary, replica


@pytest.fixture
def watched(pair, serve):
    """The pair, a Watch each."""
    return [Watch(server, serve(server, MAX_LAG_SECONDS="1")) for server in pair]


class Watch:
    """A server and the adapter beside it."""

    primary = {"/primary": 200, "/replica": 503, "/read-only": 200, "/readyz": 200}
    replica = {"/primary": 503, "/replica": 200, "/read-only": 200, "/readyz": 200}
    unfit = {"/primary": 503, "/replica": 503, "/read-only": 503, "/readyz": 200}
    dead = {"/primary": 503, "/replica": 503, "/read-only": 503, "/readyz": 503}

    def __init__(self, server, adapter):
        self.server = server
        self.adapter = adapter

    def is_seen_as(self, role, limit=20):
        """In the end."""
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: self.roles() == role, "", limit)
        assert self.roles() == role, self.adapter.get("/replica?verbose").body
        return True

    def roles(self):
        return {path: self.adapter.status_of(path) for path in Watch.primary}

    def lag(self):
        """As it is shown while it is too much, else 0."""
        said = re.fullmatch(LAG_SHOWN, self.replica_line().detail)
        return float(said[1]) if said else 0

    def weight(self):
        """As HAProxy's agent checks may be told it; MariaDB shows no lag to a query."""
        checks = json.loads(self.adapter.get("/replica?format=json").body)["checks"]
        [values] = [check["values"] for check in checks[f"replica-{self.server.engine}"]]
        return {value["name"]: value["observedValue"] for value in values}.get("weight_percent")

    def replica_line(self):
        return self.adapter.shown("/replica")[f"replica-{self.server.engine}"]


def test_an_idle_pair(watched):
    """Its lag is 0, however long ago the last change was."""
    primary, replica = watched
    primary.server.sql("INSERT INTO app.t VALUES (1)")
    wait_until(lambda: replica.server.caught_up(primary.server), "it catches up")
    assert primary.is_seen_as(Watch.primary) and replica.is_seen_as(Watch.replica)
    replica.adapter.wait_status(NO_LAG, 200)
    assert replica.weight() == (None if replica.server.engine == "mariadb" else 100)
    began = time.monotonic()
    while time.monotonic() - began < 2:
        assert replica.adapter.status_of(NO_LAG) == 200
    assert primary.replica_line().verdict == "skipped"
    assert {line["to"] for line in replica.adapter.transitions()} == {"pass", "skipped"}


def stopped_receiver(server):
    server.stop_receiver()
    return server.start_receiver


def paused_replay(server):
    server.pause_replay()
    return server.resume_replay


STATES = {  # What is shown of a replica.
    (stopped_receiver, "mysql"): "receiver OFF != 'ON'",
    (stopped_receiver, "mariadb"): "Slave_IO_Running No != 'Yes'",
    (paused_replay, "mysql"): "applier OFF != 'ON'",
    (paused_replay, "mariadb"): "Slave_SQL_Running No != 'Yes'",
}


@pytest.mark.parametrize("stop", (stopped_receiver, paused_replay))
def test_a_replica_that_stops(watched, stop):
    primary, replica = watched
    assert replica.is_seen_as(Watch.replica)
    start = stop(replica.server)
    try:
        assert replica.is_seen_as(Watch.unfit)
        assert replica.replica_line().detail == STATES[stop, replica.server.engine]
        assert primary.is_seen_as(Watch.primary)
    finally:
        start()
    assert replica.is_seen_as(Watch.replica)


def lag_is_seen(primary, replica):
    """What the primary does is not to be seen on the replica for seconds: /replica says so, and
    /readyz does not care. What is done later does not hide how late the rest is."""
    insert = "INSERT INTO app.t VALUES (1)"
    primary.server.sql(insert)
    assert replica.is_seen_as(Watch.unfit)
    wait_until(lambda: primary.server.sql(insert) == [] and replica.lag() > 2, "the lag grows")
    assert replica.adapter.status_of("/replica?max_lag_seconds=3600") == 200
    assert replica.server.engine == "mariadb" or 0 < replica.weight() <= 50
    assert primary.is_seen_as(Watch.primary)
    return True




def test_a_replica_that_lags(watched):
    """It waits for a lock."""
    primary, replica = watched
    assert replica.is_seen_as(Watch.replica)
    with session(replica.server, "LOCK TABLES t READ", user="root"):
        assert lag_is_seen(primary, replica)
    assert replica.is_seen_as(Watch.replica)


def test_a_replica_that_is_told_to_lag(watched):
    primary, replica = watched
    with delay(replica.server, 3600):
        assert replica.is_seen_as(Watch.replica)  # It has all.
        assert lag_is_seen(primary, replica)
    assert replica.is_seen_as(Watch.replica)


@contextlib.contextmanager
def delay(server, seconds):
    server.set_delay(seconds)
    try:
        yield
    finally:
        server.set_delay(0)


def test_a_replica_that_takes_writes(watched, check):
    """It is a primary as well, for all that the server knows."""
    _, replica = watched
    both = {**Watch.primary, "/replica": 200}
    name = {"mysql": "replica-mysql", "mariadb": "replica-writable-mariadb"}[replica.server.engine]
    with setting(replica.server, "read_only", 0):
        assert replica.is_seen_as(both)
        assert check(replica.server, name) == ("warn", "read_only 0 == 0")
    assert replica.is_seen_as(Watch.replica)


def test_a_replica_that_can_not_connect(watched):
    primary, replica = watched
    primary.server.sql("ALTER USER replicator@'%' ACCOUNT LOCK")
    try:
        replica.server.stop_receiver()
        replica.server.start_receiver()
        assert replica.is_seen_as(Watch.unfit)
        assert re.search("(?i) connecting != ", replica.replica_line().detail)
    finally:
        primary.server.sql("ALTER USER replicator@'%' ACCOUNT UNLOCK")
    assert replica.is_seen_as(Watch.replica)


def test_a_primary_that_freezes(watched):
    """Its connections stay as they are. The replica notices by its net_timeout."""
    primary, replica = watched
    assert replica.is_seen_as(Watch.replica)
    with primary.server.paused():
        assert replica.is_seen_as(Watch.unfit, 20)
        assert re.search("(?i) connecting != ", replica.replica_line().detail)
    assert replica.is_seen_as(Watch.replica, 20)


def test_a_second_source(pair, check):
    """Of several MySQL's worst counts; of MariaDB's one is seen, and it says so."""
    _, replica = pair
    add, remove = SECOND_SOURCE[replica.engine]
    with changed(replica, add, remove):
        verdict, detail = check(replica, f"replica-{replica.engine}")
        if replica.engine == "mysql":
            assert (verdict, detail) == ("fail", "receiver OFF != 'ON'")
        else:
            assert (verdict, detail) in (
                ("warn", "rows 2 > 1"),
                ("fail", "Slave_IO_Running No != 'Yes'"),
            )


SECOND_SOURCE = {
    "mysql": (
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'nowhere.invalid' FOR CHANNEL 'second'",
        "RESET REPLICA ALL FOR CHANNEL 'second'",
    ),
    "mariadb": (
        "CHANGE MASTER 'second' TO MASTER_HOST = 'nowhere.invalid'",
        "RESET SLAVE 'second' ALL",
    ),
}


def test_a_failover_and_back(watched):
    """The primary dies; its replica is promoted; it comes back as the replica of that."""
    primary, replica = watched
    wait_until(lambda: replica.server.caught_up(primary.server), "nothing can get lost")
    primary.server.kill9()
    assert primary.is_seen_as(Watch.dead)
    assert replica.is_seen_as(Watch.unfit)
    replica.server.promote()
    assert replica.is_seen_as(Watch.primary)
    assert replica.replica_line().verdict == "skipped"
    primary.server.follow(replica.server)
    assert primary.is_seen_as(Watch.replica)
    with session(primary.server, "LOCK TABLES t READ", user="root"):
        assert lag_is_seen(replica, primary)
    assert primary.is_seen_as(Watch.replica)
    wait_until(lambda: primary.server.caught_up(replica.server), "nothing can get lost")
    primary.server.promote()
    replica.server.follow(primary.server)
    assert primary.is_seen_as(Watch.primary) and replica.is_seen_as(Watch.replica)


@contextlib.contextmanager
def circle(active, passive):
    """In the block the active one follows the passive one too."""
    active._set_source(passive)
    active.sql(f"START {active.replica}")
    wait_until(active._is_connected, "it follows the other")
    try:
        yield
    finally:
        active._stop_replication()


def test_two_that_follow_each_other(watched):
    """The passive one, which is read-only, dies: readers may go on where writers may."""
    active, passive = watched
    both = {**Watch.primary, "/replica": 200}
    with circle(active.server, passive.server):
        assert active.is_seen_as(both) and passive.is_seen_as(Watch.replica)
        passive.server.kill9()
        try:
            assert active.is_seen_as(Watch.primary)
            assert active.replica_line().verdict == "failed"
            assert passive.is_seen_as(Watch.dead)
            with setting(active.server, "read_only", 1):  # Now it is a replica without its source.
                assert active.is_seen_as(Watch.unfit)
        finally:
            passive.server.start()
        assert active.is_seen_as(both, 30) and passive.is_seen_as(Watch.replica, 30)


def test_the_rules_and_statements_of_a_replica_and_of_readers_are_the_same():
    files = shipped()
    for engine in KINDS:
        replica, readers = (
            set(files[f"{name}-{engine}"].splitlines()) for name in ("replica", "read-only")
        )
        lost = {line for line in replica - readers if not re.match("-- (?!fail)", line)}
        more = {line for line in readers - replica if re.match("-- (fail|param|warn)", line)}
        assert lost == ({"SHOW ALL SLAVES STATUS;"} if engine == "mariadb" else set())
        assert not more


# Clusters

ONE_GALERA = pytest.mark.xdist_group("galera")  # A node gets its data at a port of its own choice.


@pytest.fixture
def new_cluster(program):
    """new_cluster(kind) starts two servers, the first of which is the one to ask."""
    with contextlib.ExitStack() as stack:

        def start(kind):
            first = stack.enter_context(kind())
            first.sql("CREATE TABLE app.t (n int PRIMARY KEY)")
            grant(first, program)
            return first, stack.enter_context(first.new_member())

        yield start


def refuses(server):
    """Whether it refuses to show a table, or a database."""
    with contextlib.suppress(server.driver().Error), session(server) as connection:
        connection.cursor().execute("SELECT n FROM t")
        return False
    return True


GALERA_CHECKS = ("galera", "primary-mariadb")


@ONE_GALERA
@pytest.mark.timeout(180)
def test_a_galera_node(new_cluster, serve, check):
    """What is not ready has no role."""
    node, other = new_cluster(servers.Galera)
    watch = Watch(node, serve(node))
    assert watch.is_seen_as(Watch.primary)
    with setting(node, "wsrep_desync", 1):  # As a backup does, or giving a new node its data.
        assert watch.is_seen_as(Watch.dead)
        for name in GALERA_CHECKS:
            assert check(node, name) == ("fail", "donor 1 > 0")
            assert check(node, name, DONORS_SERVE="1") == ("pass", "")
        for path in ("/readyz", "/primary", "/read-only"):
            watch.adapter.wait_status(f"{path}?donors_serve=1", 200)
    assert watch.is_seen_as(Watch.primary)
    with session(node, "FLUSH TABLES WITH READ LOCK", user="root"):  # A backup.
        assert watch.is_seen_as(Watch.dead)
    assert watch.is_seen_as(Watch.primary)
    reject = "SET GLOBAL wsrep_reject_queries ="
    with changed(node, f"{reject} ALL", f"{reject} NONE"):
        assert refuses(node)
        assert watch.is_seen_as(Watch.dead)
        for name in GALERA_CHECKS:
            assert check(node, name) == ("fail", "reject_queries ALL != 'NONE'")
    assert watch.is_seen_as(Watch.primary)
    with setting(node, "read_only", 1):  # For readers: the cluster sees to its data.
        assert watch.is_seen_as({**Watch.primary, "/primary": 503})
        with setting(node, "wsrep_desync", 1):
            assert watch.is_seen_as(Watch.dead)
    assert watch.is_seen_as(Watch.primary)
    other.kill9()
    wait_until(lambda: refuses(node), "half is no quorum", 30)
    assert watch.is_seen_as(Watch.dead)
    assert watch.adapter.status_of("/healthz") == 200
    assert check(node, "galera") == ("fail", "cluster_status non-Primary != 'Primary'")
    assert check(node, "primary-mariadb") == ("fail", "outside_cluster 1 == 1")
    node.sql("SET GLOBAL sql_mode = 'EMPTY_STRING_IS_NULL'")  # As if it had never been in one.
    assert watch.is_seen_as(Watch.dead)
    assert check(node, "galera") == ("fail", "cluster_status non-Primary != 'Primary'")


@pytest.mark.timeout(180)
def test_a_member_of_a_replication_group(new_cluster, serve, check):
    member, other = new_cluster(servers.GroupMember)
    first, second = (Watch(server, serve(server)) for server in (member, other))
    assert first.is_seen_as(Watch.primary) and second.is_seen_as(Watch.replica)
    other.leave()
    assert second.is_seen_as(Watch.dead) and first.is_seen_as(Watch.primary)
    assert check(other, "group-replication") == ("fail", "member_state OFFLINE != 'ONLINE'")
    other.join()
    assert second.is_seen_as(Watch.replica)
    for cut_off, gone, role in ((first, second, "primary"), (second, first, "replica")):
        with gone.server.paused():
            wait_until(lambda: "UNREACHABLE" in cut_off.server.states(), "half is no majority", 30)
            assert cut_off.is_seen_as(Watch.dead)
            assert cut_off.adapter.status_of("/healthz") == 200
            assert check(cut_off.server, "group-replication") == ("fail", "majority 0 == 0")
            assert check(cut_off.server, f"{role}-mysql") == ("fail", "outside_group 1 == 1")
        wait_until(lambda: cut_off.server.states() == ["ONLINE"] * 2, "the group is whole", 30)
        assert first.is_seen_as(Watch.primary) and second.is_seen_as(Watch.replica)


WAITS = {  # How a server makes reads wait for what others have committed.
    servers.Galera: "wsrep_sync_wait = 15",
    servers.GroupMember: "group_replication_consistency = 'BEFORE'",
}


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "kind", (pytest.param(servers.Galera, marks=ONE_GALERA), servers.GroupMember)
)
def test_a_probe_does_not_wait_for_the_cluster(new_cluster, serve, tmp_path, kind):
    """That would be as long as a backup's lock keeps its node from applying anything."""
    other, node = new_cluster(kind)
    other.sql(f"GRANT SELECT ON app.t TO {USER}@'127.0.0.1'")
    (tmp_path / "reads.sql").write_text("-- endpoints: reads\nSELECT COUNT(*) >= 0 FROM app.t")
    node.sql(f"SET GLOBAL {WAITS[kind]}")
    a = serve(node, DBHEALTH_CHECKS=f"library:{tmp_path}", DBHEALTH_TIMEOUT="2s")
    paths = ("/healthz", "/startupz", "/reads")
    with session(node, "FLUSH TABLES WITH READ LOCK", user="root"):
        for number in range(3):
            other.sql(f"INSERT INTO app.t VALUES ({number})")
        assert [a.status_of(path) for path in paths] == [200] * 3
        verdict = check_of(a, "galera" if kind is servers.Galera else "group-replication")
        assert a.status_of("/readyz") == (503 if verdict == "failed" else 200)
    a.wait_status("/readyz", 200)
    assert {line["to"] for line in a.transitions("alive")} == {"pass"}


def check_of(adapter, name):
    return adapter.shown("/readyz")[name].verdict


def test_a_user_without_grants_is_told_of_a_group_that_it_can_not_see(check, pair, program):
    """And /readyz passes."""
    server, _ = pair
    user = "login_only@'127.0.0.1'"
    with changed(server, f"CREATE USER {user} IDENTIFIED BY 'word'", f"DROP USER {user}"):
        url = server.url("login_only", "word")
        names = ("alive", "accepting", "galera", "group-replication")
        ended = program.run("check", *names, DATABASE_URL=url)
        assert ended.status == 0
        verdict, detail = ended.row("group-replication")
    assert verdict == ("warn" if server.engine == "mysql" else "skipped")
    assert server.engine == "mariadb" or detail.startswith("server_error: ")
