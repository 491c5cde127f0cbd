"""What rules compare on real servers, type by type: a rule never orders what has no order here, and
says then what the column holds and what to write."""

import pytest
import sql
from exposition import Metrics
from program import Program

ISO = "2026-01-31 12:00"
MISFITS = {  # By engine: an expression, a rule on it, and what is said of it.
    "postgres": [
        ("interval '100 days'", "> 20", "extract(epoch FROM x)"),
        ("interval '100 days'", "== '20 days'", "an interval"),
        ("timestamptz '2026-01-31'", "> 5", "a timestamp"),
        ("now()", "== 'now'", f"a time, expected one like '{ISO}'"),
        ("date '2026-01-31'", "> 5", "a date"),
        ("time '12:00'", "> '2026-01-31'", "a time of day"),
        ("timetz '12:00+02'", "> '11:00'", "of a type without an order here"),
        ("100::money", "> 9", "x::numeric"),
        ("pg_lsn '0/FF'", "> 9", "pg_wal_lsn_diff(x, '0/0')"),
        ("'100'::xid", "> 9", "age(x)"),
        ("'5'::json", "> 4", "JSON"),
        ("'5'::jsonb", "== '5'", "(x ->> ...)::numeric"),
        ("array[1, 2]", "> 1", "cardinality(x)"),
        ("array['a']", "> 1", "an array"),
        ("B'101'", "> 4", "x::bit(64)::bigint"),
        ("inet '10.0.0.1'", "> 4", "of a type without an order here"),
        ("'1 2'::int2vector", "> 4", "an array"),
        ("'5'::bytea", "== 5", "of a type without an order here"),
        ("'15.2 beta'::text", "> 9", "is a string"),
        ("'2026-02-01'::text", f"> '{ISO}'", "text"),
    ],
    "mysql": [
        ("TIMESTAMP'2026-01-31 12:00:00'", "> 5", "UNIX_TIMESTAMP(x)"),
        ("NOW()", "== 'now'", f"a time, expected one like '{ISO}'"),
        ("DATE'2026-01-31'", "> 5", "a date or time"),
        ("DATE'2026-01-31'", "> '12:00'", "a date or time"),
        ("TIME'100:00:00'", "> 99", "TIME_TO_SEC(x)"),
        ("'ON'", "> 0", "is a string"),
        ("CONCAT('2026-02-01')", f"> '{ISO}'", "text"),
    ],
}
MISFITS_OF_JSON = [("CAST('5' AS JSON)", "> 4", "JSON_VALUE(x, '$...')")]
FITS = {  # An expression, a rule on it, and whether that holds.
    "postgres": [
        ("'15.2'::text", "< 9", False),
        ("'15.2'::varchar", "> 9", True),
        ("'9'::char(1)", "< 15.2", True),
        ("current_setting('max_connections')", "> 9", True),
        ("timestamptz '2026-01-31 13:00+02'", f"< '{ISO}'", True),
        ("timestamp '2026-01-31 12:00'", f"== '{ISO}'", True),
        ("timestamp 'infinity'", f"> '{ISO}'", True),
        ("timestamp '0044-03-15 BC'", "< '0001-01-01'", True),
        ("date '10000-01-01'", "> '2026-01-31'", True),
        ("time '9:00'", "< '10:00'", True),
        ("'100'::xid8", "> 9", True),
        ("'100'::xid", "== '100'", True),
        ("pg_lsn '0/FF'", "!= '0/0'", True),
        ("inet '10.0.0.1'", "== '10.0.0.1'", True),
        ("'a'::name", "== 'a'", True),
        ("interval '1 day'", "!= null", True),
        ("null::interval", "== null", True),
        ("'{}'::json", "== null", False),
        ("null::interval", "> 5", True),
        ("true", "< 1", False),
    ],
    "mysql": [
        ("'15.2'", "< 9", False),
        ("'15.2'", "> 9", True),
        ("CAST('100' AS CHAR)", ">= 99.5", True),
        ("TIMESTAMP'2026-01-31 11:59:59.999999'", f"< '{ISO}'", True),
        ("DATE'2026-01-31'", f"< '{ISO}'", True),
        ("TIME'100:00:00'", "> '99:00'", True),
        ("TIME'-100:00:00'", "< '00:00'", True),
        ("NOW()", "!= null", True),
        ("CAST(NULL AS DATETIME)", "== null", True),
        ("CAST('{}' AS CHAR)", "== '{}'", True),
    ],
}


