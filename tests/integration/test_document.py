"""The JSON document: what it says of checks, values, the past, the server and the adapter.

That each answer of all tests is as the schema has it, raw_http.py sees to."""

import copy
import datetime
import json
import re

import health
import jsonschema
import pytest
import sql
from adapter import AS_SHIPPED
from servers import wait_until

LAG = sql.check(
    "SELECT 45 AS lag_seconds, 7 AS n",
    description="It follows closely.",
    endpoints="replica",
    param="most = 30",
    fail="lag_seconds > $most",
    warn="lag_seconds > 9",
)
CHECKS = {"alive": sql.alive(), "accepting": sql.check(endpoints="readyz primary"), "lag": LAG}
# As the server gives them, and as they are told: with 15 significant digits, or all, as a string.
NUMBERS = {
    "0.0740": 0.074,
    "12345678901234567890": "12345678901234567890",
    "-9007199254740991": -9007199254740991,
    "9007199254740992": "9007199254740992",
    "'NaN'::float8": "NaN",
    "'-Infinity'::float8": "-Infinity",
    "1.5e300::float8": "1.5e+300",
    "NULL::int": None,
    "true": True,
}


def document(adapter, path="/status"):
    return health.parse_document(adapter.get(path, Accept="application/health+json").body)


def check_of(adapter, name, path="/status"):
    [check] = document(adapter, path)["checks"][name]
    return check


def seconds_between(earlier, later):
    times = [datetime.datetime.fromisoformat(time) for time in (earlier, later)]
    return (times[1] - times[0]).total_seconds()


# Checks


def test_all_of_a_check(adapter, server):
    a = adapter(server.url(), checks=CHECKS, DBHEALTH_CACHE="1h")
    lag = check_of(a, "lag")
    members = ("description", "endpoints", "prober", "reason", "advice")
    assert {key: lag[key] for key in members} == {
        "description": "It follows closely.",
        "endpoints": ["replica"],
        "prober": "main",
        "reason": "lag_seconds 45 > 30",
        "advice": "look at the check's file and the values it saw",
    }
    assert (lag["cacheSeconds"], lag["timeoutSeconds"], lag["changed"]) == (3600, 10, False)
    assert 0 < lag["durationSeconds"] < 10
    assert seconds_between(lag["time"], lag["nextRun"]) == pytest.approx(3600, abs=0.002)
    assert lag["values"] == [
        {
            "name": "lag_seconds",
            "observedValue": 45,
            "observedUnit": "seconds",
            "limits": [
                {"effect": "fail", "comparison": ">", "value": 30, "param": "most"},
                {"effect": "warn", "comparison": ">", "value": 9},
            ],
        },
        {"name": "n", "observedValue": 7},
    ]


def test_the_age_is_that_of_the_result(adapter, postgres):
    a = adapter(postgres.url(), checks=CHECKS, DBHEALTH_CACHE="1h")
    report = document(a, "/healthz")
    [alive] = report["checks"]["alive"]
    assert alive["ageSeconds"] == pytest.approx(
        seconds_between(alive["time"], report["time"]), abs=0.002
    )
    wait_until(lambda: check_of(a, "alive")["ageSeconds"] > alive["ageSeconds"], "it gets older")
    again = check_of(a, "alive")["time"]
    assert seconds_between(alive["time"], again) == pytest.approx(0, abs=0.002)


def test_the_limit_in_force_is_the_requests(adapter, postgres):
    a = adapter(postgres.url(), checks=CHECKS)
    lag = check_of(a, "lag", "/replica?most=50")
    assert lag["values"][0]["limits"][0]["value"] == 50
    assert (lag["verdict"], lag["reason"]) == ("warn", "lag_seconds 45 > 9")
    assert "since" not in lag, "it is the verdict of this answer alone"


def test_a_long_limit_is_told_whole(adapter, postgres):
    long = sql.check("SELECT 'x' AS state", warn=f"state == '{1500 * 'x'}'")
    a = adapter(postgres.url(), checks={**CHECKS, "long": long})
    assert check_of(a, "long")["values"][0]["limits"][0]["value"] == 1500 * "x"


def test_numbers_are_the_servers(adapter, postgres):
    columns = ", ".join(f"{number} AS c{i}" for i, number in enumerate(NUMBERS))
    rules = {f"c{i}": f"-- warn: c{i} == 4711\n" for i in range(len(NUMBERS) - 1)}
    checks = {"numbers": "".join(rules.values()) + sql.check(f"SELECT {columns}")}
    a = adapter(postgres.url(), checks={**CHECKS, **checks})
    values = check_of(a, "numbers")["values"][:-1]
    seen = {value["name"]: value["observedValue"] for value in values}
    assert seen == dict(zip(rules, NUMBERS.values()))
    assert '"observedValue": 0.074,' in a.get("/status").body


