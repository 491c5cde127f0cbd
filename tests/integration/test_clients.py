"""Clients as people run them, against an adapter whose server is well, frozen or down: each must
take 200 for well and 503 for not well, by its own manners."""

import json
import os
from pathlib import Path

import processes
import pytest
import sql
from adapter import AS_SHIPPED
from exposition import Metrics
from haproxy import HAProxy, bare_config
from kubelet import FAILURE, SUCCESS, probe_all
from monitoring import Blackbox
from servers import Postgres, free_port, wait_until

pytestmark = [pytest.mark.xdist_group("clients"), pytest.mark.timeout(120)]

LIMIT = 60
NPM = Path(os.environ.get("DBHEALTH_TEST_CACHE", "/var/cache/dbhealth-tests"), "npm/node_modules")
WELL, FROZEN, DOWN = "well", "frozen", "down"
FETCH = "fetch(process.argv[1]).then(answer => process.exit(answer.ok ? 0 : 1))"
FETCH_MANY = """
async function main(base) {
    const ask = async (path, options) => {
        const answer = await fetch(base + path, options);
        return [answer.status, await answer.text()];
    };
    const many = await Promise.all(Array.from({length: 200}, () => ask("/readyz")));
    const [status, text] = await ask("/readyz", {headers: {Accept: "application/health+json"}});
    const head = await ask("/readyz", {method: "HEAD"});
    const statuses = [...new Set([status, head[0], ...many.map(([status]) => status)])];
    console.log(JSON.stringify({statuses, head: head[1], said: JSON.parse(text).status}));
}
main(process.argv[1]);
"""
COMMANDS = {  # A command, to which the URL is added, and its exit status for 200 and for 503.
    "curl --fail": ("curl --fail --silent", 0, 22),
    "curl --fail --head": ("curl --fail --silent --head", 0, 22),
    "curl that would speak HTTP/2": ("curl --fail --silent --http2", 0, 22),
    "wget --spider": ("wget --spider --quiet --tries=1", 0, 8),
    "wget": ("wget --quiet --tries=1 --output-document=/dev/null", 0, 8),
    "busybox wget --spider": ("busybox wget -q --spider", 0, 1),  # Alpine's.
    "fetch of Node": (["node", "-e", FETCH], 0, 1),
}


class Subject:
    """A server, and an adapter that knows how it is."""

    def __init__(self, server, adapter, state):
        self.server = server
        self.adapter = adapter
        self.is_well = state == WELL
        self.status = 200 if self.is_well else 503

    def url(self, path):
        return f"http://127.0.0.1:{self.adapter.port}{path}"


@pytest.fixture(scope="module")
def server():
    with Postgres() as server:
        yield server


@pytest.fixture(scope="module", params=(WELL, FROZEN, DOWN))
def state(request):
    return request.param


@pytest.fixture
def subject(adapter, server, state):
    a = adapter(server.url(), **({} if state == WELL else AS_SHIPPED))
    if state == FROZEN:
        server.pause_all()
    if state == DOWN:
        server.stop()
    try:
        subject = Subject(server, a, state)
        a.wait_status("/readyz", subject.status, LIMIT)
        yield subject
    finally:
        server.resume()
        if state == DOWN:
            server.start()


def run(*command):
    """A command to its end, with no proxy nor anything else that its user's environment says."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    return processes.run(command, environment, LIMIT)


# Commands


def test_commands_tell_well_from_not_well_by_their_exit_status(subject):
    expected, found = {}, {}
    for name, (command, well, unwell) in COMMANDS.items():
        words = command.split() if isinstance(command, str) else command
        for path in ("/", "/readyz", "/livez"):
            is_well = subject.is_well or path == "/livez"
            expected[name, path] = well if is_well else unwell
            found[name, path] = run(*words, subject.url(path)).returncode
    assert found == expected


def test_node_fetches_two_hundred_at_once(subject):
    ended = run("node", "-e", FETCH_MANY, subject.url(""))
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == {
        "statuses": [subject.status],
        "head": "",
        "said": "pass" if subject.is_well else "fail",
    }


def test_the_blackbox_exporter_tells_well_from_not_well(subject, tmp_path, log_on_failure):
    """Its usual module, http_2xx: see test_prometheus.py."""
    (tmp_path / "blackbox").mkdir()
    blackbox = Blackbox(tmp_path / "blackbox")
    log_on_failure("the blackbox exporter", blackbox.folder / "log")
    with blackbox:
        for path, is_well in (("/", subject.is_well), ("/livez", True)):
            shown = blackbox.probe(subject.url(path)).splitlines()
            assert f"probe_success {int(is_well)}" in shown
            assert f"probe_http_status_code {200 if is_well else 503}" in shown


# Packages of npm's registry

PING_MONITOR = """
const {origin, pathname} = new URL(process.argv[1]);
const monitor = new (require(process.argv[2]))({
    address: origin + pathname,
    interval: 1,
    config: {intervalUnits: "seconds"},
    httpOptions: {path: pathname, method: "get"},
    expect: {statusCode: 200},
});
for (const event of ["up", "down", "error", "timeout"])
    monitor.on(event, () => { console.log("event: " + event); process.exit(); });