@pytest.fixture
def verdicts(build_dir, tmp_path, server):
    """verdicts(cases) runs a check for each: its verdict and what is said of it."""

    def run(cases):
        folder = tmp_path / "checks"
        folder.mkdir()
        for number, (expression, rule, _) in enumerate(cases):
            text = sql.check(f"SELECT {expression} AS x", fail=f"x {rule}", timeout="5s", every="1h")
            (folder / f"case-{number}.sql").write_text(text)
        ended = Program(build_dir).run("check", "--checks", folder, DATABASE_URL=server.url())
        return [ended.row(f"case-{number}") for number in range(len(cases))]

    return run


def of(server, table):
    return table["postgres" if server.engine == "postgres" else "mysql"]


def test_what_has_no_order_is_config_and_says_what_to_write(server, verdicts):
    cases = of(server, MISFITS) + (MISFITS_OF_JSON if server.engine == "mysql" else [])
    for (expression, rule, said), (verdict, detail) in zip(cases, verdicts(cases), strict=True):
        case = (expression, rule, verdict, detail)
        assert (verdict, detail.partition(":")[0]) == ("unknown", "config"), case
        assert "column x" in detail and said in detail, case


def test_what_has_an_order_is_compared_by_it(server, verdicts):
    cases = of(server, FITS)
    for (expression, rule, holds), (verdict, detail) in zip(cases, verdicts(cases), strict=True):
        assert verdict == ("fail" if holds else "pass"), (expression, rule, verdict, detail)


@pytest.mark.parametrize("engine", ["postgres"], indirect=True, scope="session")
def test_a_domain_is_what_it_is_made_of_and_an_enumeration_is_text(server, verdicts):
    server.sql("CREATE DOMAIN app.span AS interval")
    server.sql("CREATE TYPE app.level AS ENUM ('low', 'high')")
    cases = [
        ("interval '9 days'::app.span", "> 5", "an interval"),
        ("'low'::app.level", "== 'low'", None),
        ("'low'::app.level", "> 1", "of a type without an order here"),
    ]
    try:
        span, equal, order = verdicts(cases)
    finally:
        server.sql("DROP TYPE app.level")
        server.sql("DROP DOMAIN app.span")
    assert span[0] == "unknown" and cases[0][2] in span[1]
    assert equal == ("fail", "x low == 'low'")
    assert order[0] == "unknown" and cases[2][2] in order[1]


@pytest.mark.parametrize("engine", ["mariadb", "mysql"], indirect=True, scope="session")
def test_a_status_variable_is_compared_as_the_number_that_it_spells(server, adapter):
    status = "SHOW GLOBAL STATUS LIKE 'Uptime'"
    checks = {
        "up": sql.check(status, fail="Value < 1"),
        "old": sql.check(status, fail="Value > 1", endpoints="old"),
        "no-number": sql.check(
            "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_dump_status'",
            warn="Value > 1",
            endpoints="other",
        ),
    }
    server.value("SELECT SLEEP(2)")
    a = adapter(server.url(), checks=checks)
    assert (a.status_of("/readyz"), a.status_of("/old"), a.status_of("/other")) == (200, 503, 503)
    assert "column Value is a string" in a.shown("/other")["no-number"].detail
    values = Metrics(a.get("/metrics").body).by("check", "dbhealthd_check_value", column="Value")
    assert set(values) == {"up", "old"} and values["up"] >= 2


def test_lint_tells_what_can_be_told_without_a_server(build_dir, tmp_path):
    for name, rule in (("age", "age > '20 days'"), ("version", "version < '9'")):
        (tmp_path / f"{name}.sql").write_text(sql.check(fail=rule))
    (tmp_path / "since.sql").write_text(sql.check(fail=f"at < '{ISO}'"))
    ended = Program(build_dir).run("lint", tmp_path)
    faults = ended.errors.splitlines()
    assert (ended.status, len(faults)) == (2, 2)
    assert "age.sql:1:16: fail: text has no order, expected a number" in faults[0]
    assert "version.sql:1:20: fail: text has no order" in faults[1]
