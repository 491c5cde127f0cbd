"""/metrics: what it says, and that asking costs what any request costs."""

import contextlib
import re
import subprocess
import threading
import time

import faults
import processes
import sql
from adapter import AS_SHIPPED
from exposition import Metrics
from raw_http import burst, kubelet
from servers import wait_until

TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOREVER = {"DBHEALTH_CACHE": "1h"}  # Whatever was seen stays seen.
RUNS = "dbhealthd_check_duration_seconds_count"
OUTCOMES = "dbhealthd_check_outcomes_total"
VALUE = "dbhealthd_check_value"
REQUESTS = "dbhealthd_http_requests_total"
LONG = "x" * 60 + "ü" * 9
HOSTILE = {  # Names of columns that a scraper must survive, and what becomes of them.
    'quote"back\\slash': 'quote"back\\slash',
    'a{b="c"} 1': 'a{b="c"} 1',
    "two\nlines": "two lines",
    "two lines": "two lines",  # The same again: only the first is shown.
    "Grüße": "Grüße",
    "n": "n",
    "N": "N",
    LONG: LONG,  # Postgres cuts it to 63 bytes, between letters.
}


def metrics(adapter):
    answer = adapter.get("/metrics")
    assert (answer.status, answer.headers["content-type"]) == (200, TYPE)
    return Metrics(answer.body)


def outcomes(seen, check):
    """Those that have been counted."""
    found = seen.by("outcome", OUTCOMES, check=check)
    return {outcome: count for outcome, count in found.items() if count > 0}


def select(server, columns):
    """A statement that gives one row: {name: expression}."""
    quote = '"' if server.engine == "postgres" else "`"
    named = (
        f"{value} AS {quote}{name.replace(quote, 2 * quote)}{quote}"
        for name, value in columns.items()
    )
    return f"SELECT {', '.join(named)}"


# What it says


def test_the_shipped_checks(adapter, server):
    a = adapter(server.url())
    seen = metrics(a)
    assert seen.by("path", "dbhealthd_endpoint_passing").items() >= {
        ("/healthz", 1),
        ("/startupz", 1),
        ("/readyz", 1),
    }
    for check in ("alive", "accepting"):
        assert seen.verdict(check) == "pass"
        assert outcomes(seen, check) == {"ok": 1}
        assert seen.value(RUNS, check=check) == 1
    engine = "postgres" if server.engine == "postgres" else "mysql"
    assert seen.value("dbhealthd_config_info", engine=engine) == 1
    assert seen.value("dbhealthd_config_problems") == 0
    [version] = seen.by("version", "dbhealthd_database_info", flavor=server.engine)
    major = server.value("SHOW server_version" if engine == "postgres" else "SELECT version()")
    assert version.split()[0] == str(major).split()[0]
    assert seen.by("prober", "dbhealthd_prober_connections_opened_total").items() >= {
        ("liveness", 1),
        ("main", 1),
    }


def test_numbers_are_the_servers_own(adapter, server):
    columns = {
        "whole": "42",
        "lag_seconds": "1.50",
        "digits": "12345678901234567890.5",
        "tiny": "1e-7",
        "yes": "1 = 1",
        "nothing": "NULL",
        "words": "'7'",
    }
    a = adapter(server.url(), checks={"lag": sql.check(select(server, columns))})
    seen = metrics(a)
    values = seen.by("column", VALUE, check="lag")
    assert set(values) == {"whole", "lag_seconds", "digits", "tiny", "yes"}
    assert (values["whole"], values["tiny"], values["yes"]) == (42, 1e-7, 1)
    assert seen.text(VALUE, check="lag", column="lag_seconds") == "1.50"
    assert seen.text(VALUE, check="lag", column="digits") == "12345678901234567890.5"


def test_numbers_that_are_none(adapter, postgres):
    columns = {
        "no": "false",
        "nan": "'NaN'::float8",
        "infinite": "'-Infinity'::float8",
        "too_large": "1e400::numeric",
        "long": "repeat('9', 5000)::numeric",
    }
    a = adapter(postgres.url(), checks={"lag": sql.check(select(postgres, columns), fail="no > 1")})
    infinity = float("inf")
    assert metrics(a).by("column", VALUE) == {"no": 0, "infinite": -infinity, "too_large": infinity}


