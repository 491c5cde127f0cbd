"""Checks that look at each row: the worst decides and is named, and every surface shows the rows."""


import pytest
import sql
from exposition import Metrics
from health import parse_document
from program import Program

VALUE, LEFT_OUT = "dbhealthd_check_value", "dbhealthd_check_rows_left_out"
SIZES = (("app", 120), ("log", 7), ("old", 95), ("web", 130))
KEYS = {"rows": "each", "fail": "size > 100", "warn": "size > 90"}


def values(rows, names=("name", "size")):
    """A statement that gives these rows, on every engine."""
    quoted = [
        [f"'{value}'" if isinstance(value, str) else "NULL" if value is None else str(value) for value in row]
        for row in rows
    ]
    first = ", ".join(f"{value} AS {name}" for value, name in zip(quoted[0], names, strict=True))
    rest = "".join(f" UNION ALL SELECT {', '.join(row)}" for row in quoted[1:])
    return f"SELECT {first}{rest}"


def sizes(given=SIZES, **keys):
    return sql.check(values(given), **{**KEYS, **keys})


def none_of(rows):
    return f"SELECT * FROM ({values(rows)}) AS r WHERE size > 1000000"


def check_of(adapter, name):
    [check] = parse_document(adapter.get("/status").body)["checks"][name]
    return check


def metrics(adapter):
    return Metrics(adapter.get("/metrics").body)


# The verdict


CASES = {  # A check file, its verdict, and what is said of it.
    "worst": (sizes(), "fail", "app: size 120 > 100, and 1 more"),
    "one": (sizes(SIZES[1:]), "fail", "web: size 130 > 100"),
    "warns": (sizes(SIZES[1:3]), "warn", "old: size 95 > 90"),
    "well": (sizes(SIZES[1:2]), "pass", ""),
    "left-out": (sizes(skip="name == 'app'", fail="size > 125"), "fail", "web: size 130 > 125"),
    "all-left-out": (sizes(skip="size > 0"), "skipped", "app: size 120 > 0, and 3 more"),
    "null": (sizes([("app", 7), ("new", None)]), "fail", "new: size is null"),
    "no-name": (sql.check(values([(1,), (120,)], ["size"]), **KEYS), "fail", "row 2: size 120 > 100"),
    "two-names": (
        sql.check(values([("a", "b", 5), ("a", None, 120)], ["db", "tab", "size"]), **KEYS),
        "fail",
        "a, null: size 120 > 100",
    ),
    "own-name": (
        sql.check(values([("ok", "x"), ("bad", "y")], ["state", "slot"]), rows="each", fail="state != 'ok'"),
        "fail",
        "y: state bad != 'ok'",
    ),
    "only-name": (
        sql.check(values([("ok",), ("bad",)], ["state"]), rows="each", fail="state != 'ok'"),
        "fail",
        "bad: state bad != 'ok'",
    ),
    "text-number": (
        sql.check(values([("a", "7"), ("b", "120")]), **KEYS),
        "fail",
        "b: size 120 > 100",
    ),
    "count": (sizes(SIZES[1:2], fail="rows < 5"), "fail", "rows 1 < 5"),
    "unfit": (sizes([("a", "x")]), "unknown", "column size is a string"),
    "none": (sql.check(none_of(SIZES), **KEYS), "fail", "no_row"),
    "good-none": (sql.check(none_of(SIZES), **{**KEYS, "no-rows": "pass"}), "pass", ""),
    "first-none": (sql.check(none_of(SIZES), **{"fail": "size > 1", "no-rows": "pass"}), "pass", ""),
    "unruled-none": (sql.check(none_of(SIZES), **{"no-rows": "pass"}), "pass", ""),
    "first": (sizes([("log", 7), ("app", 120)], rows="first"), "pass", ""),
}


def test_the_worst_row_decides_and_is_named(server, build_dir, tmp_path):
    for name, (text, _, _) in CASES.items():
        (tmp_path / f"{name}.sql").write_text(text)
    ended = Program(build_dir).run(
        "check", "--checks", tmp_path, DATABASE_URL=server.url(), DBHEALTH_TIMEOUT="900ms"
    )
    for name, (_, wanted, said) in CASES.items():
        verdict, detail = ended.row(name)
        assert verdict == wanted, (name, verdict, detail)
        assert detail == said or (said and said in detail), (name, detail)


