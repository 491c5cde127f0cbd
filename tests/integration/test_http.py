"""HTTP: statuses, bodies, headers, and connections of clients of every kind and behaviour."""

import contextlib
import random
import re
import signal
import socket
import subprocess
import time

import pytest
import sql
from adapter import AS_SHIPPED, ENDPOINTS
from raw_http import burst, connect, exchange, kubelet, parse_answer, read_all, read_answer
from resource import RLIMIT_NOFILE, setrlimit
from servers import cpu_seconds, wait_until

WELL = {
    "alive": sql.alive(description="It answers."),
    "accepting": sql.check(endpoints="readyz"),
    "spare": sql.check("SELECT 2 AS n", endpoints="readyz replica", warn="n > 1"),
}
ILL = {
    **WELL,
    "lag": sql.check(
        "SELECT 45 AS lag_seconds", endpoints="readyz replica", fail="lag_seconds > 30"
    ),
}
ANSWERS = [  # path, status with WELL
    ("/healthz", 200),
    ("/readyz", 200),
    ("/startupz", 200),
    ("/livez", 200),
    ("/replica", 200),
    ("/", 200),
    ("/readyz/", 200),
    ("/%72eadyz", 200),
    ("/readyz/accepting", 200),
    ("/healthz/alive", 200),
    ("/readyz?verbose", 200),
    ("/readyz?verbose=1&exclude=spare", 200),
    ("/readyz?", 200),
    ("/readyz?exclude=accepting,spare", 503),
    ("/readyz?exclude=accepting&exclude=spare", 503),
    ("/nothing", 404),
    ("/readyz/nothing", 404),
    ("/readyz/alive", 404),
    ("/readyz/accepting/more", 404),
    ("/livez/prober-main", 404),
    ("/READYZ", 404),
    ("/readyz/../healthz", 404),
    ("//healthz", 404),
    ("/readyz%00", 404),
    ("/readyz%2Faccepting", 404),
    ("/readyz?nonsense", 400),
    ("/readyz?verbose&nonsense=1", 400),
    ("/%zz", 400),
]
METHODS_REFUSED = ("POST", "PUT", "DELETE", "PATCH", "TRACE", "NONSENSE")


@pytest.fixture
def well(adapter, postgres):
    return adapter(postgres.url(), checks=WELL)


# Statuses and bodies


def test_each_path_has_its_status_whatever_the_method(well):
    for path, status in ANSWERS:
        assert (path, well.status_of(path)) == (path, status)
        for method in ("HEAD", "OPTIONS"):
            assert (method, path, well.get(path, method).status) == (method, path, status)


def test_a_failing_check_fails_its_endpoints_alone(adapter, postgres):
    a = adapter(postgres.url(), checks=ILL)
    assert a.statuses() == (200, 503, 200, 200)
    statuses = [a.status_of(path) for path in ("/", "/replica", "/readyz/lag", "/readyz/spare")]
    assert statuses == [503, 503, 503, 200]
    assert a.status_of("/readyz?exclude=lag") == 200


def test_bodies(adapter, postgres):
    a = adapter(postgres.url(), checks=ILL)
    assert a.get("/healthz").body == "ok"
    assert a.get("/healthz?verbose").body == "[+]alive ok\nhealthz check passed\n"
    failed = (
        "[+]accepting ok\n[-]lag failed: lag_seconds 45 > 30\n[+]spare warn: n 2 > 1\n"
        "readyz check failed\n"
    )
    assert a.get("/readyz").body == failed
    assert a.get("/readyz?verbose").body == failed
    assert a.get("/readyz/lag").body == "[-]lag failed: lag_seconds 45 > 30\nreadyz check failed\n"


def test_an_unknown_name_to_exclude_is_a_warning(well):
    body = well.get("/readyz?verbose&exclude=spare,nothing,alive").body
    assert body == (
        "[+]accepting ok\nwarn: cannot exclude nothing: not a check of readyz\n"
        "warn: cannot exclude alive: not a check of readyz\nreadyz check passed\n"
    )
    assert well.status_of("/readyz?exclude=nothing") == 200


