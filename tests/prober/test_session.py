"""A session is ours: what a role, a database or the whole server has as its default changes no
answer of a run, and nothing holds it up."""

import contextlib
import os
import signal

import pytest
from servers import MariaDB, wait_until
from servers.versions import release
from wire import Verb

ONLY_POSTGRES = pytest.mark.parametrize("engine", ["postgres"], indirect=True, scope="session")
ONLY_MYSQL = pytest.mark.parametrize("engine", ["mariadb", "mysql"], indirect=True, scope="session")

ODD_ROLE = {  # Settings, and what would be seen of them.
    "DateStyle": ("German", "'2024-02-29'::date", "2024-02-29"),
    "IntervalStyle": ("iso_8601", "interval '1 day'", "1 day"),
    "TimeZone": ("Pacific/Kiritimati", "to_timestamp(0)", "1970-01-01 00:00:00+00"),
    "extra_float_digits": ("-15", "0.1::float8 + 0.2::float8", "0.30000000000000004"),
    "bytea_output": ("escape", r"'\x6162'::bytea", r"\x6162"),
    "standard_conforming_strings": ("off", r"'a\\b'", r"a\\b"),
    "transform_null_equals": ("on", "(NULL::int = NULL) IS NULL", "true"),
    "array_nulls": ("off", "('{NULL}'::text[])[1] IS NULL", "true"),
    "quote_all_identifiers": ("on", "'pg_class'::regclass::text", "pg_class"),
    "lc_monetary": ("C.UTF-8", "current_setting('lc_monetary')", "C"),
    "lc_numeric": ("C.UTF-8", "current_setting('lc_numeric')", "C"),
    "lc_time": ("C.UTF-8", "current_setting('lc_time')", "C"),
    "xmloption": ("document", "current_setting('xmloption')", "content"),
    "xmlbinary": ("hex", "current_setting('xmlbinary')", "base64"),
    "row_security": ("off", "current_setting('row_security')", "on"),
    "search_path": ("nowhere", "current_setting('search_path')", "pg_catalog, pg_temp"),
    "geqo": ("on", "current_setting('geqo')", "off"),
    "jit": ("on", "current_setting('jit')", "off"),
    "max_parallel_workers_per_gather": (
        "8",
        "current_setting('max_parallel_workers_per_gather')",
        "0",
    ),
    "client_min_messages": ("error", "current_setting('client_min_messages')", "warning"),
    "default_transaction_isolation": (
        "serializable",
        "current_setting('transaction_isolation')",
        "read committed",
    ),
    "idle_in_transaction_session_timeout": (
        "0",
        "current_setting('idle_in_transaction_session_timeout')",
        "10s",
    ),
    "statement_timeout": ("1h", "current_setting('statement_timeout')", "1s"),
    "lock_timeout": ("1h", "current_setting('lock_timeout')", "875ms"),
}


@contextlib.contextmanager
def role_with(server, **settings):
    """In the block there is a role `odd`, with the password x, that has these as its defaults."""
    server.sql("CREATE ROLE odd LOGIN PASSWORD 'x'")
    try:
        for name, value in settings.items():
            server.sql(f"ALTER ROLE odd SET {name} = '{value}'")
        yield server.url("odd", "x")
    finally:
        server.sql("DROP ROLE odd")


@ONLY_POSTGRES
def test_what_a_role_has_set_changes_no_answer(start, server):
    with role_with(server, **{name: odd for name, (odd, _, _) in ODD_ROLE.items()}) as url:
        prober = start("postgres", url).opened()
        for name, (_, expression, expected) in ODD_ROLE.items():
            assert prober.run(f"SELECT {expression}").result.texts() == [(expected,)], name


@ONLY_POSTGRES
def test_an_error_ends_no_session(start, server):
    with role_with(server, exit_on_error="on") as url:
        prober = start("postgres", url).opened()
        assert prober.run("SELECT 1 / 0").code == "22012"
        assert prober.run("SELECT 1").outcome == "ok"


@ONLY_POSTGRES
def test_who_wants_no_warnings_is_told_why_the_session_ends(start, new_postgres, dialect):
    server = new_postgres()
    server.sql("ALTER ROLE probe SET client_min_messages = error")
    prober = start("postgres", server.url()).opened()
    prober.send(Verb.RUN, dialect.slow, limit=60_000)
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    wait_until(lambda: server.value(sleeping), "the statement runs")
    with contextlib.closing(server.connect("app")) as other:
        os.kill(other.get_backend_pid(), signal.SIGKILL)
        reply = prober.receive()
    assert (reply.outcome, reply.code) == ("terminated", "57P02"), reply


@ONLY_POSTGRES
def test_a_table_of_the_pool_hides_none_of_the_servers(start, server, new_pgbouncer):
    """A temporary one, that an application has left on its pooled connection."""
    pooler = new_pgbouncer(server, pool_size=1)
    with contextlib.closing(pooler.connect("app")) as application:
        application.autocommit = True
        application.cursor().execute("CREATE TEMPORARY TABLE pg_stat_archiver AS SELECT 1 AS a")
        reply = start("postgres", pooler.url()).opened().run("SELECT * FROM pg_stat_archiver")
        assert "archived_count" in reply.result.columns
        application.cursor().execute("DROP TABLE pg_temp.pg_stat_archiver")


# --- MySQL and MariaDB ---------------------------------------------------------------------------