def test_names_that_would_break_a_scrape(adapter, server):
    columns = {name: str(i) for i, name in enumerate(HOSTILE, 1)}
    a = adapter(server.url(), checks={"evil": sql.check(select(server, columns))})
    expected = {}
    for i, shown in enumerate(HOSTILE.values(), 1):
        cut = shown == LONG and server.engine == "postgres"
        expected.setdefault(LONG[:61] if cut else shown, i)
    assert metrics(a).by("column", VALUE, check="evil") == expected


def test_the_key_says_which_columns(adapter, postgres):
    statement = "SELECT 1 AS one, 2 AS two, 3 AS three"
    checks = {
        "all": sql.check(statement),
        "some": sql.check(statement, metrics="Three, one"),
        "none": sql.check(statement, metrics="no"),
        "limited": "-- param: most = 9\n-- metrics: two\n-- fail: one > $most\n" + statement,
    }
    seen = metrics(adapter(postgres.url(), checks=checks))
    columns = {check: list(seen.by("column", VALUE, check=check)) for check in checks}
    assert columns == {
        "all": ["one", "two", "three"],
        "some": ["one", "three"],
        "none": [],
        "limited": ["two"],
    }


def test_a_rule_that_holds_does_not_hide_its_number(adapter, postgres):
    checks = {
        "lag": sql.check("SELECT 45 AS s", fail="s > 30"),
        "other": sql.check("SELECT 5 AS s", warn="s > 3"),
        "elsewhere": sql.check("SELECT 7 AS s", skip="s == 7"),
        "wrong": sql.check("SELECT 8 AS s", fail="t > 1"),
    }
    seen = metrics(adapter(postgres.url(), checks=checks))
    assert {check: seen.verdict(check) for check in checks} == {
        "lag": "fail",
        "other": "warn",
        "elsewhere": "skipped",
        "wrong": "unknown",
    }
    assert seen.by("check", VALUE) == {"lag": 45, "other": 5, "wrong": 8}
    last = seen.by("check", "dbhealthd_check_last_success_timestamp_seconds")
    assert set(last) == {"other"}
    assert seen.value("dbhealthd_endpoint_passing", path="/readyz") == 0


def test_a_run_that_fails_has_no_number(adapter, postgres):
    """What the run before it saw is gone with it."""
    postgres.sql("CREATE TABLE app.gauge AS SELECT 5 AS n")
    postgres.sql("GRANT SELECT ON app.gauge TO probe")
    try:
        check = sql.check("SELECT n FROM app.gauge")
        a = adapter(postgres.url(), checks={"gauge": check}, DBHEALTH_CACHE="0s")
        first = metrics(a)
    finally:
        postgres.sql("DROP TABLE app.gauge")
    second = metrics(a)
    assert (first.by("check", VALUE), second.by("check", VALUE)) == ({"gauge": 5}, {})
    assert outcomes(second, "gauge") == {"ok": 1, "missing": 1}
    assert second.value(RUNS, check="gauge") == 2
    last = "dbhealthd_check_last_success_timestamp_seconds"
    assert first.value(last, check="gauge") == second.value(last, check="gauge")


def test_times(adapter, postgres):
    began = time.time()
    checks = {"slow": sql.check(sql.sleep(postgres, 0.3)), "lost": sql.check("SELECT nonsense")}
    a = adapter(postgres.url(), checks=checks, **FOREVER)
    first, second = metrics(a), metrics(a)
    assert 0.3 <= second.value("dbhealthd_check_duration_seconds_sum", check="slow") < 20
    buckets = second.by("le", "dbhealthd_check_duration_seconds_bucket", check="slow")
    assert (buckets["0.25"], buckets["+Inf"]) == (0, 1)
    assert list(buckets.values()) == sorted(buckets.values())
    age = "dbhealthd_check_age_seconds"
    assert 0.3 <= first.value(age, check="slow") <= second.value(age, check="slow") < 60
    success = second.value("dbhealthd_check_last_success_timestamp_seconds", check="slow")
    started = second.value("process_start_time_seconds")
    assert began - 1 < started <= success + 0.01 <= time.time() + 1
    assert first.value("process_start_time_seconds") == started


