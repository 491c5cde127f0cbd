"""Keys of check files: params and their overrides, flavors, versions, and keys for others."""

import json
import re

import pytest
import servers
import sql
from exposition import Metrics

LOGGED_MOST = 1000  # Rows of one run.

BEHIND = "SELECT 20 AS behind"
PARAM = {"param": "most = 30", "fail": "behind > $most"}
TYPED = (
    "-- endpoints: typed\n-- param: role = 'primary'\n-- param: on = true\n-- param: share = 0.5\n"
    "-- fail: name != $role\n-- fail: flag != $on\n-- warn: ratio > $share\n"
    "SELECT 'primary' AS name, 1 = 1 AS flag, 0.4 AS ratio"
)


def lag(statement=BEHIND, **keys):
    return sql.check(statement, **{"endpoints": "readyz", "cache": "60s", **PARAM, **keys})


# Column names


@pytest.mark.parametrize("engine", ["mariadb", "mysql"], indirect=True, scope="session")
@pytest.mark.parametrize("character", "xé界")
@pytest.mark.parametrize("length", [64, 255])
def test_rules_and_metrics_name_the_longest_columns(adapter, server, length, character):
    name = (length * character).encode()[:255].decode(errors="ignore")  # What both send of it.
    keys = {"fail": f'"{name}" > 9', "metrics": f"other, {name}"}
    statement = "SELECT {} AS `{}`, 'x' AS other"
    checks = {
        "good": sql.check(statement.format(5, name), endpoints="good", **keys),
        "bad": sql.check(statement.format(10, name), endpoints="bad", **keys),
        "other": sql.check(statement.format(5, f"{name[:-1]}_"), endpoints="other", **keys),
    }
    a = adapter(server.url(), checks=checks)
    shown = name.encode()[:64].decode(errors="ignore") + "..." * (len(name.encode()) > 64)
    assert (a.status_of("/good"), a.status_of("/bad"), a.status_of("/other")) == (200, 503, 503)
    assert a.shown("/bad")["bad"].detail == f"{shown} 10 > 9"
    assert f"(column {shown} is not in the result)" in a.shown("/other")["other"].detail
    values = Metrics(a.get("/metrics").body).by("check", "dbhealthd_check_value", column=name)
    assert values == {"good": 5, "bad": 10}
    assert a.messages("configuration is wrong") == []


def test_postgres_has_no_column_of_a_longer_name(adapter, postgres):
    """It cuts the name in the statement: a rule with all of it would never find its column."""
    checks = {
        f"most{length}": sql.check(f"SELECT 5 AS {length * 'x'}", fail=f"{length * 'x'} > 9")
        for length in (63, 64)
    }
    a = adapter(postgres.url(), checks=checks)
    assert a.shown("/readyz")["most63"].code == ""
    assert a.shown("/readyz")["most64"].code == "config"
    (line,) = a.messages("configuration is wrong")
    assert re.search(r"most64.sql:1:10: .* at most 63 bytes$", line["problem"])


# Params


OVERRIDES = [  # Query, status, and what is shown of the check.
    ("", 200, "ok"),
    ("most=5", 503, "failed: behind 20 > 5"),
    ("most=19.5", 503, "failed: behind 20 > 19.5"),
    ("most=2e1", 200, "ok"),
    ("most=-1", 503, "failed: behind 20 > -1"),
    ("most=20&verbose", 200, "ok"),
    ("most=%35", 503, "failed: behind 20 > 5"),
]
REFUSED = [  # Query, and what is said of it.
    ("most=", "most"),
    ("most", "most"),
    ("most=abc", "most"),
    ("most=5;DROP", "most"),
    ("most='5'", "most"),
    ("most=null", "most"),
    ("most=nan", "most"),
    ("most=0x10", "most"),
    ("least=5", "unknown parameter 'least'"),
    ("MOST=5", "unknown parameter 'MOST'"),
    ("most=5&least=5", "unknown parameter 'least'"),
    ("most=5&exclude=lag", "unknown parameter 'most'"),
    ("%1b%5b31m=5", "unknown parameter"),
]


def test_a_request_may_override_a_param(adapter, server):
    a = adapter(server.url(), checks={"lag": lag()})
    for query, status, shown in OVERRIDES:
        answer = a.get(f"/readyz?verbose&{query}" if query else "/readyz?verbose")
        assert (query, answer.status) == (query, status)
        assert answer.body.splitlines()[0].partition(" ")[2] == shown
        assert a.status_of(f"/readyz/lag?{query}") == status


