"""DBHEALTH_DETAILS_LISTEN: what is told where, and that neither listener is in the other's way."""

import contextlib
import re
import signal
import ssl
import subprocess
from resource import RLIMIT_NOFILE, setrlimit

import processes
import pytest
import sql
from program import Program
from raw_http import connect, exchange, kubelet, parse_answer, read_answer
from servers import certificates, wait_until
from volume import Volume

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


# Who shows a certificate


def known_by(authority):
    certificate, key = served_pair()
    return {
        "DBHEALTH_TLS_CERT": str(certificate),
        "DBHEALTH_TLS_KEY": str(key),
        "DBHEALTH_TLS_CLIENT_CA": str(authority),
    }


def client(pair=None, version=ssl.TLSVersion.TLSv1_3):
    context = ssl.create_default_context(cafile=certificates().ca)
    context.minimum_version = context.maximum_version = version
    if pair:
        context.load_cert_chain(*pair)
    return context


@pytest.fixture(scope="module")
def pairs():
    """Of clients: certificate and key, by what is right or wrong with them."""
    issue = certificates().issue
    return {
        "known": issue("known", common_name="prometheus"),
        "other": issue("other", ca=certificates().other_ca),
        "late": issue("late", seconds=-3600),
        "for servers": issue("for-servers", use="SERVER_AUTH"),
        "for clients": issue("for-clients", use="CLIENT_AUTH"),
        "none": None,
    }


ALERTS = {  # What a client without a good certificate reads.
    "other": "UNKNOWN_CA",
    "late": "CERTIFICATE_EXPIRED",
    "for servers": "BAD_CERTIFICATE",
    "none": "CERTIFICATE_REQUIRED",
}


def refused(port, tls):
    """The alert that the client reads; None if none came through."""
    with pytest.raises(OSError) as raised:
        at(port, "/healthz", tls)
    alert = re.search(r"ALERT_([A-Z_]+)", getattr(raised.value, "reason", None) or "")
    return alert and alert[1]


def lost(version):
    """In 1.3 a client has begun to ask by then, so the connection may be reset."""
    return (None,) if version == ssl.TLSVersion.TLSv1_3 else ()


@pytest.mark.parametrize("version", (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3))
def test_the_details_are_for_known_clients(split, pairs, version):
    a = split(**known_by(certificates().ca))
    for name in pairs.keys() - ALERTS.keys():
        assert at(a.details, "/status", client(pairs[name], version)).status == 200
    for name, alert in ALERTS.items():
        assert refused(a.details, client(pairs[name], version)) in (alert, *lost(version))
    for name in pairs:  # The kubelet has none.
        assert at(a.port, "/healthz", client(pairs[name], version)).body == "ok"
        assert at(a.port, "/status", client(pairs[name], version)).status == 403
    assert at(a.details, "/readyz?verbose", client(served_pair(), version)).status == 503


def served_pair():
    """The adapter's own, which its commands show."""
    return certificates().certificate, certificates().key


def test_where_there_is_one_port_health_is_open(adapter, mariadb, pairs):
    a = adapter(mariadb.url(), checks=CHECKS, **known_by(certificates().ca))
    for _ in range(2):  # Answers that are kept are those of the one and of the other.
        a.tls = client()
        assert (a.get("/healthz").body, a.status_of("/livez?verbose")) == ("ok", 403)
        assert a.get("/readyz").body == "[-]lag\nreadyz check failed\n"
        a.tls = client(pairs["known"])
        assert "45 > 30" in a.get("/readyz").body
        assert a.status_of("/metrics") == a.status_of("/?format=html") - 303 == 200
    a.tls = client(pairs["other"])
    assert refused(a.port, a.tls) in (None, "UNKNOWN_CA")


