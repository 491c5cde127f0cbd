"""When a check runs and how long its result serves: caches, shared runs, periods, the deadline.

Runs are counted in the server, by what they leave there."""

import re
import time

import pytest
import sql
from adapter import check_lines
from exposition import Metrics
from raw_http import burst, kubelet
from servers import wait_until


@pytest.fixture
def runs(postgres):
    with sql.Counter(postgres) as counter:
        yield counter


def counted(counter, seconds=0, **keys):
    """A check that counts its runs and takes so long."""
    return sql.check(counter.taking(seconds), writes="yes", **keys)


# One run for many requests


def test_a_thousand_requests_cause_one_run_of_each_check(server, counter, adapter):
    checks = {
        "one": counted(counter, 0.2, endpoints="readyz primary", cache="60s"),
        "two": counted(counter, endpoints="readyz", cache="60s"),
    }
    a = adapter(server.url(), checks=checks)
    answers = burst(a.port, kubelet("/readyz"), 500) + burst(a.port, kubelet("/primary"), 500)
    assert {answer.status for answer, _ in answers} == {200}
    assert a.statuses() == (200, 200, 200, 200)
    assert a.status_of("/readyz/one") == a.status_of("/readyz/two") == 200
    assert counter.value() == 2


def test_requests_join_the_run_that_is_under_way(runs, adapter, postgres):
    a = adapter(postgres.url(), checks={"one": counted(runs, 0.5, cache="0s")})
    burst(a.port, kubelet("/readyz"), 500)
    assert 1 <= runs.value() <= 2  # The burst may outlast the first run on a slow machine.


def test_without_a_cache_each_request_causes_a_run(runs, adapter, postgres):
    a = adapter(postgres.url(), checks={"one": counted(runs, cache="0s")})
    for expected in range(1, 21):
        assert a.status_of("/readyz") == 200
        assert runs.value() == expected


def test_no_request_no_run(runs, adapter, postgres):
    a = adapter(postgres.url(), checks={"one": counted(runs), "two": sql.alive()})
    assert [a.status_of(path) for path in ("/livez", "/healthz", "/nothing")] == [200, 200, 404]
    assert runs.value() == 0


@pytest.mark.parametrize("where", ("file", "setting"))
def test_a_result_is_never_served_when_older_than_its_cache(runs, adapter, postgres, where):
    """The counter's value in the answer tells which run it is from; that one had begun when its
    value was first seen."""
    cache = {"cache": "300ms"} if where == "file" else {}
    a = adapter(
        postgres.url(),
        checks={"one": counted(runs, warn="nextval > 0", **cache)},
        DBHEALTH_CACHE="300ms" if where == "setting" else "60s",
    )
    first_seen = {}
    while len(first_seen) < 4:
        asked = time.monotonic()
        run = int(re.search(r"nextval (\d+) > 0", a.get("/readyz?verbose").body)[1])
        assert asked - first_seen.setdefault(run, time.monotonic()) <= 0.3
    assert sorted(first_seen) == list(range(1, 5))


EVERY_WAY = (  # Paths to the check `one`, or past it.
    *("/readyz", "/", "/readyz?verbose", "/readyz?format=json", "/readyz/one", "/primary"),
    *("/readyz?exclude=other", "/readyz?most=5", "/readyz?most=0", "/readyz?most=x", "/status"),
    *("/metrics", "/livez?verbose", "/readyz?nonsense", "/nothing", "/readyz?exclude=one"),
)


def test_no_way_of_asking_causes_more_runs_than_the_cache_allows(runs, adapter, postgres):
    keys = {"cache": "60s", "param": "most = 9", "warn": "nextval > $most"}
    checks = {"one": counted(runs, endpoints="readyz primary", **keys), "other": sql.check()}
    a = adapter(postgres.url(), checks=checks)
    for _ in range(3):
        for path in EVERY_WAY:
            for method in ("GET", "HEAD", "OPTIONS", "POST"):
                a.get(path, method)
    assert runs.value() == 1


# Periods


def test_every_runs_without_requests(runs, adapter, postgres):
    a = adapter(postgres.url(), checks={"one": counted(runs, every="100ms")})
    wait_until(lambda: runs.value() >= 5, "five runs")
    assert a.status_of("/readyz") == 200


def test_requests_are_served_from_what_every_brought(runs, adapter, postgres):
    a = adapter(postgres.url(), checks={"one": counted(runs, every="60s")})
    wait_until(lambda: a.transitions("one"), "the first run")
    burst(a.port, kubelet("/readyz"), 100)
    assert runs.value() == 1


def test_a_fault_shows_without_a_request(adapter, new_mariadb):
    server = new_mariadb()
    a = adapter(server.url(), checks={"one": sql.check(every="100ms")})
    wait_until(lambda: a.transitions("one"), "it is well")
    server.kill9()
    wait_until(lambda: a.transitions("one")[-1]["outcome"] == "refused", "the fault is logged")


