"""A session is ours: what a role, a database or the whole server has as its default changes no
answer of a run, and nothing holds it up before its own limits are in force."""

import contextlib
import os
import signal

import pytest
from servers import wait_until
from wire import Verb

ONLY_POSTGRES = pytest.mark.parametrize("engine", ["postgres"], indirect=True, scope="session")

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