def test_an_override_causes_no_query_no_log_line_and_no_verdict(server, counter, adapter):
    """It judges the cached row for itself alone."""
    statement = f"SELECT 20 AS behind, counted.* FROM ({counter.taking()}) AS counted"
    a = adapter(server.url(), checks={"lag": lag(statement, writes="yes")})
    assert a.status_of("/readyz") == 200
    for query, status, _ in OVERRIDES * 3:
        assert a.status_of(f"/readyz?{query}") == status
        assert a.status_of("/readyz") == 200
    assert counter.value() == 1
    assert [change["to"] for change in a.transitions("lag")] == ["pass"]
    assert json.loads(a.get("/status").body)["endpoints"]["readyz"] == "pass"


def test_the_first_request_may_be_one_that_overrides(adapter, server):
    a = adapter(server.url(), checks={"lag": lag()})
    assert a.status_of("/readyz?most=5") == 503
    assert a.status_of("/readyz") == 200
    assert [change["to"] for change in a.transitions("lag")] == ["pass"]


def test_an_override_can_lift_a_failure(adapter, postgres):
    a = adapter(postgres.url(), checks={"lag": lag(param="most = 10")})
    statuses = [a.status_of(path) for path in ("/readyz", "/readyz?most=30", "/readyz")]
    assert statuses == [503, 200, 503]


def test_an_override_lifts_no_failure_that_is_no_rules(adapter, new_mariadb):
    server = new_mariadb()
    a = adapter(server.url(), checks={"lag": lag(cache="0s")})
    assert a.status_of("/readyz?most=1000") == 200
    server.kill9()
    answer = a.get("/readyz?most=1000")
    assert answer.status == 503 and "refused" in answer.body


@pytest.mark.parametrize("query, said", REFUSED)
def test_a_bad_override_is_400_and_says_which(adapter, postgres, query, said):
    a = adapter(postgres.url(), checks={"lag": lag(), "other": sql.check()})
    for path in ("/readyz", "/readyz/lag"):
        answer = a.get(f"{path}?{query}")
        assert answer.status == 400
        assert said in answer.body and "\033" not in answer.body
    assert a.transitions() == []  # Nothing was asked.


def test_a_param_is_of_the_endpoints_own_checks(adapter, postgres):
    a = adapter(postgres.url(), checks={"lag": lag(), "alive": sql.alive(), "other": sql.check()})
    for path in ("/healthz", "/readyz/other", "/livez", "/status"):
        assert a.status_of(f"{path}?most=5") == 400
    assert a.status_of("/?most=5") == 503


def test_one_name_in_several_checks_is_overridden_in_all(adapter, postgres):
    checks = {"one": lag(), "two": lag(fail="behind != $most")}
    a = adapter(postgres.url(), checks=checks)
    shown = a.get("/readyz?most=5").body
    assert "[-]one failed: behind 20 > 5" in shown and "[-]two failed: behind 20 != 5" in shown
    assert a.status_of("/readyz?most=20") == 200


@pytest.mark.parametrize(
    "query, status",
    [("role=primary", 200), ("role=replica", 503), ("on=true", 200), ("on=false", 503)],
)
def test_params_have_types(adapter, server, query, status):
    a = adapter(server.url(), checks={"typed": TYPED})
    assert a.status_of("/typed") == 200
    assert a.status_of(f"/typed?{query}") == status
    assert a.get("/typed?verbose&share=0.3").body.startswith("[+]typed warn: ratio 0.4 > 0.3\n")
    assert a.status_of("/typed?on=perhaps") == a.status_of("/typed?share=much") == 400


def test_a_params_default_may_come_from_the_environment(adapter, postgres):
    checks = {"lag": lag(param="most = ${MOST:-30}")}
    assert adapter(postgres.url(), checks=checks).status_of("/readyz") == 200
    a = adapter(postgres.url(), checks=checks, MOST="10")
    assert (a.status_of("/readyz"), a.status_of("/readyz?most=30")) == (503, 200)


# Flavors and versions


def test_a_check_for_other_products_is_skipped(adapter, server):
    flavors = {name: sql.check(flavor=name) for name in ("postgres", "mysql", "mariadb")}
    a = adapter(server.url(), checks={**flavors, "both": sql.check(flavor="mysql, mariadb")})
    assert a.status_of("/readyz") == 200
    meant = {server.engine, *(() if server.engine == "postgres" else ("both",))}
    for name, line in a.shown("/readyz").items():
        assert line.verdict == ("ok" if name in meant else "skipped")
        assert not line.fails
        assert a.status_of(f"/readyz/{name}") == (200 if name in meant else 503)


VERSIONS = [  # Bounds, and whether a server is within them.
    (">= 5", True),
    ("< 99", True),
    (">= 5, < 99", True),
    ("< 5", False),
    (">= 99", False),
    ("== 4.4.4", False),
    ("!= 4.4.4", True),
]