def test_a_configuration_that_is_wrong(adapter, postgres):
    checks = {"sound": sql.check(), "broken": "-- fail: what\nSELECT 1"}
    seen = metrics(adapter(postgres.url(), checks=checks))
    assert seen.value("dbhealthd_config_checks") == 2
    assert seen.value("dbhealthd_config_problems") == 1
    assert (seen.verdict("broken"), outcomes(seen, "broken")) == ("unknown", {"config": 1})
    assert seen.value(RUNS, check="broken") == 0  # Nothing was asked of the server.


def test_a_server_that_is_down(adapter, closed_port):
    seen = metrics(adapter(f"postgres://probe:x@127.0.0.1:{closed_port}/postgres"))
    assert (seen.verdict("alive"), outcomes(seen, "alive")) == ("fail", {"refused": 1})
    assert seen.value("dbhealthd_prober_connections_opened_total", prober="main") == 0
    assert "dbhealthd_database_info" not in seen.types
    assert "dbhealthd_check_last_success_timestamp_seconds" not in seen.types


def test_draining(adapter, postgres, tmp_path):
    a = adapter(postgres.url(), DBHEALTH_DRAIN_FILE=str(tmp_path / "drain"))
    assert metrics(a).value("dbhealthd_draining") == 0
    (tmp_path / "drain").touch()
    seen = metrics(a)
    assert seen.value("dbhealthd_draining") == 1
    assert seen.value("dbhealthd_endpoint_passing", path="/readyz") == 0
    assert seen.value("dbhealthd_endpoint_passing", path="/healthz") == 1


def test_the_process(adapter, mariadb):
    a = adapter(mariadb.url())
    seen = metrics(a)
    status = dict(re.findall(r"^(Vm\w+):\s+(\d+) kB", proc(a, "status"), re.MULTILINE))
    assert abs(seen.value("process_virtual_memory_bytes") / 1024 - int(status["VmSize"])) < 2048
    assert abs(seen.value("process_resident_memory_bytes") / 1024 - int(status["VmRSS"])) < 2048
    assert abs(seen.value("process_open_fds") - processes.descriptors(a.server)) <= 2
    most = int(re.search(r"^Max open files +(\d+)", proc(a, "limits"), re.MULTILINE)[1])
    assert seen.value("process_max_fds") == most
    assert 0 < seen.value("process_cpu_seconds_total") < 10


def proc(adapter, name):
    with open(f"/proc/{adapter.server}/{name}") as file:
        return file.read()


# As a request


def test_methods_and_queries(adapter, mariadb):
    a = adapter(mariadb.url(), **FOREVER)
    got, head = a.get("/metrics"), a.get("/metrics", "HEAD")
    assert (head.status, head.body) == (200, "")
    assert head.headers["content-type"] == got.headers["content-type"] == TYPE
    assert got.headers["cache-control"] == "no-store"
    assert int(got.headers["age"]) >= 0
    assert a.get("/metrics", "OPTIONS").status == a.get("/metrics/").status == 200
    assert a.get("/metrics", "POST").status == 405
    assert a.get("/metrics?name=1").status == 400
    assert a.get("/metrics/alive").status == 404
    scraper = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    for accept in (scraper, "application/health+json", "*/*"):
        assert a.get("/metrics", Accept=accept).headers["content-type"] == TYPE


def test_the_order_is_always_the_same(adapter, mariadb):
    checks = {f"check-{i}": sql.check("SELECT 1 AS b, 2 AS a") for i in range(3)}
    a = adapter(mariadb.url(), checks=checks, **FOREVER)
    first = metrics(a)
    a.statuses()
    assert list(metrics(a).series) == list(first.series)


def test_it_runs_what_is_due_and_serves_what_is_there(adapter, server, counter):
    checks = {"one": sql.check(counter.taking(), writes="yes"), "two": sql.alive()}
    a = adapter(server.url(), checks=checks, **FOREVER)
    uses = [metrics(a).by("result", "dbhealthd_cache_requests_total")]
    a.status_of("/readyz")
    uses.append(metrics(a).by("result", "dbhealthd_cache_requests_total"))
    assert uses == [{"hit": 0, "join": 0, "miss": 2}, {"hit": 3, "join": 0, "miss": 2}]
    assert counter.value() == 1


