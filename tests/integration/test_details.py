"""DBHEALTH_DETAILS_LISTEN: what is told where, and that neither listener is in the other's way."""

import contextlib
import signal
from resource import RLIMIT_NOFILE, setrlimit

import processes
import pytest
import sql
from raw_http import connect, exchange, kubelet, parse_answer, read_answer
from servers import wait_until

LAG = {"fail": "lag_seconds > 30", "description": "description"}
CHECKS = {
    "alive": sql.alive(),
    "lag": sql.check("SELECT 45 AS lag_seconds", endpoints="readyz replica", **LAG),
    "slow": sql.check("SELECT 1 AS n", endpoints="replica warned", warn="n == 1"),
}
ON_MAIN = [  # Path, status, body.
    ("/healthz", 200, "ok"),
    ("/startupz", 200, "ok"),
    ("/livez", 200, "ok"),
    ("/healthz/alive", 200, "ok"),
    ("/readyz", 503, "[-]lag\nreadyz check failed\n"),
    ("/", 503, "[-]lag\nreadyz check failed\n"),
    ("/?format=text", 503, "[-]lag\nreadyz check failed\n"),
    ("/readyz/lag", 503, "[-]lag\nreadyz check failed\n"),
    ("/readyz?exclude=lag", 503, "[-]checks\nreadyz check failed\n"),
    ("/replica?exclude=lag&_=1", 200, "ok"),
    ("/warned?warn=429", 429, "warned check passed with a warning\n"),
    ("/nothing", 404, "no such endpoint\n"),
    ("/replica/nothing", 404, "no such check\n"),
]
DETAILS = (
    ("/status", "/metrics", "/page.js", "/page.css", "/?format=html")
    + ("/livez?verbose", "/livez?format=json", "/healthz?verbose", "/replica?history")
    + ("/readyz?verbose", "/readyz?format=json", "/readyz/lag?verbose", "/nothing?verbose")
)
ACCEPTED = ("application/json", "text/html,*/*;q=0.8", "application/health+json;q=1, text/plain")


@pytest.fixture
def split(adapter, mariadb):
    """An adapter with a listener for details, which is in `details`."""

    def start(checks=CHECKS, arguments=("--listen", "127.0.0.1:0"), **options):
        arguments = (*arguments, "--details-listen", "127.0.0.1:0")
        a = adapter(mariadb.url(), checks=checks, arguments=arguments, **options)
        a.details = int(a.messages("serving details")[0]["port"])
        return a

    return start


def at(port, path, tls=None):
    return parse_answer(exchange(port, kubelet(path), tls=tls))


def test_the_main_port_tells_status_and_names(split):
    a = split()
    for path, status, body in ON_MAIN:
        answer = a.get(path)
        assert (answer.status, answer.body) == (status, body), path
        assert a.get(path, "HEAD").status == status
    for accepted in ACCEPTED:  # As a monitor that calls itself a browser.
        answer = a.get("/", Accept=accepted)
        assert (answer.status, answer.body) == (503, "[-]lag\nreadyz check failed\n")
        assert answer.headers["content-type"].startswith("text/plain")


def test_no_details_on_the_main_port(split):
    a = split()
    for path in DETAILS:
        answer = a.get(path)
        assert (answer.status, answer.body) == (403, "details are not told here\n"), path
        assert at(a.details, path).status == (404 if "nothing" in path else answer_of(path))
    assert 'dbhealthd_http_requests_total{path="/status",code="403"} 1' in metrics(a)


def answer_of(path):
    return 503 if path.startswith(("/readyz", "/replica", "/?")) else 200


def metrics(adapter):
    return at(adapter.details, "/metrics").body


def test_all_is_told_where_the_details_are(split):
    a = split()
    assert "[-]lag failed: lag_seconds 45 > 30" in at(a.details, "/readyz").body
    assert '"lag_seconds"' in at(a.details, "/status").body
    assert at(a.details, "/healthz").body == "ok"
    assert "<html" in parse_answer(exchange(a.details, browser())).body
    assert 'dbhealthd_check_value{check="lag",column="lag_seconds"} 45' in metrics(a)


def browser():
    return b"GET / HTTP/1.1\r\nHost: h\r\nAccept: text/html\r\nConnection: close\r\n\r\n"


def test_what_one_listener_has_answered_is_not_the_others(split):
    """Which keep answers to be given again."""
    a = split()
    for _ in range(3):
        assert "45" not in a.get("/readyz").body
        assert "45" in at(a.details, "/readyz").body


def test_draining_is_a_name(split, tmp_path):
    file = tmp_path / "drain"
    file.touch()
    a = split({"alive": sql.alive(), "ready": sql.check()}, DBHEALTH_DRAIN_FILE=str(file))
    assert a.get("/readyz").body == "[-]drain\nreadyz check failed\n"


# Neither is in the other's way


def test_both_go_on_after_a_crash(split):
    a = split()
    processes.send(a.server, signal.SIGKILL)
    wait_until(lambda: len(a.messages("sandboxed")) == 2, "the next one serves")
    assert [line["port"] for line in a.messages("serving details")] == [str(a.details)] * 2
    assert (a.status_of("/healthz"), at(a.details, "/status").status) == (200, 200)
    assert "dbhealthd_server_restarts_total 1" in metrics(a)


def few_descriptors():
    setrlimit(RLIMIT_NOFILE, (320, 320))


@pytest.mark.parametrize("full", ("main", "details"))
def test_a_full_listener_takes_no_connection_from_the_other(split, full):
    """Its clients have sent half a request each, and are not idle for long enough to be shut."""
    a = split(preexec=few_descriptors)
    crowded, free = (a.port, a.details) if full == "main" else (a.details, a.port)
    with contextlib.ExitStack() as opened:
        for _ in range(400):
            opened.enter_context(connect(crowded)).sendall(b"GET /healthz HTTP/1.1\r\n")
        with connect(free) as client:
            for _ in range(10):
                client.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
                assert read_answer(client).status == 200