def test_a_request_overrides_for_every_row(adapter, server):
    rules = {"rows": "each", "param": "most = 100", "fail": "size > $most"}
    check = sql.check(values(SIZES[1:]), endpoints="size", **rules)
    a = adapter(server.url(), checks={"sizes": check})
    assert a.status_of("/size") == 503
    assert a.status_of("/size?most=1000") == 200
    answer = a.get("/size?most=5", Accept="application/health+json")
    [told] = parse_document(answer.body)["checks"]["sizes"]
    assert told["reason"] == "log: size 7 > 5, and 2 more"
    assert [row["verdict"] for row in told["rows"]] == ["fail"] * 3


# What is shown


def test_every_surface_shows_the_rows(adapter, server):
    a = adapter(server.url(), checks={"sizes": sizes()}, DBHEALTH_CACHE="1h")
    seen = metrics(a)
    assert seen.by("name", VALUE, check="sizes", column="size") == dict(SIZES)
    assert seen.value(LEFT_OUT, check="sizes") == 0
    told = check_of(a, "sizes")
    assert told["rowsLeftOut"] == 0
    assert told["rows"] == [
        {
            "verdict": "fail" if size > 100 else "warn" if size > 90 else "pass",
            "labels": [{"name": "name", "value": name}],
            "values": [{"name": "size", "observedValue": size}],
        }
        for name, size in SIZES
    ]
    [value] = told["values"]
    assert [limit["value"] for limit in value["limits"]] == [100, 90]
    page = a.get("/", Accept="text/html").body
    assert "fail app: size 120<br>" in page and "warn old: size 95<br>" in page
    [line] = a.transitions("sizes")
    assert line["reason"] == "app: size 120 > 100, and 1 more"
    assert "[-]sizes failed: app: size 120 > 100, and 1 more\n" in a.get("/readyz").body


def test_of_many_rows_the_worst_are_shown_and_the_rest_told(adapter, server):
    rows = [(f"t{number}", number) for number in range(1, 151)]
    checks = {
        "many": sizes(rows, fail="size > 149", warn="size > 140"),
        "well": sizes(rows, fail="size > 150", warn="size > 150", endpoints="none"),
    }
    a = adapter(server.url(), checks=checks, DBHEALTH_CACHE="1h")
    told = check_of(a, "many")
    assert told["reason"] == "t150: size 150 > 149"
    assert (len(told["rows"]), told["rowsLeftOut"]) == (100, 50)
    names = [row["labels"][0]["value"] for row in told["rows"]]
    assert names == [f"t{number}" for number in (*range(1, 91), *range(141, 151))]
    assert check_of(a, "well")["verdict"] == "pass"
    seen = metrics(a)
    assert len(seen.by("name", VALUE, check="many")) == 100
    assert seen.value(LEFT_OUT, check="many") == 50
    assert "and 50 rows more" in a.get("/", Accept="text/html").body


def test_a_pass_wants_all_rows(adapter, postgres):
    """A row that was not looked at may be the one that fails."""
    long = "SELECT n AS size, repeat('x', 1000) AS name FROM generate_series(1, {}) AS n"
    many = "SELECT n AS size FROM generate_series(1, 5000) AS n"
    checks = {
        "unseen": sql.check(many, rows="each", fail="size > 4999"),
        "seen": sql.check(many, rows="each", fail="size > 5"),
        "warned": sql.check(many, rows="each", warn="size > 5"),
        "counted": sql.check(many, rows="each", skip="rows > 1000", fail="size > 4999"),
        "long": sql.check(long.format(100), rows="each", fail="size > 99"),
        "short": sql.check(long.format(20), rows="each", fail="size > 19"),
    }
    a = adapter(postgres.url(), checks=checks)
    shown = a.shown("/readyz")
    assert shown["unseen"].code == "too_large"
    assert "(1000 of 5000 rows could be judged)" in shown["unseen"].detail
    assert shown["seen"].detail == "row 6: size 6 > 5, and 994 more"
    assert shown["warned"].verdict == "warn"
    assert shown["counted"].verdict == "skipped"
    assert shown["long"].code == "too_large"
    assert shown["short"].detail.endswith("...: size 20 > 19")
    assert a.messages("prober crashed") == []


HOSTILE = {  # A column's name, and the label's; in their order.
    "check": "check_",
    "column": "column_",
    "a-b": "a_b",
    "a.b": "a_b_",
    "__name__": "_name__",
    "1st": "_1st",
    "Grüße": "Gr____e",
}


def test_labels_are_what_a_scraper_takes(adapter, server):
    quote = '"' if server.engine == "postgres" else "`"
    columns = ", ".join(f"'v{i}' AS {quote}{name}{quote}" for i, name in enumerate(HOSTILE))
    a = adapter(server.url(), checks={"x": sql.check(f"SELECT {columns}, 5 AS n", rows="each", fail="n > 9")})
    [labels] = [dict(pairs) for (name, pairs) in metrics(a).series if name == VALUE]
    wanted = {label: f"v{i}" for i, label in enumerate(HOSTILE.values())}
    assert labels == {"check": "x", "column": "n", **wanted}