def test_another_authority_is_taken_over(split, pairs, tmp_path):
    volume = Volume(tmp_path / "authority", {"ca.crt": certificates().ca.read_bytes()})
    a = split(**known_by(volume / "ca.crt"))
    assert at(a.details, "/livez", client(pairs["known"])).status == 200
    volume.write({"ca.crt": b"noise"})
    wait_until(lambda: a.messages("reload refused"), "it is refused")
    [problem] = {line["problem"] for line in a.messages("reload refused")}
    assert problem.startswith("DBHEALTH_TLS_CLIENT_CA: expected certificates")
    assert at(a.details, "/livez", client(pairs["known"])).status == 200
    volume.write({"ca.crt": certificates().other_ca.read_bytes()})
    wait_until(lambda: a.messages("reloaded"), "the other one is known")
    assert at(a.details, "/livez", client(pairs["other"])).status == 200
    assert refused(a.details, client(pairs["known"])) in (None, "UNKNOWN_CA")


@pytest.mark.parametrize("content", (None, b"", b"noise"), ids=("missing", "empty", "noise"))
def test_a_bad_authority_knows_nobody(split, pairs, tmp_path, content):
    """But the adapter's own commands; health stays open, and readiness says whose fault it is."""
    authority = tmp_path / "ca.crt"
    if content is not None:
        authority.write_bytes(content)
    a = split(**known_by(authority))
    [problem] = [line["problem"] for line in a.messages("configuration is wrong")]
    assert problem.startswith("DBHEALTH_TLS_CLIENT_CA: ")
    assert at(a.port, "/healthz", client()).body == "ok"
    assert "[-]configuration\n" in at(a.port, "/readyz", client()).body
    assert refused(a.details, client(pairs["known"])) in (None, "UNKNOWN_CA")
    assert at(a.details, "/livez", client(served_pair())).status == 200


def test_clients_cannot_be_known_without_https(split):
    """So nobody is told details."""
    a = split(DBHEALTH_TLS_CLIENT_CA=str(certificates().ca))
    [problem] = [line["problem"] for line in a.messages("configuration is wrong")]
    assert problem.startswith("DBHEALTH_TLS_CLIENT_CA: set without HTTPS, expected")
    assert a.get("/healthz").body == at(a.details, "/healthz").body == "ok"
    assert a.status_of("/status") == at(a.details, "/status").status == 403


# Clients


def test_the_databases_own_probe_sees_what_it_needs(adapter, build_dir, closed_port):
    """dbhealthd-ask, in whose words to Kubernetes is no more than on the port."""
    url = f"postgres://probe@127.0.0.1:{closed_port}/"
    listen = ("--listen", "127.0.0.1:0", "--details-listen", "127.0.0.1:0")
    a = adapter(url, checks={"alive": sql.alive()}, arguments=listen)
    ask = (build_dir / "dbhealthd-ask", "--port", str(a.port))
    ended = subprocess.run(ask, capture_output=True, text=True, timeout=20, check=False)
    assert (ended.returncode, ended.stdout) == (1, "503 [-]alive\nhealthz check failed\n")


def test_curl_shows_a_certificate(split, pairs):
    a = split(**known_by(certificates().ca))
    curl = ["curl", "--silent", "--show-error", "--fail", "--cacert", certificates().ca]
    details, health = (f"https://localhost:{port}/livez" for port in (a.details, a.port))
    certificate, key = pairs["known"]
    shown = ("--cert", certificate, "--key", key)
    for words, works in (((*shown, details), True), ((details,), False), ((health,), True)):
        ended = subprocess.run([*curl, *words], capture_output=True, timeout=20, check=False)
        assert (ended.returncode == 0, ended.stdout == b"ok") == (works, works), ended.stderr


@pytest.mark.parametrize("tls", (False, True), ids=("plain", "tls"))
def test_get_finds_what_is_told(split, build_dir, tls):
    """It shows the adapter's own certificate, which is known."""
    settings = known_by(certificates().ca) if tls else {}
    a = split(**settings)
    settings["DBHEALTH_LISTEN"] = f"127.0.0.1:{a.port}"
    got = Program(build_dir).run("get", "/status", **settings)
    assert (got.status, got.output) == (1, "details are not told here\n")
    settings["DBHEALTH_DETAILS_LISTEN"] = f"127.0.0.1:{a.details}"
    got = Program(build_dir).run("get", "/livez", **settings)
    assert (got.status, got.output) == (0, "ok\n")
    got = Program(build_dir).run("get", "/readyz?verbose", **settings)
    assert got.status == 1 and "45 > 30" in got.output, got.errors
