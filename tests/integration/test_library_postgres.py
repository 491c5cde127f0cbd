"""The shipped checks of Postgres, on a real primary and its standby: each passes there, and each is
made to fail. They run as the user that `dbhealthd grants` makes, and no other.

What a check must not say is here too: an idle primary is no lag, nor is a restart."""

import contextlib
import re
import socket
import socketserver
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from adapter import PATIENT
from faults import changed
from loopback import copy
from psycopg2.errors import QueryCanceled
from program import Program
from servers import Postgres, account, wait_until
from servers.postgres import PROGRAMS
from servers.versions import release

pytestmark = pytest.mark.xdist_group("library-postgres")  # They share the servers that they break.

LIBRARY = Path(__file__).resolve().parents[2] / "checks" / "postgres"
NAMES = sorted(path.stem for path in LIBRARY.glob("*.sql"))
ROLES = ("/primary", "/replica", "/read-only", "/readyz")
PRIMARY, REPLICA = (200, 503, 200, 200), (503, 200, 200, 200)
STALE = (503, 503, 503, 200)
GONE = (503, 503, 503, 503)
OPTIONAL = {
    "DBHEALTH_ENABLE": "write slow-statements slow-statements-raw long-sessions long-sessions-raw"
}
UNCACHED = {"DBHEALTH_CACHE": "0s", "DBHEALTH_ENABLE": "write slow-statements long-sessions"}
USER, PASSWORD = "checker", "checker-secret"
SETTINGS = {
    "archive_mode": "on",
    "archive_command": "true",
    "max_prepared_transactions": 5,
    "shared_preload_libraries": "pg_stat_statements",
    "wal_receiver_status_interval": "1s",
}
MISSING = r"not meant for this server \(the statement names something that is not there\)"
COMMIT = "SELECT pg_logical_emit_message(true, 'test', 'of no meaning')"
UNBOUNDED = r"_size\(|pg_ls_|_file\(|pg_stat_(all|user|sys)_|pg_class|pg_index|information_schema"


def commit(server):
    server.sql(COMMIT)


def statement_of(name):
    return (LIBRARY / f"{name}.sql").read_text()


def url_of(server, **options):
    return server.url(USER, PASSWORD, **options)


def make_user(build_dir, server):
    """As an administrator would, with what `dbhealthd grants` prints."""
    ended = Program(build_dir).run("grants", DATABASE_URL=url_of(server), **OPTIONAL)
    assert (ended.status, ended.errors) == (0, "")
    server.sql(ended.output.replace("'...'", f"'{PASSWORD}'"))


@pytest.fixture(scope="module")
def two(build_dir):
    with Postgres(settings=SETTINGS, hba=("host replication all 127.0.0.1/32 trust",)) as primary:
        make_user(build_dir, primary)
        with primary.new_replica() as replica:
            yield primary, replica


@pytest.fixture
def pair(two):
    """A primary and its standby. A test leaves them so, or the other way round."""
    return sorted(two, key=lambda server: server.is_standby())


@pytest.fixture
def primary(pair):
    return pair[0]


@pytest.fixture
def replica(pair):
    return pair[1]


@pytest.fixture
def check(build_dir):
    """check(server, NAME...) runs checks of the library, without names all; gives what it said."""

    def run(server, *names, url=None, **environment):
        environment = {**PATIENT, **OPTIONAL, **environment}
        return Program(build_dir).run(
            "check", *names, DATABASE_URL=url or url_of(server), **environment
        )

    return run


def test_each_passes_on_the_primary_or_its_standby(check, pair):
    passed = set()
    for server in pair:
        wait_until(lambda: check(server).status == 0, f"all is well on {server.name}", 30)
        ended = check(server)
        verdicts = {name: ended.row(name)[0] for name in NAMES}
        assert set(verdicts.values()) == {"pass", "skipped"}
        passed.update(name for name, verdict in verdicts.items() if verdict == "pass")
    assert passed == set(NAMES)


def test_what_is_not_for_a_server_is_skipped(check, pair):
    ends = [check(server) for server in pair]
    skipped = [{name for name in NAMES if ended.row(name)[0] == "skipped"} for ended in ends]
    assert skipped == [{"replica"}, {"primary", "standbys", "archiving", "write"}]


# Each made to fail. A way to do so is a context manager that is given primary and standby.


@contextlib.contextmanager
def settings(server, **values):
    """In the block these settings are in force."""
    try:
        for name, value in values.items():
            server.sql(f"ALTER SYSTEM SET {name} = '{value}'")
        reload(server)
        yield
    finally:
        for name in values:
            server.sql(f"ALTER SYSTEM RESET {name}")
        reload(server)


def reload(server):
    """Sessions that begin from now on have the new settings."""
    mark = server.log_mark()
    server.sql("SELECT pg_reload_conf()")
    wait_until(lambda: "reloading" in server.log_since(mark), f"{server.name} reloads")