def test_values_of_labels_are_escaped_bounded_and_differ(adapter, server):
    wild = 'a"b}\\c<b>'
    sent = wild.replace("\\", "\\\\") if server.engine != "postgres" else wild
    rows = [(sent, 1), ("x" * 300 + "a", 2), ("x" * 300 + "b", 3), (None, 4), ("", 5), ("same", 6), ("same", 7)]
    a = adapter(server.url(), checks={"x": sizes(rows, endpoints="none")}, DBHEALTH_CACHE="1h")
    seen = metrics(a)
    assert seen.by("name", VALUE, check="x") == {wild: 1, "x" * 128: 2, "": 4, "same": 6}
    assert seen.value(LEFT_OUT, check="x") == 3
    assert [row["labels"][0]["value"] for row in check_of(a, "x")["rows"]][3:5] == [None, ""]
    page = a.get("/", Accept="text/html").body
    assert "<b>" not in page.partition("</table>")[0] and "c&lt;b&gt;: size 1<br>" in page


def test_metrics_names_what_is_one_of_each_row(adapter, server):
    rows = [("Threads_running", "7", 1), ("Uptime", "120", 2)]
    statement = values(rows, ("name", "value", "other"))
    checks = {
        "named": sql.check(statement, rows="each", endpoints="none", metrics="value"),
        "all": sql.check(statement, rows="each", endpoints="none"),
        "none": sql.check(statement, rows="each", endpoints="none", metrics="no"),
    }
    a = adapter(server.url(), checks=checks, DBHEALTH_CACHE="1h")
    seen = metrics(a)
    assert seen.by("name", VALUE, check="named") == {"Threads_running": 7, "Uptime": 120}
    assert seen.by("value", VALUE, check="all") == {"7": 1, "120": 2}
    assert seen.by("name", VALUE, check="none") == {}


def test_rows_that_are_gone_are_gone_everywhere(adapter, postgres):
    postgres.sql("CREATE TABLE app.sizes (name text, size int)")
    postgres.sql("GRANT SELECT ON app.sizes TO probe")
    try:
        postgres.sql("INSERT INTO app.sizes VALUES ('a', 1), ('b', 200)")
        text = sql.check("TABLE app.sizes", **{**KEYS, "no-rows": "pass", "cache": "0s"})
        a = adapter(postgres.url(), checks={"x": text})
        assert a.status_of("/readyz") == 503
        postgres.sql("DELETE FROM app.sizes WHERE name = 'b'")
        assert a.status_of("/readyz") == 200
        assert metrics(a).by("name", VALUE, check="x") == {"a": 1}
        postgres.sql("DELETE FROM app.sizes")
        assert a.status_of("/readyz") == 200
        assert metrics(a).by("name", VALUE, check="x") == {}
        assert check_of(a, "x")["rows"] == []
    finally:
        postgres.sql("DROP TABLE app.sizes")


def test_memory_is_bounded(adapter, postgres, sanitized):
    """Twenty checks with the largest results that fit: what is kept of each is at most that."""
    if sanitized:
        pytest.skip("a sanitizer keeps what is freed")
    text = "SELECT repeat('n', 200) || n AS name, n AS size FROM generate_series(1, 2000) AS n"
    checks = {f"x{i}": sql.check(text, **KEYS, cache="0s") for i in range(20)}
    a = adapter(postgres.url(), checks=checks, DBHEALTH_DEADLINE="10s", DBHEALTH_TIMEOUT="5s")
    a.get("/status")
    before = a.own_memory()
    for _ in range(5):
        a.get("/status")
    assert a.own_memory() - before < 4096


def test_faults_are_told_with_their_place(build_dir, tmp_path):
    faults = {
        "a": (sql.check(rows="each"), "a.sql:1:10: rows: each row is judged by rules on its columns"),
        "b": (sql.check(rows="all", fail="x > 1"), "b.sql:1:10: rows: expected first or each"),
        "c": (sql.check(**{"no-rows": "good"}), "c.sql:1:13: no-rows: expected fail or pass"),
        "d": (sql.check(rows="each", fail="rows > 1"), "d.sql:1:10: rows: each row is judged"),
    }
    for name, (text, _) in faults.items():
        (tmp_path / f"{name}.sql").write_text(text)
    lines = Program(build_dir).run("lint", tmp_path).errors.splitlines()
    for line, (_, said) in zip(lines, faults.values(), strict=False):
        assert said in line