def test_a_check_for_other_versions_is_skipped(adapter, server):
    checks = {f"v{i}": within_versions(bounds) for i, (bounds, _) in enumerate(VERSIONS)}
    shown = adapter(server.url(), checks=checks).shown("/readyz")
    version = re.search(r"[0-9.]+", server.value("SELECT version()"))[0]
    for i, (bounds, within) in enumerate(VERSIONS):
        line = shown[f"v{i}"]
        assert line.verdict == ("ok" if within else "skipped")
        assert within or f"(it is for server-version {bounds}, and this is {version}" in line.detail


def within_versions(bounds):
    return sql.check(**{"server-version": bounds})


def test_the_servers_own_version_is_within_its_bounds(adapter, server):
    said = server.value("SELECT version()")  # "PostgreSQL 15.1 (...", "10.11.1-MariaDB...", "9.7.0"
    version = re.search(r"[0-9.]+", said)[0]
    major = int(version.partition(".")[0])
    checks = {
        "major": within_versions(f">= {major}, < {major + 1}"),
        "exact": within_versions(f"== {version}"),
    }
    shown = adapter(server.url(), checks=checks).shown("/readyz")
    assert [line.verdict for line in shown.values()] == ["ok", "ok"]


# What a statement names and is not there, as app sees it, who may do all in app.

MISSING = {
    "postgres": (
        "SELECT * FROM app.nosuch",  # A table, or a view.
        "SELECT * FROM nosuch.t",
        "SELECT nosuch FROM pg_database",
        "SELECT nosuch(1)",
        "SELECT nosuch.f()",
        "SELECT 1 OPERATOR(pg_catalog.@#@) 1",
        "SHOW nosuch",
        "SELECT current_setting('nosuch.setting')",
        "SELECT count(*) FROM public.pg_stat_statements",  # An extension's.
        "SELECT nextval('app.nosuch')",
        "SELECT 'nosuch'::regrole IS NOT NULL",
        "SELECT pg_database_size('nosuch')",
    ),
    "mysql": (
        "SELECT * FROM app.nosuch",
        "SELECT nosuch FROM information_schema.tables",
        "SELECT * FROM information_schema.nosuch",
        "SELECT @@nosuch",
        "SELECT @@global.nosuch",
        "SELECT app.nosuch()",
        "CALL app.nosuch()",
        "SHOW ENGINE nosuch STATUS",
        "SELECT n FROM app.there USE INDEX (nosuch)",
        "SELECT _utf8mb4'x' COLLATE nosuch",
        "SELECT CONVERT('x' USING nosuch)",
    ),
    "mariadb": ("SELECT LASTVAL(app.nosuch)",),
}
THERE = {  # Other errors are no such thing.
    "postgres": ("SELECT 1 / 0", "SELECT * FROM app.hidden", "SELECT nosuch FROM FROM"),
    "mysql": ("SELECT * FROM mysql.user", "SELECT nosuch FROM FROM"),
}


@pytest.fixture
def app_objects(server):
    server.sql("CREATE TABLE app.there (n int)")
    server.sql("CREATE TABLE app.hidden (n int)")
    yield
    server.sql("DROP TABLE app.there")
    server.sql("DROP TABLE app.hidden")


def test_what_is_not_there_is_missing_or_skipped(adapter, server, app_objects):
    kind = "postgres" if server.engine == "postgres" else "mysql"
    absent = (*MISSING[kind], *(MISSING["mariadb"] if server.engine == "mariadb" else ()))
    checks = {}
    for i, statement in enumerate(absent):
        checks[f"skips{i}"] = sql.check(statement, endpoints="skips", skip="missing")
        checks[f"plain{i}"] = sql.check(statement, endpoints="plain")
        checks[f"warns{i}"] = sql.check(statement, endpoints="warns", tolerate="missing")
    for i, statement in enumerate(THERE[kind]):
        checks[f"there{i}"] = sql.check(statement, endpoints="there", skip="missing")
    a = adapter(server.url("app"), checks=checks)
    assert [a.status_of(f"/{name}") for name in ("skips", "plain", "warns")] == [503, 503, 200]
    skips, plain = a.shown("/skips"), a.shown("/plain")
    for i, statement in enumerate(absent):
        assert (statement, skips[f"skips{i}"].verdict) == (statement, "skipped")
        assert (statement, plain[f"plain{i}"].code) == (statement, "missing")
    codes = {line.code for line in a.shown("/there").values()}
    assert codes == {"server_error"}
    (line,) = a.transitions("skips0")
    assert (line["to"], line["outcome"]) == ("skipped", "skipped")
    assert "nosuch" in line["message"] and line["stage"] == "run"