def test_livez_shows_the_probers(well):
    first, second, *lines = well.get("/livez?verbose").body.splitlines()
    assert first == "[+]configuration ok"
    assert second.startswith("[+]sandbox ")
    assert sorted(lines[:-1]) == ["[+]prober-liveness ok", "[+]prober-main ok"]
    assert lines[-1] == "livez check passed"


@pytest.mark.parametrize("method", METHODS_REFUSED)
def test_other_methods_are_405_with_allow(well, method):
    answer = well.get("/healthz", method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_errors_say_what_is_wrong(well):
    assert "nonsense" in well.get("/readyz?nonsense=1").body
    assert "no such endpoint" in well.get("/nothing").body
    assert "no such check" in well.get("/readyz/nothing").body


# Headers


def test_headers(well):
    for path in ("/healthz", "/readyz?verbose", "/livez", "/nothing", "/readyz?nonsense"):
        answer = well.get(path)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert int(answer.headers["content-length"]) == len(answer.body)
        assert not answer.rest
        assert ("age" in answer.headers) == path.startswith(("/healthz", "/readyz?verbose"))


def test_head_has_the_headers_of_get_and_no_body(well):
    got, head = well.get("/readyz?verbose"), well.get("/readyz?verbose", "HEAD")
    assert (head.body, head.rest) == ("", b"")
    assert head.headers["content-length"] == got.headers["content-length"]


def test_age_is_that_of_the_oldest_result(adapter, postgres):
    checks = {
        "a-new": sql.check(cache="0s"),
        "old": sql.check(cache="60s"),
        "z-new": sql.check(cache="0s"),
    }
    a = adapter(postgres.url(), checks=checks)
    assert a.get("/readyz").headers["age"] == "0"
    wait_until(lambda: int(a.get("/readyz").headers["age"]) >= 1, "a second passes")
    assert a.get("/readyz/z-new").headers["age"] == "0"


# Clients as they are


def test_the_kubelet(well):
    answer = parse_answer(exchange(well.port, kubelet("/readyz")))
    assert (answer.status, answer.body, answer.headers["connection"]) == (200, "ok", "close")


def test_haproxy(well):
    """Its default, and what `option httpchk GET /readyz` sends: both without a Host."""
    for request in (b"OPTIONS / HTTP/1.0\r\n\r\n", b"GET /readyz HTTP/1.0\r\n\r\n"):
        with connect(well.port) as client:
            client.sendall(request)
            assert read_answer(client).status == 200


def test_keep_alive(well):
    with connect(well.port) as client:
        for path in ("/healthz", "/readyz", "/nothing", "/livez"):
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            assert read_answer(client).status == (404 if path == "/nothing" else 200)


def test_pipelined_requests_are_answered_in_turn(well):
    paths = ("/healthz", "/nothing", "/readyz?nonsense", "/livez")
    requests = "".join(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n" for path in paths)
    with connect(well.port) as client:
        client.sendall(requests.encode())
        client.shutdown(socket.SHUT_WR)
        received = read_all(client)
    statuses = []
    while received:
        answer = parse_answer(received)
        statuses.append(answer.status)
        received = answer.rest
    assert statuses == [200, 404, 400, 200]


@pytest.mark.parametrize("expect", ("", "Expect: 100-continue\r\n"))
def test_a_body_is_read_before_the_answer(well, expect):
    """An answer that came first would be lost: the client would see a reset."""
    body = b"x" * 300_000
    head = f"POST /healthz HTTP/1.1\r\nHost: h\r\n{expect}Content-Length: {len(body)}\r\n\r\n"
    with connect(well.port) as client:
        client.sendall(head.encode())
        client.sendall(body)
        received = b""
        while b"expected GET" not in received:
            received += client.recv(65536)
    assert b"HTTP/1.1 405 " in received


def test_a_whole_answer_is_one_write(well):
    """A kubelet that gets headers and then a stall counts neither success nor failure."""
    answers = []
    with traced_writes(well) as written:
        for path, _ in ANSWERS:
            answers.append(exchange(well.port, kubelet(path)))
    assert written == [len(answer) for answer in answers]


@contextlib.contextmanager
def traced_writes(adapter):
    """Gives a list, filled when the block ends: how much each write to a TCP connection wrote."""
    trace, lengths = adapter.folder / "trace", []
    calls = "trace=write,writev,sendto,sendmsg,sendfile"
    command = ["strace", "-yy", "-e", calls, "-o", trace, "-p", str(adapter.server)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert "attached" in strace.stderr.readline()
        yield lengths
        strace.send_signal(signal.SIGINT)
    found = re.findall(r"^\w+\(\d+<TCP.* = (-?\d+)", trace.read_text(), re.MULTILINE)
    lengths.extend(int(length) for length in found)


# Crowds


def test_two_thousand_at_once(well):
    answers = burst(well.port, kubelet("/readyz"), 2000)
    assert {answer.status for answer, _ in answers} == {200}
    wait_until(lambda: well.descriptors() < 40, "the connections are closed")


def test_clients_that_leave_while_they_wait(adapter, postgres):
    a = adapter(postgres.url(), checks=WELL, DBHEALTH_CACHE="0s", **AS_SHIPPED)
    before = settled_descriptors(a)
    with postgres.paused():
        for _ in range(200):
            with connect(a.port) as client:
                client.sendall(kubelet("/readyz"))
        assert a.status_of("/readyz") == 503
    a.wait_status("/readyz", 200)
    wait_until(lambda: settled_descriptors(a) <= before, "the connections are closed")


def settled_descriptors(adapter):
    adapter.wait_status("/readyz", 200)
    return adapter.descriptors()


def test_a_header_a_byte_at_a_time_is_cut_off(well):
    """Many such clients neither keep a normal one waiting nor stay: each has 5 s for its header."""
    request = b"GET /healthz HTTP/1.1\r\nX-Filler: " + b"x" * 5000
    began = time.monotonic()
    with contextlib.ExitStack() as opened:
        drips = [opened.enter_context(connect(well.port)) for _ in range(1000)]
        for byte in request:
            drips = [drip for drip in drips if still_takes(drip, byte)]
            assert well.status_of("/healthz") == 200
            if not drips:
                break
            assert time.monotonic() - began < 30, f"{len(drips)} are still there"
            time.sleep(0.3)
    assert time.monotonic() - began > 4, "a slow client must be let finish"


def still_takes(drip, byte):
    """Sends a byte; false once the server has closed."""
    try:
        drip.sendall(bytes([byte]))
        drip.setblocking(False)
        return drip.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        drip.setblocking(True)


@pytest.mark.parametrize("request_first", (False, True), ids=("silent", "idle"))
def test_nobody_is_shut_out_at_the_limit_of_connections(adapter, postgres, request_first):
    """Whoever only holds connections loses the oldest to those who come."""
    a = adapter(
        postgres.url(), checks=WELL, preexec=lambda: setrlimit(RLIMIT_NOFILE, (200, 200))
    )
    began = time.monotonic()
    with contextlib.ExitStack() as opened:
        for _ in range(400):
            client = opened.enter_context(connect(a.port))
            if request_first:
                client.sendall(b"GET /livez HTTP/1.1\r\nHost: h\r\n\r\n")
                assert read_answer(client).status == 200
        assert a.descriptors() < 200
        assert a.statuses() == (200, 200, 200, 200)
    assert time.monotonic() - began < 4, "some had to wait for others' deadlines"


def test_more_waiting_requests_than_connections(adapter, postgres):
    few = {"preexec": lambda: setrlimit(RLIMIT_NOFILE, (200, 200))}
    a = adapter(postgres.url(), checks=WELL, **few, **AS_SHIPPED)
    with postgres.paused():
        answers = burst(a.port, kubelet("/readyz"), 300)
    assert {answer.status for answer, _ in answers} == {503}
    a.wait_status("/readyz", 200)


# What is no request

LONG = "x" * 100_000


def posted(header, body=b""):
    return b"POST / HTTP/1.1\r\nHost: h\r\n" + header + b"\r\n\r\n" + body


NO_REQUESTS = {
    "noise": random.Random(1).randbytes(5000),
    "zeros": bytes(5000),
    "tls": bytes.fromhex("16030100a5010000a10303") + bytes(150),
    "newlines": b"\r\n" * 3000,
    "long-target": f"GET /{LONG} HTTP/1.1\r\nHost: h\r\n\r\n".encode(),
    "long-query": f"GET /readyz?exclude={LONG} HTTP/1.1\r\nHost: h\r\n\r\n".encode(),
    "long-method": f"{LONG} / HTTP/1.1\r\nHost: h\r\n\r\n".encode(),
    "long-header": f"GET / HTTP/1.1\r\nHost: h\r\nX: {LONG}\r\n\r\n".encode(),
    "many-headers": ("GET / HTTP/1.1\r\n" + "X: y\r\n" * 20_000 + "\r\n").encode(),
    "bad-version": b"GET / HTTP/9.9\r\nHost: h\r\n\r\n",
    "bad-length": b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
    "huge-length": b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "bad-chunk": b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    "http2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "star": b"OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    "authority": b"CONNECT localhost:1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    "no-version": b"GET /livez\r\n\r\n",
    "no-target": b"GET HTTP/1.1\r\nHost: h\r\n\r\n",
    "four-words": b"GET /livez more HTTP/1.1\r\nHost: h\r\n\r\n",
    "tabs": b"GET\t/livez\tHTTP/1.1\r\nHost: h\r\n\r\n",
    "high-bytes": b"GET /\xff\xfe HTTP/1.1\r\nHost: h\r\n\r\n",
    "returns-alone": b"GET /livez HTTP/1.1\rHost: h\r\r",
    "no-colon": b"GET /livez HTTP/1.1\r\nHost h\r\n\r\n",
    "odd-version": b"GET /livez HTTP/1.x\r\nHost: h\r\n\r\n",
    "many-keys": b"GET /readyz?" + b"a=1&" * 1000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    "many-cookies": b"GET /livez HTTP/1.1\r\nCookie: " + b"a=b;" * 1500 + b"\r\n\r\n",
    "hex-length": posted(b"Content-Length: 0x1", b"x"),
    "two-lengths": posted(b"Content-Length: 1\r\nContent-Length: 2", b"xx"),
    "length-and-chunks": posted(
        b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"0\r\n\r\nGET /readyz HTTP/1.1\r\n\r\n"
    ),
    "odd-encoding": posted(b"Transfer-Encoding: gzip, chunked", b"0\r\n\r\n"),
    "huge-chunk": posted(b"Transfer-Encoding: chunked", b"F" * 17 + b"\r\n"),
    "negative-chunk": posted(b"Transfer-Encoding: chunked", b"-1\r\n"),
    "long-chunk-line": posted(b"Transfer-Encoding: chunked", b"1;" + LONG.encode() + b"\r\nx\r\n"),
    "many-trailers": posted(b"Transfer-Encoding: chunked", b"0\r\n" + b"X: y\r\n" * 5000),
}


def test_what_is_no_request_ends_in_an_error(well):
    """Or is closed, after 5 s at most; none is logged, and none keeps the adapter busy."""
    assert well.statuses() == (200,) * len(ENDPOINTS)
    log, before = well.log_text(), well.descriptors()
    began, used = time.monotonic(), cpu_seconds(well.server)
    with contextlib.ExitStack() as opened:
        clients = {name: opened.enter_context(connect(well.port)) for name in NO_REQUESTS}
        for name, client in clients.items():
            with contextlib.suppress(OSError):
                client.sendall(NO_REQUESTS[name])
        assert well.statuses() == (200,) * len(ENDPOINTS)
        answers = {name: what_comes(client) for name, client in clients.items()}
        for client in clients.values():
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_WR)  # Where more requests could come.
        wait_until(lambda: well.descriptors() <= before, "the connections are closed")
        busy = (cpu_seconds(well.server) - used) / (time.monotonic() - began)
    for name, answer in answers.items():
        assert not answer or re.match(rb"HTTP/1\.[01] [45]\d\d ", answer), (name, answer)
    assert busy < 0.2, "it is kept busy"
    assert well.log_text() == log


def what_comes(client):
    """What the server says. It may reset the connection, or wait for more until its deadline."""
    client.settimeout(0.1)
    try:
        return client.recv(65536)
    except (ConnectionError, TimeoutError):
        return b""