def test_a_text_is_told_if_a_rule_names_it(adapter, postgres):
    query = "SELECT 'lost' AS state, 'secret words' AS other, repeat('x', 65) AS note"
    check = sql.check(query, fail="state != 'streaming'", warn="note == ''")
    a = adapter(postgres.url(), checks={**CHECKS, "state": check})
    told = check_of(a, "state")
    limits = [{"effect": "fail", "comparison": "!=", "value": "streaming"}]
    assert told["values"] == [
        {"name": "state", "observedValue": "lost", "limits": limits},
        {"name": "note", "limits": [{"effect": "warn", "comparison": "==", "value": ""}]},
    ]
    assert told["reason"] == "state lost != 'streaming'"
    assert "secret words" not in a.get("/status").body


def test_all_numbers_are_told_whatever_is_a_metric(adapter, postgres):
    statement = "SELECT 1 AS one, true AS two, 'x' AS three, NULL::int AS four"
    checks = {name: sql.check(statement, metrics=name) for name in ("no", "one")}
    a = adapter(postgres.url(), checks={**CHECKS, **checks})
    told = [{"name": "one", "observedValue": 1}, {"name": "two", "observedValue": 1}]
    assert check_of(a, "no")["values"] == check_of(a, "one")["values"] == told


def test_what_has_no_name_is_not_told(adapter, postgres):
    checks = {"bare": sql.check('SELECT 1 AS "\x01", 2 AS "?"'), "mute": sql.check(description="\x01")}
    a = adapter(postgres.url(), checks={**CHECKS, **checks})
    assert check_of(a, "bare")["values"] == [{"name": "?", "observedValue": 2}]
    assert "description" not in check_of(a, "mute")
    assert check_of(a, "mute")["outcome"] == "config"


def test_what_is_not_known_yet(adapter, postgres):
    """Two checks on one prober that together take longer than any request waits: what the deadline
    makes of the second is of this answer alone, and has no date."""
    keys = {"endpoints": "slow", "warn": "n == true", "timeout": "2s"}
    slow = sql.check("SELECT pg_sleep(9) IS NOT NULL AS n", **keys)
    checks = {**CHECKS, "a-slow": slow, "ab-slow": slow}
    a = adapter(postgres.url(), checks=checks, DBHEALTH_TIMEOUT="2s", DBHEALTH_DEADLINE="3s")
    late = check_of(a, "ab-slow")
    assert late["outcome"] in ("timeout", "unknown")
    dated = {"time", "ageSeconds", "durationSeconds", "nextRun", "since", "changed"}
    assert not late.keys() & dated
    assert "observedValue" not in late["values"][0]


def test_a_server_that_has_let_no_prober_in(adapter, closed_port):
    report = document(adapter(f"postgres://probe:x@127.0.0.1:{closed_port}/postgres"))
    assert report["server"] == {"engine": "postgres", "roles": []}


def test_a_broken_check_and_a_broken_configuration(adapter, postgres):
    a = adapter(postgres.url(), checks={**CHECKS, "broken": "-- fail: lag >\nSELECT 1"})
    broken = check_of(a, "broken")
    assert (broken["verdict"], broken["outcome"]) == ("unknown", "config")
    assert "durationSeconds" not in broken, "there was no run"
    assert document(a)["configuration"]["mistakes"] == 1
    report = document(adapter("nonsense://"))
    assert report["configuration"]["status"] == "warn"
    assert "engine" not in report["server"]


# The past


@pytest.mark.parametrize("path", ("/status", "/replica", "/replica/lag"))
def test_the_past_is_told_if_asked_for(adapter, postgres, path):
    a = adapter(postgres.url(), checks=CHECKS, DBHEALTH_CACHE="0s")
    for _ in range(3):
        a.get("/replica")
    assert "history" not in check_of(a, "lag", path)
    history = check_of(a, "lag", f"{path}?history")["history"]
    [run] = history["results"]
    assert (run["verdict"], run["outcome"]) == ("fail", "failed")
    assert run["count"] == len(run["durationsSeconds"]) >= 4
    assert sum(run["minutes"] for run in history["minutes"]) == 60
    assert history["minutes"][-1]["verdict"] == "fail"


def test_a_text_has_no_past(adapter, postgres):
    a = adapter(postgres.url(), checks=CHECKS)
    assert a.get("/healthz?history").body == "ok"