FIVE = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5) "
SCHEMA = "information_schema"
ODD_SERVER = {  # Variables, and what would be seen of them.
    "sql_mode": ("ANSI_QUOTES,PIPES_AS_CONCAT", "SELECT \"text\", 'a' || 'b'", ("text", "0")),
    "sql_select_limit": (0, "SELECT 1", ("1",)),
    "max_join_size": (1, FIVE + "SELECT COUNT(*) FROM c", ("5",)),
    "time_zone": ("+12:00", "SELECT FROM_UNIXTIME(86400)", ("1970-01-02 00:00:00",)),
    "div_precision_increment": (0, "SELECT 2 / 3", ("0.6667",)),
    "group_concat_max_len": (4, FIVE + "SELECT GROUP_CONCAT(n) FROM c", ("1,2,3,4,5",)),
    "max_sort_length": (64, "SELECT @@session.max_sort_length", ("1024",)),
    "lc_time_names": ("de_DE", "SELECT DATE_FORMAT('2024-01-01', '%W')", ("Monday",)),
    "default_week_format": (3, "SELECT WEEK('2024-12-30')", ("52",)),
    "completion_type": (2, "SELECT @@session.completion_type", ("NO_CHAIN",)),
    "sql_safe_updates": (1, "SELECT @@session.sql_safe_updates", ("0",)),
    "sql_auto_is_null": (1, "SELECT @@session.sql_auto_is_null", ("0",)),
    "autocommit": (0, "SELECT @@session.autocommit", ("1",)),
    "init_connect": ("SET NAMES latin1 COLLATE latin1_bin", "SELECT 'ü', 'a' = 'A'", ("ü", "1")),
}
ODD = {
    "mariadb": {
        **ODD_SERVER,
        "tx_isolation": ("SERIALIZABLE", "SELECT @@session.tx_isolation", ("REPEATABLE-READ",)),
        "max_statement_time": (1e-6, "SELECT @@session.max_statement_time", ("1.500000",)),
        "max_recursive_iterations": (1, FIVE + "SELECT MAX(n) FROM c", ("5",)),
        "max_session_mem_used": (8192, f"SELECT COUNT(*) > 0 FROM {SCHEMA}.tables", ("1",)),
        "tmp_disk_table_size": (1024, f"SELECT COUNT(*) > 0 FROM {SCHEMA}.columns", ("1",)),
        "old_mode": ("ZERO_DATE_TIME_CAST", "SELECT @@session.old_mode", ("",)),
        "default_regex_flags": ("EXTENDED", "SELECT 'ab' REGEXP 'a b'", ("0",)),
        "system_versioning_asof": (
            "2020-01-01 00:00:00",
            "SELECT @@session.system_versioning_asof",
            ("DEFAULT",),
        ),
        "wsrep_sync_wait": (15, "SELECT @@session.wsrep_sync_wait", ("0",)),
        "wsrep_dirty_reads": (1, "SELECT @@session.wsrep_dirty_reads", ("0",)),
    },
    "mysql": {
        **ODD_SERVER,
        "transaction_isolation": (
            "SERIALIZABLE",
            "SELECT @@session.transaction_isolation",
            ("REPEATABLE-READ",),
        ),
        "information_schema_stats_expiry": (
            86400,
            "SELECT @@session.information_schema_stats_expiry",
            ("0",),
        ),
        "max_execution_time": (1, "SELECT @@session.max_execution_time", ("1500",)),
        "cte_max_recursion_depth": (0, FIVE + "SELECT MAX(n) FROM c", ("5",)),
        "group_replication_consistency": (
            "BEFORE_AND_AFTER",
            "SELECT @@session.group_replication_consistency",
            ("EVENTUAL",),
        ),
    },
}


@ONLY_MYSQL
def test_what_the_server_has_set_changes_no_answer(start, new_server, engine):
    server = new_server()
    for name, (odd, _, _) in ODD[engine].items():
        server.sql(f"SET GLOBAL {name} = {odd!r}")
    prober = start(engine, server.url()).opened()
    for name, (_, statement, expected) in ODD[engine].items():
        reply = prober.run(statement, limit=1500)
        assert reply.outcome == "ok" and reply.result.texts() == [expected], (name, reply)


@ONLY_MYSQL
def test_what_a_statement_has_reset_is_set_anew(start, server):
    """COM_RESET_CONNECTION brings the server's defaults back."""
    server.sql("SET GLOBAL time_zone = '+12:00'")
    try:
        prober = start("mysql", server.url("app")).opened()
        assert prober.run("SET autocommit = 0", read_only=False).outcome == "ok"
        reply = prober.run("SELECT @@session.time_zone, @@session.autocommit")
        assert reply.result.texts() == [("+00:00", "1")]
    finally:
        server.sql("SET GLOBAL time_zone = DEFAULT")


@ONLY_MYSQL
@pytest.mark.parametrize("inspect", [False, True])
def test_init_connect_that_fails(start, server, inspect):
    """It does not concern administrators, so they don't notice."""
    prober = start("mysql", server.url())
    server.sql("SET GLOBAL init_connect = 'INSERT INTO nosuch.t VALUES (1)'")
    try:
        reply = prober.open(inspect=inspect)
        assert (reply.outcome, reply.code) == ("terminated", "1184"), reply
    finally:
        server.sql("SET GLOBAL init_connect = ''")
    assert prober.open(inspect=inspect).outcome == "ok"


@ONLY_MYSQL
def test_a_server_that_demands_tls(start, server, engine):
    """MariaDB long refused with the number of a wrong password."""
    server.sql("SET GLOBAL require_secure_transport = ON")
    try:
        reply = start("mysql", server.url()).open()
        unsaid = engine == "mariadb" and release(MariaDB) <= (10, 11)
        expected = ("denied", "1045") if unsaid else ("tls", "3159")
        assert (reply.outcome, reply.code) == expected, reply
        assert start("mysql", server.url(**{"ssl-mode": "REQUIRED"})).open().outcome == "ok"
    finally:
        server.sql("SET GLOBAL require_secure_transport = OFF")