"""

# As Uptime Kuma 2 asks with its cache buster on, by Axios; what npm's registry has of it is older.
UPTIME_KUMA = """
const axios = require(process.argv[2]);
const ask = path => axios.request({
    url: process.argv[1] + path,
    method: "get",
    timeout: 48000,
    headers: {
        Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp," +
            "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.9",
        "User-Agent": "Uptime-Kuma/2.0.2",
        Connection: "close",
    },
    maxRedirects: 10,
    params: {uptime_kuma_cachebuster: Math.random().toString(36).substring(2)},
    validateStatus: () => true,
}).then(answer => answer.status);
(async () => {
    const statuses = [];
    for (const path of ["/", "/readyz", "/readyz?verbose", "/livez", "/readyz?verbos"])
        statuses.push(await ask(path));
    console.log(JSON.stringify(statuses));
})();
"""


@pytest.fixture
def npm_clients():
    if not NPM.is_dir():
        pytest.skip("npm's clients are not installed, as tests/install does where npm is")
    return NPM


def test_wait_on_waits_for_readiness(subject, npm_clients):
    """By HEAD; http-get asks by GET."""
    program = npm_clients / "wait-on/bin/wait-on"
    for url in (subject.url("/readyz"), subject.url("/").replace("http:", "http-get:")):
        ended = run("node", program, "--timeout", 30000 if subject.is_well else 500, url)
        assert ended.returncode == (0 if subject.is_well else 1), ended.stderr
        assert subject.is_well or "Timed out waiting for" in ended.stderr


def test_autocannon_counts_nothing_but_answers(subject, npm_clients):
    """Over connections that it keeps."""
    load = "--connections 20 --amount 4000 --json --no-progress".split()
    ended = run("node", npm_clients / "autocannon/autocannon.js", *load, subject.url("/readyz"))
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["errors"] == found["timeouts"] == found["resets"] == 0
    assert (found["2xx"], found["5xx"]) == ((4000, 0) if subject.is_well else (0, 4000))


def test_an_uptime_monitor_sees_it_up_or_down(subject, npm_clients):
    ended = run("node", "-e", PING_MONITOR, subject.url("/readyz"), npm_clients / "ping-monitor")
    assert f"event: {'up' if subject.is_well else 'down'}\n" in ended.stdout, ended.stderr


def test_uptime_kuma_may_get_around_caches(subject, npm_clients):
    ended = run("node", "-e", UPTIME_KUMA, subject.url(""), npm_clients / "axios")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == [subject.status] * 3 + [200, 400]


# A service registry and a mesh, imitated

LEVELS = {  # By endpoint, the checks that it has.
    "calm": {"at-ease": sql.check(endpoints="calm")},
    "warned": {
        "near": sql.check("SELECT 12 AS used", endpoints="warned", warn="used > 10"),
        "elsewhere": sql.check("SELECT true AS off", endpoints="warned", skip="off == true"),
    },
    "failed": {
        "nearer": sql.check("SELECT 12 AS used", endpoints="failed", warn="used > 10"),
        "over": sql.check("SELECT 12 AS used", endpoints="failed", fail="used > 11"),
    },
    "skipped": {"never": sql.check("SELECT true AS off", endpoints="skipped", skip="off == true")},
}


@pytest.fixture
def levels(adapter, server):
    files = {"alive": sql.alive(), "accepting": sql.check(endpoints="readyz")}
    for checks in LEVELS.values():
        files |= checks
    return adapter(server.url(), checks=files)


def consul(a, path):
    """As Consul judges the answer to its HTTP check, and what it shows of it."""
    headers = {"User_Agent": "Consul Health Check", "Accept": "text/plain, text/*, */*"}
    answer = a.get(path, Accept_Encoding="gzip", **headers)
    if 200 <= answer.status <= 299:
        return "passing", answer.body
    return "warning" if answer.status == 429 else "critical", answer.body


def envoy(a, path):
    """As Envoy judges the answer to its health check."""
    answer = a.get(path, User_Agent="Envoy/HC", x_envoy_expected_rq_timeout_ms="2000")
    if answer.status != 200:
        return "unhealthy"
    return "degraded" if "x-envoy-degraded" in answer.headers else "healthy"


def test_consul_sees_a_warning(levels):
    seen = {name: consul(levels, f"/{name}?warn=429")[0] for name in LEVELS}
    seen |= {"near": consul(levels, "/warned/near?warn=429")[0]}
    assert seen == {
        "calm": "passing",
        "warned": "warning",
        "failed": "critical",
        "skipped": "critical",
        "near": "warning",
    }
    assert consul(levels, "/warned?warn=429")[1] == (
        "[+]elsewhere skipped: not meant for this server (off true == true)\n"
        "[+]near warn: used 12 > 10\n"
        "warned check passed with a warning\n"
    )
    assert consul(levels, "/warned") == ("passing", "ok")
    assert consul(levels, "/warned?warn=503")[0] == "critical"


def test_no_warning_ends_a_container(levels):
    for path in ("/healthz", "/startupz", "/liveness", "/healthz/alive"):
        for status in ("429", "503"):
            answer = levels.get(f"{path}?warn={status}")
            assert answer.status == 400, path
            assert "whose failure ends a container" in answer.body
    assert levels.status_of("/healthz?warn=200") == 200


def test_envoy_sees_a_warning(levels):
    seen = {name: envoy(levels, f"/{name}") for name in LEVELS}
    assert seen == {
        "calm": "healthy",
        "warned": "degraded",
        "failed": "unhealthy",
        "skipped": "unhealthy",
    }


def test_every_answer_with_a_warning_carries_the_header(levels):
    """And the same one when it is sent again, as the metrics count it."""

    def marked(path, **headers):
        return "x-envoy-degraded" in levels.get(path, **headers).headers

    for query in ("", "?verbose", "?warn=429", "?warn=503", "?format=json"):
        assert marked(f"/warned{query}") and marked(f"/warned{query}"), query
        for name in ("calm", "failed", "skipped", "readyz", "livez", "metrics"):
            assert query and name in ("livez", "metrics") or not marked(f"/{name}{query}")
    assert marked("/status") and not marked("/", Accept="text/html")
    assert 'requests_total{path="/warned",code="429"} 2\n' in levels.get("/metrics").body


def test_a_page_with_a_warning_has_the_status_that_is_asked_for(adapter, server):
    near = sql.check("SELECT 12 AS used", endpoints="readyz", warn="used > 10")
    a = adapter(server.url(), checks={"alive": sql.alive(), "near": near})
    for query, status in (("", 200), ("?warn=429", 429), ("?warn=503", 503)):
        answer = a.get(f"/{query}", Accept="text/html")
        assert (answer.status, answer.headers["content-type"]) == (
            status,
            "text/html; charset=utf-8",
        )
        assert "x-envoy-degraded" in answer.headers


# Names that other tools have

MEANT = {
    "master": "primary",
    "leader": "primary",
    "read-write": "primary",
    "standby": "replica",
    "secondary": "replica",
    "health": "readyz",
    "readiness": "readyz",
    "liveness": "healthz",
}


def test_names_of_other_tools_are_endpoints(adapter, server):
    a = adapter(server.url())
    requests = "dbhealthd_http_requests_total"
    before = Metrics(a.get("/metrics").body).by("path", requests)
    for name, meant in MEANT.items():
        for rest in ("", "?verbose", "/primary"):
            found, expected = a.get(f"/{name}{rest}"), a.get(f"/{meant}{rest}")
            assert (name, found.status, found.body) == (name, expected.status, expected.body)
    seen = Metrics(a.get("/metrics").body)
    assert seen.by("path", requests).keys() == before.keys()
    assert seen.value(requests, path="/primary", code="200") == 18
    assert "master" not in a.get("/status").body + a.get("/", Accept="text/html").body


def test_a_check_file_may_have_such_a_name_for_itself(adapter, server):
    own = sql.check("SELECT 5 AS lag", endpoints="standby", param="lag = 4", fail="lag > $lag")
    files = {"mine": own, "theirs": sql.check("SELECT 1", endpoints="replica")}
    a = adapter(server.url(), checks={"alive": sql.alive(), **files})
    assert a.status_of("/standby") == 503
    assert a.status_of("/standby?lag=6") == a.status_of("/secondary") == 200
    answer = a.get("/secondary?lag=10MB")
    assert (answer.status, answer.body[:23]) == (400, "unknown parameter 'lag'")


def test_patronis_lag_is_one_in_bytes(adapter, server):
    behind = sql.check(
        "SELECT 10485760 AS lag_bytes",
        endpoints="replica",
        param="max_lag_bytes = 1",
        fail="lag_bytes > $max_lag_bytes",
    )
    a = adapter(server.url(), checks={"alive": sql.alive(), "behind": behind})
    for given, status in (
        ("10MB", 200),
        ("10240kB", 200),
        ("10485759", 503),
        ("9.99MB", 503),
        ("10%20MB", 200),
        ("", 400),
        ("10M", 400),
        ("-1", 400),
    ):
        assert (given, a.status_of(f"/replica?lag={given}")) == (given, status)
    assert a.get("/replica?lag=1MB").body.splitlines()[0].endswith("10485760 > 1048576")
    assert a.get("/replica?lag=x").body == "lag: expected bytes, like 1048576 or 10MB\n"
    twice = a.get("/replica?lag=1MB&max_lag_bytes=5")
    assert (twice.status, twice.body) == (400, "max_lag_bytes is given a second time\n")


# A load balancer


def test_httpchk_follows_the_database(adapter, server, tmp_path, log_on_failure, request):
    """HAProxy's bare `option httpchk`: see test_haproxy.py."""
    a = adapter(server.url(), DBHEALTH_CACHE="100ms", DBHEALTH_TIMEOUT="2s")
    proxy = HAProxy(tmp_path, bare_config(tmp_path, free_port(), server, a))
    log_on_failure("HAProxy", proxy.log)
    proxy.start()
    request.addfinalizer(proxy.end)
    wait_until(lambda: not proxy.unchecked("database"), "HAProxy has asked", LIMIT)
    for fault, mend in ((server.pause_all, server.resume), (server.stop, server.start)):
        wait_until(lambda: proxy.up("database"), "HAProxy takes it in", LIMIT)
        fault()
        wait_until(lambda: not proxy.up("database"), "HAProxy takes it out", LIMIT)
        mend()
    wait_until(lambda: proxy.up("database"), "HAProxy takes it in", LIMIT)