@contextlib.contextmanager
def session(server, *statements):
    """In the block the user app has run these in one transaction and does no more."""
    with contextlib.closing(server.connect("app")) as connection:
        for statement in statements:
            connection.cursor().execute(statement)
        yield connection


def set_on(which, **values):
    return lambda *pair: settings(pair[which], **values)


def well(primary, replica):
    return contextlib.nullcontext()


@contextlib.contextmanager
def full(primary, replica):
    """But for the one connection that the check needs."""
    with contextlib.ExitStack() as stack:
        for _ in range(primary.places - 1):
            stack.enter_context(contextlib.closing(primary.connect("app")))
        yield


@contextlib.contextmanager
def no_receiver(primary, replica):
    replica.stop_receiver()
    yield
    replica.start_receiver()


@contextlib.contextmanager
def behind(primary, replica):
    """The standby has received a commit and does not replay it; the last one is a second old."""
    commit(primary)
    wait_until(lambda: replica.caught_up(primary), "it has caught up")
    wait_until(lambda: is_idle(replica), "the last commit is old")
    replica.pause_replay()
    try:
        commit(primary)
        wait_until(lambda: not replica.has_applied_all(), "it is received")
        yield
    finally:
        replica.resume_replay()


def is_idle(replica, seconds=1):
    age = "clock_timestamp() - pg_last_xact_replay_timestamp()"
    return replica.value(f"SELECT {age} > interval '{seconds} s'")


@contextlib.contextmanager
def behind_since_its_start(primary, replica):
    """It begins at a checkpoint that no commit has followed."""
    primary.sql("CHECKPOINT")
    wait_until(lambda: replica.caught_up(primary), "it has caught up")
    replica.sql("CHECKPOINT")
    replica.restart()
    replica.wait_streaming()
    replica.pause_replay()
    try:
        commit(primary)
        wait_until(lambda: not replica.has_applied_all(), "it is received")
        yield
    finally:
        replica.resume_replay()


def open_transaction(primary, replica):
    return session(primary, "SELECT 1")


@contextlib.contextmanager
def hidden_transaction(primary, replica):
    """Nobody can see for how long it is open."""
    with changed(primary, "ALTER ROLE app SET track_activities = off", "ALTER ROLE app RESET ALL"):
        with open_transaction(primary, replica):
            yield