def test_an_endpoint_whose_checks_are_all_skipped_is_503(adapter, postgres):
    only = {"flavor": "mysql"}
    checks = {
        "alive": sql.check(endpoints="healthz", **only),
        "accepting": sql.check(endpoints="readyz", **only),
        "role": sql.check(endpoints="primary", **only),
    }
    a = adapter(postgres.url(), checks=checks)
    paths = ("/healthz", "/readyz", "/primary", "/primary/role")
    assert [a.status_of(path) for path in paths] == [200, 503, 503, 503]
    line = "[+]role skipped: not meant for this server (it is for mysql)\n"
    assert a.get("/primary").body.startswith(line)
    report = json.loads(a.get("/primary?format=json").body)
    assert (report["status"], report["checks"]["role"][0]["verdict"]) == ("fail", "skipped")


def test_a_skipped_check_runs_nothing_but_sees_faults(adapter, new_mariadb):
    """Nobody knows the flavor of a server that does not answer."""
    server = new_mariadb()
    a = adapter(server.url(), checks={"other": sql.check(flavor="mysql", cache="0s")})
    assert a.shown("/readyz")["other"].verdict == "skipped"
    server.kill9()
    assert a.shown("/readyz")["other"].code == "refused"
    assert [change["to"] for change in a.transitions("other")] == ["skipped", "fail"]


# Keys for others


# Skip


def role(statement):
    return sql.check(statement, endpoints="primary", skip="replica == true", fail="fit == false")


def test_a_check_that_skips_itself_is_no_failure_but_leaves_its_endpoint_empty(adapter, server):
    a = adapter(
        server.url(),
        checks={"alive": sql.alive(), "role": role("SELECT 1 = 1 AS replica, 1 = 0 AS fit")},
    )
    assert a.status_of("/primary") == 503
    assert a.get("/primary?verbose").body.splitlines()[0].startswith("[+]role skipped: ")
    assert a.status_of("/healthz") == 200
    assert [line["to"] for line in a.transitions("role")] == ["skipped"]
    assert a.transitions("role")[0]["level"] == "info"
    b = adapter(server.url(), checks={"role": role("SELECT 1 = 0 AS replica, 1 = 0 AS fit")})
    assert b.get("/primary").body.startswith("[-]role failed: fit ")


# Optional checks


def test_an_optional_check_runs_only_when_named(adapter, server):
    checks = {"alive": sql.alive(), "extra": sql.check(enabled="no"), "more": sql.check(enabled="no")}
    a = adapter(server.url(), checks=checks)
    assert "extra" not in a.get("/readyz?verbose").body
    assert a.status_of("/readyz/extra") == 404
    b = adapter(server.url(), checks=checks, DBHEALTH_ENABLE="extra")
    assert b.status_of("/readyz/extra") == 200
    assert b.status_of("/readyz/more") == 404


# Rows


def rows_of(a):
    return [line for line in a.output() if line.get("msg") == "row"]


@pytest.mark.parametrize("form", ("logfmt", "json"))
def test_each_row_becomes_a_line_on_standard_output(adapter, server, form):
    statement = "SELECT 1 AS n, 'two words\n' AS t UNION ALL SELECT 2, 'x' ORDER BY n"
    report = sql.check(statement, endpoints="none", log="rows", every="300ms")
    a = adapter(server.url(), checks={"alive": sql.alive(), "report": report}, DBHEALTH_LOG_FORMAT=form)
    servers.wait_until(lambda: len(rows_of(a)) >= 4, "two periods are logged")
    first, second = rows_of(a)[:2]
    assert (first["check"], str(first["n"]), first["t"]) == ("report", "1", "two words")
    assert (second["check"], str(second["n"]), second["t"]) == ("report", "2", "x")
    assert not [line for line in a.lines() if line.get("msg") == "row"]


def test_more_rows_than_are_kept_are_counted(adapter, postgres):
    statement = "SELECT n, repeat('x', 500) FROM generate_series(1, 3000) AS n"
    report = sql.check(statement, endpoints="none", log="rows", every="1m")
    a = adapter(postgres.url(), checks={"alive": sql.alive(), "report": report})
    left = servers.wait_until(
        lambda: [line for line in a.lines() if line["msg"] == "rows left out"], "they are told"
    )
    assert int(left[0]["rows"]) + LOGGED_MOST >= 3000 and left[0]["check"] == "report"


@pytest.mark.parametrize("keys", ({"x-owner": "team a"}, {"x-": "y"}, {"metrics": "no"}))
def test_keys_that_change_no_verdict(adapter, postgres, keys):
    a = adapter(postgres.url(), checks={"one": sql.check(**keys)})
    assert not a.messages("configuration is wrong")
    assert a.status_of("/readyz") == 200