def test_a_new_verdict_begins_a_run(adapter, postgres):
    a = adapter(postgres.url(), checks=CHECKS, DBHEALTH_CACHE="0s")
    before = check_of(a, "lag", "/status?history")
    a.write_check("lag", LAG.replace("45", "4"))
    wait_until(lambda: check_of(a, "lag")["verdict"] == "pass", "the change is taken")
    after = check_of(a, "lag", "/status?history")
    assert after["changed"] and after["since"] > before["since"]
    assert [run["verdict"] for run in after["history"]["results"]] == ["fail", "pass"]
    assert document(a)["configuration"]["reloads"] == 1


# The whole


def test_the_server_and_the_adapter(adapter, server):
    a = adapter(server.url(), checks=CHECKS)
    document(a)
    report = document(a)
    assert report["server"]["flavor"] == server.engine
    assert report["server"]["roles"] == ["primary", "replica"]
    assert report["adapter"]["version"] == report["releaseId"]
    assert report["adapter"]["draining"] is False
    assert report["adapter"]["since"] < report["time"]
    main = report["adapter"]["probers"]["main"]
    assert (main["status"], main["starts"], main["crashes"]) == ("pass", 1, 0)
    assert report["paths"] == {
        "/healthz": {"verdict": "pass", "httpStatus": 200},
        "/startupz": {"verdict": "pass", "httpStatus": 200},
        "/readyz": {"verdict": "pass", "httpStatus": 200},
        "/primary": {"verdict": "pass", "httpStatus": 200},
        "/replica": {"verdict": "fail", "httpStatus": 503},
    }


def test_each_engine_and_its_role(adapter, server):
    a = adapter(server.url())
    question = "SHOW server_version" if server.engine == "postgres" else "SELECT version()"
    told = document(a)["server"]
    assert told["flavor"] == server.engine
    assert told["version"].startswith(re.match(r"[\d.]+", server.value(question))[0])
    assert told["roles"] == ["primary"]


def test_each_path_answers_what_it_says(adapter, postgres, tmp_path):
    drain = tmp_path / "drain"
    a = adapter(postgres.url(), checks=CHECKS, DBHEALTH_DRAIN_FILE=str(drain))
    for draining in (False, True):
        report = document(a)
        assert report["adapter"]["draining"] is draining
        for path, told in report["paths"].items():
            assert a.status_of(path) == told["httpStatus"], path
        drain.touch()
    assert report["paths"]["/primary"] == {"verdict": "fail", "httpStatus": 503}


def test_a_login_that_is_not_answered_is_told(adapter, new_postgres):
    server = new_postgres()
    a = adapter(server.url(), checks=CHECKS, DBHEALTH_CACHE="0s", **AS_SHIPPED)
    a.wait_status("/readyz", 200)
    with server.paused():
        main = lambda: document(a)["adapter"]["probers"]["main"]  # noqa: E731
        wait_until(lambda: main()["status"] == "warn", "its login waits")
        assert main()["output"] == "the server has not answered its login"


# The schema


def test_the_tests_refuse_what_the_schema_does_not_know(adapter, postgres):
    """Else a member could come, or go, without it."""
    open_schema = jsonschema.Draft202012Validator(json.loads(health.SCHEMA.read_text()))
    report = document(adapter(postgres.url(), checks=CHECKS), "/status?history")
    for place in places_of(report):
        changed = copy.deepcopy(report)
        inner = changed
        for key in place:
            inner = inner[key]
        if place[-1:] in (("checks",), ("probers",), ("endpoints",), ("paths",)):
            continue  # Their members have names that are given elsewhere.
        inner["surprise"] = 1
        with pytest.raises(AssertionError, match="surprise"):
            health.parse_document(json.dumps(changed))
        open_schema.validate(changed)  # But a client that has it takes what a later version adds.


def places_of(value, place=()):
    """The path to each object."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    yield from [place] if isinstance(value, dict) else []
    for key, inner in items:
        if isinstance(inner, (dict, list)):
            yield from places_of(inner, (*place, key))


def test_each_member_of_the_schema_is_explained():
    schema = json.loads(health.SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    plain = {"verdict", "status", "outcome", "start", "minutes", "count", "draining", "history"}
    plain |= {"starts", "kills", "crashes", "logins", "probers", "componentType", "httpStatus"}
    plain |= {"server", "adapter", "configuration", "checks", "observedUnit", "first", "latest"}
    for place in places_of(schema):
        if place[-1:] != ("properties",):
            continue
        inner = schema
        for key in place:
            inner = inner[key]
        unexplained = {key for key, value in inner.items() if "description" not in value}
        assert unexplained <= plain, place