def test_requests_that_join_a_run(adapter, postgres):
    a = adapter(postgres.url(), checks={"slow": sql.check(sql.sleep(postgres, 1))}, **FOREVER)
    burst(a.port, kubelet("/readyz"), 20)
    uses = metrics(a).by("result", "dbhealthd_cache_requests_total")
    assert uses["miss"] == 1
    assert uses["hit"] + uses["join"] == 20
    assert uses["join"] > 0


def test_requests_are_counted_by_what_they_found(adapter, mariadb):
    a = adapter(mariadb.url(), checks={"lag": sql.check("SELECT 0", endpoints="replica")})
    before = set(metrics(a).series)
    for target in ("/replica", "/replica/lag", "/readyz", "/", "/livez", "/status", "/status"):
        a.get(target)
    for target in ("/replica/nope", "/nope", "/nope/nope", "/metrics/x", "/<script>", "*"):
        a.get(target)
    a.get("/replica?nope=1"), a.get("/replica?format=x"), a.get("/replica", "POST")
    a.get("/%zz"), a.get("/nope", "PUT")
    seen = metrics(a)
    counted = {
        (dict(labels)["path"], dict(labels)["code"]): value
        for (name, labels), value in seen.series.items()
        if name == REQUESTS and value > 0
    }
    assert counted == {
        ("/replica", "503"): 2,
        ("/replica", "404"): 1,
        ("/replica", "400"): 2,
        ("/replica", "405"): 1,
        ("/readyz", "503"): 2,
        ("/livez", "200"): 1,
        ("/status", "200"): 2,
        ("/metrics", "200"): 1,
        ("other", "404"): 4,
        ("other", "400"): 2,
        ("other", "405"): 1,
    }
    assert set(seen.series) == before  # What a client asks for makes no series.


def test_a_scrape_among_a_thousand_requests(adapter, server, counter):
    slow = sql.check(counter.taking(0.5), writes="yes")
    a = adapter(server.url(), checks={"slow": slow}, **FOREVER)
    with scraping(a) as scrapes:
        answers = burst(a.port, kubelet("/readyz"), 1000)
        wait_until(lambda: scrapes, "a scrape is answered")
    assert {answer.status for answer, _ in answers} == {200}
    assert {seen.verdict("slow") for seen in scrapes} == {"pass"}
    seen = metrics(a)
    assert seen.value(REQUESTS, path="/readyz", code="200") == 1000
    assert seen.value(RUNS, check="slow") == counter.value() == 1


@contextlib.contextmanager
def scraping(adapter):
    """Scrapes all the time; gives a list of what came."""
    over, scrapes = threading.Event(), []

    def scrape():
        while not over.is_set():
            scrapes.append(metrics(adapter))

    thread = threading.Thread(target=scrape, daemon=True)
    thread.start()
    try:
        yield scrapes
    finally:
        over.set()
        thread.join()


def test_forty_checks(adapter, server):
    """Each with eight numbers, on two probers."""
    statement = "SELECT " + ", ".join(f"{i} AS number_{i}" for i in range(1, 9))
    checks = {
        f"check-{i:02}": sql.check(statement, prober=f"prober-{i % 2}", endpoints="readyz primary")
        for i in range(40)
    }
    a = adapter(server.url(), checks=checks, **FOREVER)
    first = metrics(a)
    assert {first.verdict(check) for check in checks} == {"pass"}
    assert len(first.by("check", RUNS)) == 40
    assert sum(1 for name, _ in first.series if name == VALUE) == 320
    asked = time.monotonic()
    body = a.get("/metrics").body
    took = time.monotonic() - asked
    print(f"{len(body)} bytes, {len(first.series)} series, {took * 1000:.1f} ms from the cache")
    assert len(body) < 300_000


# Trouble