@contextlib.contextmanager
def old_snapshot(primary, replica):
    with session(primary, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SELECT 1"):
        commit(primary)
        commit(primary)
        yield


@contextlib.contextmanager
def prepared_transaction(primary, replica):
    with session(primary, "CREATE TABLE app.p ()", "PREPARE TRANSACTION 'p'"):
        pass
    yield
    primary.sql("ROLLBACK PREPARED 'p'")


def waiting_for(lock):
    """A fault: one session holds the lock and another one waits for it."""

    @contextlib.contextmanager
    def fault(primary, replica):
        primary.sql("CREATE TABLE IF NOT EXISTS app.locked (); GRANT ALL ON app.locked TO app")
        waiter = threading.Thread(target=lambda: run_as_app(primary, lock))
        with session(primary, lock):
            waiter.start()
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            wait_until(lambda: primary.value(waiting), "somebody waits")
            yield
        waiter.join()

    return fault


def run_as_app(server, statement):
    with session(server, statement):
        pass


@contextlib.contextmanager
def failing_archive(primary, replica):
    failed = "SELECT last_failed_time > coalesce(last_archived_time, '-infinity')"
    with settings(primary, archive_command="false"):
        switch_wal(primary)
        wait_until(lambda: primary.value(f"{failed} FROM pg_stat_archiver"), "archiving fails")
        yield
    archived = f"{failed} IS FALSE FROM pg_stat_archiver"
    wait_until(lambda: primary.value(archived), "archiving works again", 30)


@contextlib.contextmanager
def archived_before(primary, replica):
    """There is a segment in the archive and WAL after it."""
    before = primary.value("SELECT archived_count FROM pg_stat_archiver")
    switch_wal(primary)
    count = "SELECT archived_count FROM pg_stat_archiver"
    wait_until(lambda: primary.value(count) > before, "a segment is archived")
    commit(primary)
    yield


def switch_wal(server):
    commit(server)
    server.sql("SELECT pg_switch_wal()")


@contextlib.contextmanager
def slot(primary):
    primary.sql("SELECT pg_create_physical_replication_slot('spare', true)")
    try:
        yield
    finally:
        primary.sql("SELECT pg_drop_replication_slot('spare')")


@contextlib.contextmanager
def idle_slot(primary, replica):
    with slot(primary):
        commit(primary)
        yield


def slot_in_state(state):
    """A fault: beyond max_slot_wal_keep_size a slot is unreserved, and after a checkpoint lost."""
    sizes = {"max_slot_wal_keep_size": "1MB"}
    if state == "lost":  # Else a checkpoint that comes by itself would be too early.
        sizes |= {"max_wal_size": "2MB", "min_wal_size": "2MB"}

    @contextlib.contextmanager
    def fault(primary, replica):
        with slot(primary), settings(primary, **sizes):
            wait_until(lambda: age_slot(primary) == state, f"the slot is {state}", 30)
            yield

    def age_slot(primary):
        switch_wal(primary)
        if state == "lost":
            primary.sql("CHECKPOINT")
        return primary.value("SELECT wal_status FROM pg_replication_slots")

    return fault


@contextlib.contextmanager
def lagging_standby(primary, replica):
    with behind(primary, replica):
        lag = "SELECT max(replay_lag) > interval '2 ms' FROM pg_stat_replication"
        wait_until(lambda: primary.value(lag), "the primary sees the lag", 30)
        yield


@contextlib.contextmanager
def half_synchronous(primary, replica):
    """One of two that are to confirm a commit is there."""
    with settings(primary, synchronous_standby_names="ANY 2 (elsewhere, walreceiver)"):
        one = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'"
        wait_until(lambda: primary.value(one), "one is there")
        yield


@contextlib.contextmanager
def locked_row(primary, replica):
    with contextlib.closing(primary._admin()) as connection:
        connection.autocommit = False
        connection.cursor().execute("SELECT FROM dbhealthd.written FOR UPDATE")
        yield


@contextlib.contextmanager
def no_row(primary, replica):
    primary.sql("DELETE FROM dbhealthd.written")
    yield
    primary.sql("INSERT INTO dbhealthd.written VALUES (1)")


@dataclass(frozen=True)
class Fault:
    """A check, what brings it about, what is said then, and on which of the pair."""

    check: str
    inject: object
    says: str  # A regular expression.
    verdict: str = "fail"
    on: int = 0
    environment: dict = field(default_factory=dict)
    url: dict = field(default_factory=dict)  # Options.


ON_REPLICA = {"on": 1}
FAULTS = {
    "dead": Fault("alive", well, "refused: .*", url={"port": 1}),
    "refused": Fault("accepting", well, "denied: .*", url={"database": "nowhere"}),
    "read-only-by-default": Fault(
        "primary",
        set_on(0, default_transaction_read_only="on"),
        "read_only_by_default true == true",
    ),
    "no-receiver": Fault("replica", no_receiver, "wal_receivers 0 < 1", **ON_REPLICA),
    "behind": Fault(
        "replica",
        behind,
        r"lag_seconds \d+\.\d+ > 0\.5",
        environment={"MAX_LAG_SECONDS": "0.5"},
        **ON_REPLICA,
    ),
    "behind-in-bytes": Fault(
        "replica", behind, r"lag_bytes \d+ > 10", environment={"MAX_LAG_BYTES": "10"}, **ON_REPLICA
    ),
    "behind-in-bytes-to-readers": Fault(
        "read-only",
        behind,
        r"lag_bytes \d+ > 10",
        environment={"MAX_LAG_BYTES": "10"},
        **ON_REPLICA,
    ),
    "unknown-lag": Fault(
        "replica", behind_since_its_start, "lag_seconds is null", **ON_REPLICA
    ),
    "behind-to-readers": Fault(
        "read-only",
        behind,
        r"lag_seconds \d+\.\d+ > 0\.5",
        environment={"MAX_LAG_SECONDS": "0.5"},
        **ON_REPLICA,
    ),
    "no-receiver-to-readers": Fault(
        "read-only", no_receiver, "lag_seconds is null", **ON_REPLICA
    ),
    "full": Fault("connections", full, r"used_ratio (1|1\.0+|0\.9[6-9]\d*) > 0\.95"),
    "filling": Fault(
        "connections",
        well,
        r"used_ratio 0\.0\d+ > 0\.001",
        "warn",
        environment={"WARN_CONNECTIONS_RATIO": "0.001"},
    ),
    "open-transaction": Fault(
        "oldest-transaction",
        open_transaction,
        r"oldest_transaction_seconds \S+ > 0\.001",
        environment={"MAX_TRANSACTION_SECONDS": "0.001"},
    ),
    "idle-transaction": Fault(
        "oldest-transaction",
        open_transaction,
        r"longest_idle_transaction_seconds \S+ > 0\.001",
        "warn",
        environment={"WARN_IDLE_TRANSACTION_SECONDS": "0.001"},
    ),
    "hidden-transaction": Fault(
        "oldest-transaction", hidden_transaction, "hidden_sessions 1 > 0"
    ),
    "prepared-transaction": Fault(
        "oldest-transaction",
        prepared_transaction,
        r"oldest_prepared_transaction_seconds \S+ > 0\.001",
        environment={"MAX_IDLE_TRANSACTION_SECONDS": "0.001"},
    ),
    "old-snapshot": Fault(
        "oldest-transaction",
        old_snapshot,
        r"held_back_transactions \d+ > 1",
        "warn",
        environment={"WARN_HELD_BACK_TRANSACTIONS": "1"},
    ),
    "lock-wait": Fault(
        "lock-waits",
        waiting_for("LOCK TABLE app.locked"),
        r"longest_wait_seconds \S+ > 0\.001",
        environment={"MAX_LOCK_WAIT_SECONDS": "0.001"},
    ),
    "lock-waiters": Fault(
        "lock-waits",
        waiting_for("LOCK TABLE app.locked"),
        "waiting_sessions 1 > 0",
        "warn",
        environment={"WARN_LOCK_WAITERS": "0"},
    ),
    "archive": Fault("archiving", failing_archive, "failing true == true"),
    "slow-archive": Fault(
        "archiving",
        archived_before,
        r"unarchived_bytes \d{2,6} > 0",
        "warn",
        environment={"WARN_UNARCHIVED_BYTES": "0"},
    ),
    "slot-that-retains": Fault(
        "slots", idle_slot, r"retained_bytes \d+ > 0", environment={"MAX_RETAINED_BYTES": "0"}
    ),
    "idle-slot": Fault("slots", idle_slot, "inactive_slots 1 > 0", "warn"),
    "unreserved-slot": Fault(
        "slots", slot_in_state("unreserved"), "unreserved_slots 1 > 0", "warn"
    ),
    "lost-slot": Fault("slots", slot_in_state("lost"), "lost_slots 1 > 0"),
    "missing-standby": Fault("standbys", well, "standbys 1 < 2", environment={"MIN_STANDBYS": "2"}),
    "missing-synchronous-standby": Fault(
        "standbys",
        half_synchronous,
        "missing_synchronous_standbys 1 > 0",
    ),
    "lagging-standby": Fault(
        "standbys",
        lagging_standby,
        r"largest_lag_seconds \S+ > 0\.001",
        environment={"MAX_STANDBY_LAG_SECONDS": "0.001"},
    ),
    "locked-row": Fault(
        "write", locked_row, "query_timeout: .*", environment={"DBHEALTH_TIMEOUT": "500ms"}
    ),
    "no-row": Fault("write", no_row, "written is null"),
    "no-extension": Fault(
        "slow-statements", well, MISSING, "skipped", url={"database": "template1"}
    ),
    "no-extension-raw": Fault(
        "slow-statements-raw", well, MISSING, "skipped", url={"database": "template1"}
    ),
    "no-server": Fault("long-sessions", well, "refused: .*", url={"port": 1}),
    "no-server-raw": Fault("long-sessions-raw", well, "refused: .*", url={"port": 1}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fails(check, pair, name):
    fault = FAULTS[name]
    server = pair[fault.on]
    with fault.inject(*pair):
        url = url_of(server, **fault.url)
        found = check(server, fault.check, url=url, **fault.environment).row(fault.check)
    assert found[0] == fault.verdict and re.fullmatch(fault.says, found[1]), found
    wait_until(lambda: check(server, fault.check).row(fault.check)[0] == "pass", "it passes again")


def test_no_check_is_left_out():
    """Wraparound has a test of its own."""
    assert {fault.check for fault in FAULTS.values()} | {"wraparound"} == set(NAMES)


def test_wraparound(check, build_dir, new_postgres):
    """On a server whose ids have been moved on by 1.8 thousand millions, and which doesn't mend that
    at once."""
    server = new_postgres(settings={"autovacuum_freeze_max_age": 2_000_000_000})
    make_user(build_dir, server)
    assert check(server, "wraparound").row("wraparound") == ("pass", "")
    server.stop()
    move_ids_on(server, 1_800_000_000)
    server.start()
    verdict, said = check(server, "wraparound").row("wraparound")
    assert verdict == "fail"
    assert re.fullmatch(r"transaction_ids_used_ratio 0\.83\d* > 0\.8", said)


def move_ids_on(server, number):
    """The next transaction will have this id. Its place in the commit log, which has 4 of them in
    a byte and 2^20 in a file, must be there."""
    program = PROGRAMS / "pg_resetwal"
    options = [f"--next-transaction-id={number}", server.data]
    account.run(server.runs_as, [program, *options], server.root)
    commit_log = server.data / "pg_xact" / f"{number >> 20:04X}"
    commit_log.write_bytes(bytes((1 << 20) // 4))
    account.own(server.runs_as, commit_log)


# What a check must not say


def test_a_user_that_lacks_the_grant_is_told(check, primary, replica):
    """The check of a replica works without, less well."""
    primary.sql("CREATE ROLE bare LOGIN PASSWORD 'bare-secret'")
    wait_until(lambda: replica.caught_up(primary), "the role is there")
    ends = [check(server, url=server.url("bare", "bare-secret")) for server in (primary, replica)]
    missing = "grants_missing true == true"
    for name in ("connections", "oldest-transaction", "lock-waits", "standbys"):
        assert ends[0].row(name) == ("fail", missing)
    assert [ends[1].row(name) for name in ("replica", "read-only")] == [("warn", missing)] * 2
    assert ends[0].row("primary") == ("pass", "")


def test_what_is_set_for_the_probe_user_alone_is_not_the_servers(check, primary):
    primary.sql(f"ALTER ROLE {USER} SET default_transaction_read_only = on")
    try:
        assert check(primary, "primary").row("primary") == ("pass", "")
    finally:
        primary.sql(f"ALTER ROLE {USER} RESET default_transaction_read_only")


def test_sessions_that_queue_at_an_advisory_lock_are_no_fault(check, pair):
    lock = "SELECT pg_advisory_xact_lock(1)"
    with waiting_for(lock)(*pair):
        ended = check(pair[0], "lock-waits", WARN_LOCK_WAITERS="0", WARN_LOCK_WAIT_SECONDS="0.001")
    assert ended.row("lock-waits") == ("pass", "")


def test_a_long_vacuum_is_no_fault(check, primary):
    """It holds nothing back."""
    primary.sql("CREATE TABLE app.big AS SELECT n FROM generate_series(1, 20000) AS n")
    primary.sql("ALTER TABLE app.big OWNER TO app")
    with contextlib.closing(primary.connect("app", options=AT_LEISURE)) as connection:
        connection.autocommit = True
        vacuum = threading.Thread(target=lambda: run_until_cancelled(connection, "VACUUM app.big"))
        vacuum.start()
        going = "SELECT count(*) FROM pg_stat_progress_vacuum"
        wait_until(lambda: primary.value(going), "vacuum runs")
        ended = check(primary, "oldest-transaction", WARN_TRANSACTION_SECONDS="0.001")
        assert primary.value(going) and ended.row("oldest-transaction") == ("pass", "")
        connection.cancel()
        vacuum.join()
    primary.sql("DROP TABLE app.big")


AT_LEISURE = "-c vacuum_cost_delay=100ms -c vacuum_cost_limit=1"


def run_until_cancelled(connection, statement):
    with contextlib.suppress(QueryCanceled):
        connection.cursor().execute(statement)


def test_the_probes_own_transaction_is_no_fault(check, primary):
    ended = check(primary, "oldest-transaction", WARN_TRANSACTION_SECONDS="0")
    assert ended.row("oldest-transaction") == ("pass", "")


@pytest.mark.parametrize("wanted", ("walreceiver", "FIRST 1 (walreceiver, b)", "any 1 (a, *)", "*"))
def test_synchronous_standbys_that_are_there(check, primary, wanted):
    with settings(primary, synchronous_standby_names=wanted):
        wait_until(lambda: check(primary, "standbys").row("standbys")[0] == "pass", "all are there")


def test_the_statements_of_a_replica_and_of_readers_are_the_same():
    statements = {statement_of(name).partition("WITH ")[2] for name in ("replica", "read-only")}
    assert len(statements) == 1 and all(statements)


@pytest.mark.parametrize("name", NAMES)
def test_statements_are_bounded(name):
    """By what they ask: the server's memory, never its disk or a table that grows."""
    text = statement_of(name)
    statement = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    assert not re.search(UNBOUNDED, statement)
    if re.search(r"^-- log: +rows$", text, re.MULTILINE):
        assert re.search(r"^LIMIT \d+;$", statement, re.MULTILINE)


# Roles and lag, as a load balancer sees them


def roles(adapter):
    return tuple(adapter.status_of(path) for path in ROLES)


@pytest.fixture
def serve(adapter):
    """serve(server, ...) starts an adapter that asks anew at each request."""
    return lambda server, **options: adapter(url_of(server), **{**UNCACHED, **options})


def wait_roles(adapter, expected):
    wait_until(lambda: roles(adapter) == expected, f"it is {expected}", 30)


def test_roles_through_a_failover(serve, pair):
    old, new = pair
    a, b = serve(old), serve(new)
    wait_roles(b, REPLICA)
    assert roles(a) == PRIMARY
    new.stop_receiver()
    assert roles(b) == STALE
    new.start_receiver()
    wait_roles(b, REPLICA)
    old.stop("immediate")
    wait_roles(b, STALE)
    assert roles(a) == GONE
    new.promote()
    assert roles(b) == PRIMARY
    old.follow(new)
    wait_roles(a, REPLICA)
    assert roles(b) == PRIMARY
    with settings(new, default_transaction_read_only="on"):
        assert roles(b) == (503, 503, 200, 200)


def test_verdicts_are_right_within_a_cache_window(serve, replica):
    """Uncached they are right at once, as the test above shows."""
    cache = 1.0
    a = serve(replica, DBHEALTH_CACHE=f"{cache}s")
    wait_roles(a, REPLICA)
    replica.stop_receiver()
    wait_until(lambda: roles(a) == STALE, "it is stale", limit=10 * cache)
    replica.start_receiver()
    wait_roles(a, REPLICA)


def test_a_paused_replay_is_lag_once_a_commit_arrives(serve, primary, replica):
    a = serve(replica)
    wait_roles(a, REPLICA)
    replica.pause_replay()
    assert roles(a) == REPLICA
    replica.resume_replay()
    with behind(primary, replica):
        assert a.status_of("/replica?max_lag_seconds=1") == 503
        assert a.status_of("/read-only?max_lag_seconds=1") == 503
        assert roles(a) == REPLICA  # Within 30 s.
    a.wait_status("/replica?max_lag_seconds=0", 200)


def test_an_idle_primary_is_no_lag(serve, primary, replica):
    a = serve(replica)
    wait_roles(a, REPLICA)
    steps = ("CHECKPOINT", "SELECT pg_switch_wal()", "CHECKPOINT", "SELECT 1")
    for step in steps:
        wait_until(lambda: is_idle(replica), "the last commit is old")
        primary.sql(step)
        wait_until(lambda: replica.caught_up(primary), "it has caught up")
        a.wait_status("/replica?max_lag_seconds=0.5", 200)


def test_a_standby_that_restarts_beside_an_idle_primary_is_no_lag(serve, primary, replica):
    """Its receiver begins at the start of a segment, before what it has replayed; or has nothing to
    receive at all."""
    a = serve(replica)
    for step in (COMMIT, "SELECT pg_switch_wal()"):
        primary.sql(step)
        wait_until(lambda: replica.caught_up(primary), "it has caught up")
        replica.restart()
        a.wait_status("/replica?max_lag_seconds=0", 200)
        assert roles(a) == REPLICA


def test_a_commit_after_an_idle_time_is_given_a_moment(primary, replica):
    """The statement as it is, but with more of a moment, for a machine that is busy."""
    statement = statement_of("replica")
    patient = statement.replace("step < 5", "step < 500")
    assert patient != statement
    with behind(primary, replica), contextlib.closing(connect(replica)) as connection:
        assert lag_of(connection, statement) > 1
        lags = []
        asking = threading.Thread(target=lambda: lags.append(lag_of(connection, patient)))
        asking.start()
        asleep = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{USER}' AND wait_event = "
        wait_until(lambda: replica.value(asleep + "'PgSleep'"), "it waits")
        replica.resume_replay()
        asking.join()
        assert lags == [0]


LONG_AGO = "'2000-01-01'::timestamptz"
SEEN = [  # What a receiver's row may show, and the number of receivers and the lag that follow.
    ({}, 1, 0),
    ({"latest_end_lsn": "'7/0'::pg_lsn"}, 1, "old"),
    ({"latest_end_lsn": "NULL::pg_lsn"}, 1, 0),
    ({"status": "'waiting'"}, 0, None),
    ({"last_msg_send_time": "now()", "last_msg_receipt_time": "now()"}, 0, None),
    ({"last_msg_send_time": LONG_AGO, "last_msg_receipt_time": LONG_AGO}, 1, 0),
    ({"status": "NULL::text", "latest_end_lsn": "NULL::pg_lsn"}, 1, 0),
]


@pytest.mark.parametrize("seen, receivers, lag", SEEN)
def test_what_the_receivers_row_shows(primary, replica, seen, receivers, lag):
    """States that last for a moment. The standby has caught up, and its last commit is old."""
    names = ("status", "last_msg_send_time", "last_msg_receipt_time", "latest_end_lsn")
    columns = ", ".join(f"{seen[name]} AS {name}" if name in seen else name for name in names)
    row = f"(SELECT {columns} FROM pg_stat_wal_receiver) AS receiver"
    statement = statement_of("replica").replace("pg_stat_wal_receiver", row)
    if not is_idle(replica):
        commit(primary)
    wait_until(lambda: replica.caught_up(primary) and is_idle(replica), "the last commit is old")
    with contextlib.closing(connect(replica)) as connection:
        found = result_of(connection, statement)
    assert found["wal_receivers"] == receivers
    assert found["lag_seconds"] > 1 if lag == "old" else found["lag_seconds"] == lag
    assert found["lag_bytes"] > 1 if lag == "old" else found["lag_bytes"] == lag


def test_a_clock_that_is_behind_the_primarys_makes_no_negative_lag(primary, replica):
    statement = statement_of("replica").replace("clock_timestamp()", LONG_AGO)
    with behind(primary, replica), contextlib.closing(connect(replica)) as connection:
        assert lag_of(connection, statement) == 0


def connect(server):
    connection = server.connect(USER, PASSWORD)
    connection.autocommit = True
    return connection


def result_of(connection, statement):
    """The first row, by column."""
    cursor = connection.cursor()
    cursor.execute(statement)
    return dict(zip((column.name for column in cursor.description), cursor.fetchone()))


def lag_of(connection, statement):
    return result_of(connection, statement)["lag_seconds"]


def test_what_the_primary_has_and_the_standby_has_not_received_is_lag(serve, primary, replica):
    """A receiver that is slower than its primary: all that has arrived is replayed at once."""
    a = serve(replica)
    replica.stop_receiver()
    commit(primary)
    primary.sql(
        "CREATE TABLE app.much AS SELECT repeat('x', 1000) FROM generate_series(1, 3000);"
        " DROP TABLE app.much"
    )
    with Throttle(primary, most=500_000) as throttle:
        source = f"host=127.0.0.1 port={throttle.port} user=postgres"
        replica.sql(f"ALTER SYSTEM SET primary_conninfo = '{source}'")
        reload(replica)
        wait_until(throttle.is_full, "the receiver gets no more")
        wait_until(lambda: replica.value(KNOWS_OF_MORE), "it knows that there is more")
        wait_until(lambda: is_idle(replica), "the last commit is old")
        assert a.get("/replica?verbose&max_lag_seconds=0.5").body.startswith(
            "[-]replica failed: lag_seconds "
        )
        throttle.open()
        wait_roles(a, REPLICA)
        a.wait_status("/replica?max_lag_seconds=0", 200)
    replica.start_receiver()


KNOWS_OF_MORE = "SELECT latest_end_lsn > pg_last_wal_receive_lsn() + 1 FROM pg_stat_wal_receiver"


class Throttle(socketserver.ThreadingTCPServer):
    """Before a server: passes on so many bytes of what it sends, and the rest once opened."""

    daemon_threads = True

    def __init__(self, server, most):
        super().__init__(("127.0.0.1", 0), Throttled)
        self.port = self.server_address[1]
        self.upstream = (server.host, server.port)
        self.left = most
        self._opened = threading.Event()

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.open()
        self.shutdown()
        self.server_close()

    def take(self, size):
        if self.left <= 0:
            self._opened.wait()
        self.left -= size

    def is_full(self):
        return self.left <= 0

    def open(self):
        self._opened.set()


class Throttled(socketserver.BaseRequestHandler):
    def handle(self):
        with socket.create_connection(self.server.upstream) as upstream:
            threading.Thread(target=copy, args=(self.request, upstream), daemon=True).start()
            with contextlib.suppress(OSError):
                while piece := upstream.recv(4096):
                    self.server.take(len(piece))
                    self.request.sendall(piece)


def test_a_standby_of_a_standby(serve, primary, replica):
    """It knows how far it is behind its source, and that its source is there; no more."""
    with replica.new_replica() as cascaded:
        a = serve(cascaded)
        wait_roles(a, REPLICA)
        cascaded.pause_replay()
        commit(primary)
        wait_until(lambda: not cascaded.has_applied_all(), "it is received")
        assert a.status_of("/replica?max_lag_seconds=0") == 503
        cascaded.resume_replay()
        cascaded.stop_receiver()
        assert roles(a) == STALE


# The write path


def test_writes_are_skipped_on_a_server_that_is_read_only(check, primary):
    with settings(primary, default_transaction_read_only="on"):
        verdict, said = check(primary, "write").row("write")
    assert (verdict, said) == ("skipped", "not meant for this server (read_only true == true)")


def test_a_write_leaves_one_row_in_one_page(serve, primary):
    a = serve(primary)
    before = written(primary)
    for _ in range(60):
        assert a.status_of("/write") == 200
    a.end()
    updates = "SELECT n_tup_upd, n_tup_upd - n_tup_hot_upd FROM pg_stat_user_tables"
    wait_until(
        lambda: primary.sql(f"{updates} WHERE relname = 'written'")[0][0] >= 60, "they are counted"
    )
    assert primary.sql(f"{updates} WHERE relname = 'written'")[0][1] == 0
    assert primary.sql(
        "SELECT count(*), pg_relation_size('dbhealthd.written') FROM dbhealthd.written"
    ) == [(1, 8192)]
    assert written(primary) > before


def written(server):
    return server.value("SELECT coalesce(max(at), '-infinity') FROM dbhealthd.written")


def test_a_write_tells_how_long_it_took(serve, check, primary):
    verdict, said = check(primary, "write", WARN_WRITE_SECONDS="0").row("write")
    assert verdict == "warn" and re.fullmatch(r"write_seconds 0\.\d{6} > 0", said)
    a = serve(primary)
    assert a.status_of("/write") == 200
    assert re.search(r'\{check="write",column="write_seconds"\} 0\.\d+', a.get("/metrics").body)


def test_the_probe_user_may_write_that_row_and_nothing_else(primary):
    rights = "SELECT has_schema_privilege('{0}', 'dbhealthd', 'CREATE')," + ", ".join(
        f" has_table_privilege('{{0}}', 'dbhealthd.written', '{right}')"
        for right in ("INSERT", "DELETE", "TRUNCATE", "UPDATE", "REFERENCES", "TRIGGER")
    )
    assert not any(primary.sql(rights.format(USER))[0])
    may = f"SELECT has_column_privilege('{USER}', 'dbhealthd.written', 'at', 'UPDATE')"
    assert primary.value(may)


@pytest.mark.parametrize("usual, used", [("off", "local"), ("on", "on"), ("local", "local")])
def test_a_write_waits_for_storage(primary, usual, used):
    with contextlib.closing(primary.connect(USER, PASSWORD)) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SET synchronous_commit = {usual}")
        cursor.execute(statement_of("write"))
        assert cursor.fetchone() == (False, True, used, None)  # Filled by the adapter.
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == (used,)
        connection.commit()


def test_a_commit_that_hangs_fails_and_holds_one_session(serve, primary):
    """No standby confirms it, so it does not end; the next write waits for its lock in vain."""
    a = serve(primary, DBHEALTH_TIMEOUT="500ms")
    a.wait_status("/write", 200)
    with settings(primary, synchronous_standby_names="elsewhere"):
        for _ in range(4):
            assert a.status_of("/write") == 503
        outcomes = {line["outcome"] for line in a.transitions("write")[1:]}
        assert outcomes <= {"timeout", "query_timeout"}
        hanging = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        assert primary.value(hanging) == 1
        assert a.status_of("/readyz") == 200
    a.wait_status("/write", 200)


# Reports


def rows_of(adapter, check):
    return [line for line in adapter.output() if line.get("check") == check]


def test_slow_statements_are_logged(serve, primary):
    primary.sql("SELECT pg_stat_statements_reset()")
    primary.sql("SELECT pg_sleep(0.2), 'a constant'")
    a = serve(primary)
    first = wait_until(lambda: rows_of(a, "slow-statements"), "they are logged")[0]
    assert first["statement"] == "SELECT pg_sleep($1), $2"
    assert (first["user_name"], first["database_name"]) == ("postgres", "postgres")
    assert first["calls"] == "1"
    assert float(first["total_seconds"]) >= 0.2


# Newer servers keep no constant of SELECT INTO.
NORMALISES = release(Postgres) >= (16, 0)
SECRETIVE = [  # Statements, and what is shown of them.
    ("ALTER ROLE app PASSWORD 'app-secret'", "ALTER ROLE"),
    ("/* app-secret */ ALTER ROLE app PASSWORD $$app-secret$$", "ALTER ROLE"),
    (
        "SELECT 'app-secret' AS word INTO TEMPORARY word",
        "SELECT $1 AS word INTO TEMPORARY word" if NORMALISES else "SELECT",
    ),
    (
        "SELECT 4711 AS pin INTO TEMPORARY pin -- app-secret",
        f"SELECT {'$1' if NORMALISES else '?'} AS pin INTO TEMPORARY pin",
    ),
    ("SET app.word = 'app-secret'", "SET app"),
    ("SELECT pg_sleep(0), 'app-secret' AS a2 /* app-secret */", "SELECT pg_sleep($1), $2 AS a2"),
]


@pytest.mark.parametrize("statement, shown", SECRETIVE)
def test_no_secret_is_in_a_report_that_does_not_say_so(primary, statement, shown):
    """By the statement itself: what is slow is chance."""
    with contextlib.closing(connect(primary)) as reader:
        cursor = reader.cursor()
        primary.sql("SELECT pg_stat_statements_reset()")
        primary.sql(statement)
        cursor.execute(statement_of("slow-statements"))
        seen = [row[-1] for row in cursor.fetchall()]
        cursor.execute(statement_of("slow-statements-raw"))
        raw = str(cursor.fetchall())
    assert shown in seen
    assert "app-secret" not in str(seen) and "4711" not in str(seen)
    gone = NORMALISES and statement.endswith(" INTO TEMPORARY word")  # And it has no comment.
    assert gone != ("app-secret" in raw or "4711" in raw)


def test_long_sessions_are_logged(serve, primary, tmp_path):
    """By the shipped reports, but for how long is long."""
    names = ("long-sessions", "long-sessions-raw")
    for name in names:
        text = statement_of(name)
        (tmp_path / f"{name}.sql").write_text(text.replace("interval '60 s'", "interval '0 s'"))
    checks = {"DBHEALTH_CHECKS": f"library:{tmp_path}", "DBHEALTH_ENABLE": " ".join(names)}
    with session(primary, "/* a\nnote */ SELECT 'two\nlines'"):
        a = serve(primary, **checks)
        [row] = wait_until(lambda: rows_of(a, "long-sessions"), "they are logged")
        [raw] = wait_until(lambda: rows_of(a, "long-sessions-raw"), "so are their statements")
    assert (row["user_name"], row["state"]) == ("app", "idle in transaction")
    assert row["statement"] == "SELECT"
    assert re.fullmatch(r"-?\d+", row["query_id"])
    assert float(row["transaction_seconds"]) >= 0
    assert (raw["pid"], raw["statement"]) == (row["pid"], "/* a note */ SELECT 'two lines'")
