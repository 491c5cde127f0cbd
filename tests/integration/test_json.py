"""application/health+json (draft-inadarei-api-health-check-06): who gets it, and what it says."""

import datetime
import re

import health
import pytest
import sql
from raw_http import connect, read_answer

TYPE = "application/health+json"
CHECKS = {
    "alive": sql.alive(),
    "accepting": sql.check(endpoints="readyz primary"),
    "lag": sql.check("SELECT 45 AS s", endpoints="replica", fail="s > 30"),
    "spare": sql.check("SELECT 2 AS n", endpoints="primary", warn="n > 1"),
    "words": sql.check("SELECT no_such_column", endpoints="errors"),
}
ANSWERS = [  # Path, HTTP status, status, verdicts.
    ("/healthz", 200, "pass", {"alive": "pass"}),
    ("/healthz/alive", 200, "pass", {"alive": "pass"}),
    ("/startupz", 200, "pass", {"alive": "pass"}),
    ("/readyz", 200, "pass", {"accepting": "pass"}),
    ("/", 200, "pass", {"accepting": "pass"}),
    ("/primary", 200, "warn", {"accepting": "pass", "spare": "warn"}),
    ("/primary/spare", 200, "warn", {"spare": "warn"}),
    ("/primary?exclude=spare", 200, "pass", {"accepting": "pass"}),
    ("/replica", 503, "fail", {"lag": "fail"}),
    ("/replica/lag", 503, "fail", {"lag": "fail"}),
    ("/errors", 503, "fail", {"words": "fail"}),
    ("/primary?exclude=spare,accepting", 503, "fail", {}),
]
EVERYTHING = ["/healthz", "/readyz/accepting", "/errors", "/livez", "/status", "/livez?verbose"]
TEXT, PLAIN_JSON = "text/plain; charset=utf-8", "application/json"
ACCEPTS = [  # Accept, and the type of what comes.
    (TYPE, TYPE),
    (f"{TYPE}, application/json;q=0.9", TYPE),
    (f"application/json, {TYPE}", PLAIN_JSON),
    (f"text/html, {TYPE};q=0.5", TYPE),
    ("*/*", TEXT),
    ("application/json", PLAIN_JSON),
    ("application/json;q=0.5, text/plain;q=0.4", PLAIN_JSON),
    ("application/json;q=0.3, text/plain;q=0.4", TEXT),
    (f"{TYPE};q=0, text/plain;q=0.1", TEXT),
    (f"{TYPE};q=0", TEXT),
    ("text/plain;q=0, */*", TYPE),
    ("text/plain;q=0", TYPE),
    ("APPLICATION/*", TYPE),
    ("image/png", TEXT),
    ("text/plain", TEXT),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT),
]
MEMBERS = {"status", "releaseId", "description", "notes", "checks"}
OWN_MEMBERS = {"draining", "instance", "time"}
CHECK_MEMBERS = {"componentType", "status", "time", "output"}
OWN_CHECK_MEMBERS = {  # None of a history that was not asked for.
    *("description", "endpoints", "verdict", "since", "changed", "outcome", "sentence", "advice"),
    *("reason", "ageSeconds", "durationSeconds", "nextRun", "prober", "timeoutSeconds"),
    *("cacheSeconds", "everySeconds", "values"),
}


@pytest.fixture
def well(adapter, server):
    return adapter(server.url(), checks=CHECKS)


def document(answer):
    assert answer.headers["content-type"] == TYPE
    return health.parse_document(answer.body)


def asking(path):
    return f"{path}{'&' if '?' in path else '?'}format=json"


def verdicts(report):
    return {name: check["verdict"] for name, [check] in report["checks"].items()}


def test_each_endpoint_and_check_says_it_in_json(well):
    for path, status, overall, expected in ANSWERS:
        answer = well.get(asking(path))
        report = document(answer)
        assert (path, answer.status, report["status"]) == (path, status, overall)
        assert verdicts(report) == expected
        assert well.get(path, Accept=TYPE).status == status


def test_the_members_are_the_drafts(well):
    for path, *_ in ANSWERS:
        report = document(well.get(asking(path)))
        assert set(report) - OWN_MEMBERS <= MEMBERS
        assert report["description"] == (re.match(r"/([a-z]*)", path)[1] or "readyz")
        for [check] in report["checks"].values():
            assert set(check) - OWN_CHECK_MEMBERS <= CHECK_MEMBERS
            assert check["componentType"] == "datastore"
            assert check["status"] == check["verdict"]
            assert ("output" in check) == (check["status"] != "pass")


def test_the_time_of_a_check_is_when_its_run_began(well):
    before = datetime.datetime.now(datetime.timezone.utc)
    [check] = document(well.get("/healthz", Accept=TYPE))["checks"]["alive"]
    time = datetime.datetime.fromisoformat(check["time"])
    after = datetime.datetime.now(datetime.timezone.utc)
    margin = datetime.timedelta(milliseconds=5)
    assert check["time"].endswith("Z")
    assert before - margin <= time <= after + margin


def test_the_output_is_the_line_of_the_plain_body(well):
    for path in ("/replica", "/errors", "/primary"):
        lines = well.shown(path)
        for name, [check] in document(well.get(path, Accept=TYPE))["checks"].items():
            assert check.get("output", "") == lines[name].detail


@pytest.mark.parametrize("accept, wanted", ACCEPTS)
def test_who_gets_json(adapter, postgres, accept, wanted):
    a = adapter(postgres.url(), checks=CHECKS)
    for path in ("/healthz", "/livez"):
        answer = a.get(path, Accept=accept)
        assert answer.headers["content-type"] == wanted
        assert (answer.status, answer.body == "ok") == (200, wanted == TEXT)