# Answers that are given again


def test_a_result_grows_older_while_it_is_served(adapter, postgres):
    a = adapter(postgres.url(), checks={"one": sql.check(cache="60s")})
    ages = [int(a.get("/readyz").headers["age"])]
    wait_until(lambda: ages.append(int(a.get("/readyz").headers["age"])) or ages[-1] >= 2, "2 s")
    assert ages[0] == 0
    assert set(ages) >= {0, 1, 2}
    assert ages == sorted(ages)


def test_each_request_gets_its_own_kind_of_answer(adapter, postgres):
    a = adapter(postgres.url(), checks={"one": sql.check(cache="60s")})
    for _ in range(3):
        assert a.get("/readyz").body == a.get("/readyz", Accept="*/*").body == "ok"
        assert a.get("/readyz", Accept="application/health+json").body.startswith("{")
        assert a.get("/readyz", "HEAD").headers["content-length"] == "2"
        assert a.get("/readyz", "OPTIONS").status == 200
        assert a.get("/readyz", "POST").status == 405


def test_each_target_has_its_own_answer(adapter, postgres):
    """More of them than are kept, and one too long to be kept."""
    names = [f"check-{i}" for i in range(12)]
    a = adapter(postgres.url(), checks={name: sql.check(cache="60s") for name in names})
    targets = [f"/readyz/{name}?verbose" for name in names]
    targets.append(f"/readyz?verbose&exclude={','.join(names[1:])}")
    for target in targets * 2 + [target for target in targets for _ in range(2)]:
        shown = check_lines(a.get(target).body)
        assert list(shown) == [names[0] if "exclude" in target else target[8:-8]]
    assert check_lines(a.get("/readyz?verbose").body).keys() == set(names)


def test_an_answer_given_again_is_counted(adapter, postgres):
    checks = {"one": sql.check(cache="60s"), "two": sql.check(cache="60s")}
    a = adapter(postgres.url(), checks=checks)
    for _ in range(20):
        a.get("/readyz")
    metrics = Metrics(a.get("/metrics").body)
    assert metrics.value("dbhealthd_http_requests_total", path="/readyz", code="200") == 20
    uses = metrics.by("result", "dbhealthd_cache_requests_total")
    assert (uses["hit"], uses["miss"]) == (19 * 2 + 2, 2)


# The deadline of a request

SHORT = {"DBHEALTH_DEADLINE": "400ms", "DBHEALTH_TIMEOUT": "400ms"}


def test_a_check_that_still_runs_is_timeout_in_that_answer_alone(runs, adapter, postgres):
    slow = counted(runs, 1.5, every="60s", timeout="10s")
    a = adapter(postgres.url(), checks={"slow": slow}, **SHORT)
    answer = a.get("/readyz")
    assert answer.status == 503
    line = r"\[-\]slow failed: timeout: .* \(no answer for \d+ ms\); see .*\n"
    assert re.match(line, answer.body)
    assert "age" not in answer.headers
    assert a.transitions() == []
    a.wait_status("/readyz", 200)
    assert [change["outcome"] for change in a.transitions()] == ["ok"]
    assert runs.value() == 1


def test_a_check_not_reached_is_unknown_and_names_what_ran(runs, adapter, postgres):
    checks = {
        "first": counted(runs, 3, every="60s", timeout="10s"),
        "second": sql.check(every="60s", timeout="10s"),
        "elsewhere": sql.check(prober="other"),
    }
    a = adapter(postgres.url(), checks=checks, DBHEALTH_DEADLINE="1500ms", DBHEALTH_TIMEOUT="1500ms")
    answer = a.get("/readyz")
    assert answer.status == 503
    shown = check_lines(answer.body)
    assert (shown["first"].verdict, shown["first"].code) == ("failed", "timeout")
    assert shown["second"].verdict == "unknown"
    assert re.search(r"\(not reached: first ran \d+ ms\)", shown["second"].detail)
    assert not shown["elsewhere"].fails
    a.wait_status("/readyz", 200)


def test_what_requests_wait_for_goes_before_what_is_due(runs, adapter, postgres):
    """Background checks that keep a prober busy delay a request by one of them; the other may end
    while we look."""
    keys = {"endpoints": "none", "prober": "main", "every": "100ms"}
    busy = {f"busy-{i}": counted(runs, 0.4, **keys) for i in range(6)}
    a = adapter(postgres.url(), checks={**busy, "asked": sql.check()}, DBHEALTH_CACHE="0s")
    wait_until(lambda: a.transitions("busy-0"), "the first has run")
    for _ in range(3):
        before = runs.value()
        assert a.status_of("/readyz") == 200
        assert runs.value() - before <= 2