def test_a_stopped_server(adapter, postgres):
    """Answered by the deadline; the verdicts are those of /status, and recovery is seen."""
    a = adapter(postgres.url(), DBHEALTH_CACHE="0s", **AS_SHIPPED)
    assert metrics(a).verdict("alive") == "pass"
    pending = "dbhealthd_prober_open_pending"
    with postgres.paused():
        wait_until(lambda: set(metrics(a).by("prober", pending).values()) == {1}, "it is pending")
        for check in ("alive", "accepting"):
            wait_until(lambda: metrics(a).verdict(check) == "fail", "it is told from our own fault")
        asked = time.monotonic()
        answer = a.get("/metrics")
        assert time.monotonic() - asked < 0.9 + 2
        assert Metrics(answer.body).value("dbhealthd_endpoint_passing", path="/readyz") == 0
    wait_until(lambda: metrics(a).verdict("alive") == "pass", "it is well again")
    seen = metrics(a)
    assert set(seen.by("prober", pending).values()) == {0}
    assert {"ok", "timeout"} <= outcomes(seen, "alive").keys() <= {"ok", "timeout", "starved"}


def test_a_check_that_still_runs_has_no_number(adapter, postgres):
    slow = sql.check("SELECT 5 AS n FROM pg_sleep(2)", every="60s", timeout="10s")
    limits = {"DBHEALTH_DEADLINE": "300ms", "DBHEALTH_TIMEOUT": "300ms"}
    a = adapter(postgres.url(), checks={"slow": slow}, **limits)
    first = metrics(a)
    assert first.verdict("slow") in ("fail", "unknown")  # The latter if we had too little CPU.
    assert outcomes(first, "slow") == {}
    assert first.value("dbhealthd_check_age_seconds", check="slow") is None
    assert first.value(VALUE, check="slow", column="n") is None
    wait_until(lambda: metrics(a).verdict("slow") == "pass", "the run has ended")
    seen = metrics(a)
    assert seen.value(VALUE, check="slow", column="n") == 5
    assert (outcomes(seen, "slow"), seen.value(RUNS, check="slow")) == ({"ok": 1}, 1)


def test_kills(adapter, mariadb):
    """A run that hangs is killed and then held back: what is said meanwhile is of no run."""
    kills = "dbhealthd_prober_kills_total"
    hangs = sql.check(f"SELECT 1 {faults.STALL}", timeout="200ms", prober="hanging")
    checks = {"hangs": hangs, "well": sql.check(prober="main")}
    with faults.stalling_port(mariadb) as port:
        a = adapter(mariadb.url(port=port), checks=checks, DBHEALTH_CACHE="0s")
        wait_until(lambda: metrics(a).value(kills, prober="hanging") > 0, "it is killed")
        wait_until(lambda: results_without_run(metrics(a), "hangs") > 0, "it is held back")
        seen = metrics(a)
        a.end()
    assert set(outcomes(seen, "hangs")) <= {"timeout", "starved"}
    assert seen.value(kills, prober="hanging") <= seen.value(RUNS, check="hangs")
    assert seen.value(kills, prober="main") == 0
    assert set(seen.by("prober", "dbhealthd_prober_crashes_total").values()) == {0}


def results_without_run(seen, check):
    return sum(outcomes(seen, check).values()) - seen.value(RUNS, check=check)


def test_a_prober_that_is_killed_by_hand(adapter, mariadb):
    a = adapter(mariadb.url(), checks={"well": sql.check()}, DBHEALTH_CACHE="0s")
    assert metrics(a).value("dbhealthd_prober_starts_total", prober="main") == 1
    [prober] = a.probers()
    processes.kill(prober)
    wait_until(lambda: not processes.exists(prober), "it is gone")
    assert a.status_of("/livez") == 200
    wait_until(lambda: a.status_of("/readyz") == 200, "another has come")
    seen = metrics(a)
    assert seen.value("dbhealthd_prober_crashes_total", prober="main") == 1
    assert seen.value("dbhealthd_prober_starts_total", prober="main") == 2
    assert seen.value("dbhealthd_prober_kills_total", prober="main") == 0


# Prometheus' own tools


def test_promtool_has_nothing_to_say(adapter, server):
    columns = {name: str(i) for i, name in enumerate(HOSTILE, 1)}
    checks = {"lag": sql.check(select(server, columns)), "broken": "-- nonsense: 1\nSELECT 1"}
    a = adapter(server.url(), checks=checks)
    ended = subprocess.run(
        ["promtool", "check", "metrics"],
        input=a.get("/metrics").body.encode(),
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