@pytest.mark.parametrize("first", ("text/plain;q=0.1", "*/*;q=0.1", "", "image/png"))
def test_several_lines_are_one_list(well, first):
    """Also those that a response made for others would do for."""
    for lines in ((first, PLAIN_JSON), (PLAIN_JSON, first)):
        headers = "".join(f"Accept: {line}\r\n" for line in lines)
        for _ in range(3):
            with connect(well.port) as client:
                client.sendall(f"GET /healthz HTTP/1.1\r\nHost: h\r\n{headers}\r\n".encode())
                assert read_answer(client).headers["content-type"] == PLAIN_JSON
        assert well.get("/healthz").body == "ok"


def test_status_is_json_of_either_name(well):
    for accept, wanted in (("application/json", PLAIN_JSON), ("text/html", TYPE), ("*/*", TYPE)):
        answer = well.get("/status", Accept=accept)
        assert (answer.status, answer.headers["content-type"]) == (200, wanted)
        assert answer.body.startswith("{")


def test_the_query_wins(adapter, postgres):
    a = adapter(postgres.url(), checks=CHECKS)
    assert document(a.get("/healthz?format=json", Accept="text/plain"))
    assert a.get("/healthz?format=text").body == "ok"
    for query in ("format=xml", "format", "format="):
        answer = a.get(f"/healthz?{query}", Accept=TYPE)
        assert (answer.status, answer.body) == (400, "format: expected json or text\n")


def test_headers_and_head(well):
    for path in EVERYTHING:
        got = well.get(path, Accept=TYPE)
        head = well.get(path, "HEAD", Accept=TYPE)
        assert got.headers["cache-control"] == head.headers["cache-control"] == "no-store"
        assert ("age" in got.headers) == ("livez" not in path)
        assert (head.status, head.body) == (got.status, "")
        assert head.headers["content-type"] == TYPE
        assert int(got.headers["content-length"]) == len(got.body.encode())


def test_livez_shows_the_probers(well):
    report = document(well.get("/livez", Accept=TYPE))
    assert (report["status"], report["description"]) == ("pass", "livez")
    [sandbox] = report["checks"].pop("sandbox")
    assert sandbox["output"].startswith("seccomp ")
    assert set(report["checks"]) == {"configuration", "prober-liveness", "prober-main"}
    for [component] in report["checks"].values():
        assert component == {"componentType": "component", "status": "pass"}


# /status


def test_status_shows_everything_and_is_always_200(well):
    answer = well.get("/status")
    report = document(answer)
    assert (answer.status, report["status"], report["description"]) == (200, "warn", "status")
    assert verdicts(report) == {
        "accepting": "pass",
        "alive": "pass",
        "lag": "fail",
        "spare": "warn",
        "words": "fail",
    }
    assert report["endpoints"] == {
        "healthz": "pass",
        "startupz": "pass",
        "readyz": "pass",
        "primary": "pass",
        "replica": "fail",
        "errors": "fail",
    }


def test_status_of_a_server_that_is_down(adapter, closed_port):
    a = adapter(f"postgres://probe:x@127.0.0.1:{closed_port}/postgres")
    answer = a.get("/status")
    report = document(answer)
    assert (answer.status, report["status"]) == (200, "fail")
    assert set(report["endpoints"]) >= {"healthz", "startupz", "readyz", "primary", "replica"}
    assert set(report["endpoints"].values()) == {"fail"}
    assert {check["outcome"] for [check] in report["checks"].values()} == {"refused"}


def test_an_own_fault_is_a_warning_where_it_does_not_fail(adapter):
    """`fail` is for what fails the endpoint; verdict and outcome say what it was."""
    a = adapter("postgres://probe@127.0.0.1:1/", DATABASE_PASSWORD_FILE="/nonexistent")
    [alive] = document(a.get("/healthz", Accept=TYPE))["checks"]["alive"]
    assert (alive["status"], alive["verdict"], alive["outcome"]) == ("warn", "unknown", "config")
    answer = a.get("/readyz", Accept=TYPE)
    report = document(answer)
    assert (answer.status, report["status"]) == (503, "fail")
    assert report["checks"]["accepting"][0]["status"] == "fail"


def test_draining_is_a_note(adapter, postgres, tmp_path):
    a = adapter(postgres.url(), DBHEALTH_DRAIN_FILE=str(tmp_path / "drain"))
    assert "notes" not in document(a.get("/readyz", Accept=TYPE))
    (tmp_path / "drain").touch()
    answer = a.get("/readyz", Accept=TYPE)
    report = document(answer)
    assert (answer.status, report["status"]) == (503, "fail")
    assert report["notes"] == ["the adapter is draining"]
    assert document(a.get("/status"))["endpoints"]["readyz"] == "fail"
    assert a.get("/healthz", Accept=TYPE).status == 200


def test_an_unknown_name_to_exclude_is_a_note(well):
    report = document(well.get("/readyz?format=json&exclude=nothing"))
    assert (report["status"], report["notes"]) == (
        "pass",
        ["cannot exclude nothing: not a check of readyz"],
    )


# What bodies must not show


def test_no_body_has_the_servers_words_or_a_secret(adapter, server):
    """Neither the words of an error nor those of a refused login."""
    faulty = adapter(server.url(), checks=CHECKS)
    denied = adapter(server.url(password="topsecret"))
    for a in (faulty, denied):
        paths = ["/status", *(path for path, *_ in ANSWERS)]
        bodies = [a.get(asking(path)).body + a.get(path).body for path in paths]
        assert not any(word in body for body in bodies for word in ("no_such", "secret", "127.0.0"))
    assert "no_such_column" in faulty.log_text()
    assert "probe" in denied.transitions("accepting")[0]["message"]