# The kubelet

ALWAYS = {path: SUCCESS for path in ("/livez", "/status", "/metrics")}
BY_DATABASE = ("/startupz", "/healthz", "/readyz", "/", "/primary", "/read-only", "/readyz?verbose")
NEVER = {"/replica": FAILURE, "/nothing": FAILURE}


def test_the_kubelet_gets_every_answer_whole_and_in_time(adapter, server):
    """All endpoints at once, again and again until each has been answered in its time with what is
    right: a busy machine may cost a second. Nothing excuses an answer in pieces."""
    a = adapter(server.url(), DBHEALTH_CACHE="200ms", **AS_SHIPPED)
    paths = [*ALWAYS, *BY_DATABASE, *NEVER]

    def wait_for(result):
        expected = {**ALWAYS, **dict.fromkeys(BY_DATABASE, result), **NEVER}

        def answered():
            return probe_all(a.port, paths) == expected

        wait_until(answered, f"each is a {result}", LIMIT, pause=0.1)

    wait_for(SUCCESS)
    with server.paused():
        wait_for(FAILURE)
    wait_for(SUCCESS)
    server.stop()
    try:
        wait_for(FAILURE)
    finally:
        server.start()
    wait_for(SUCCESS)
    before = a.descriptors()
    probe_all(a.port, paths)
    wait_until(lambda: a.descriptors() <= before, "its connections are closed")
