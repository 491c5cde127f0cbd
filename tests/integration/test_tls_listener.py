"""HTTPS on the listener: who gets in, who holds nobody up, and what comes of a bad certificate."""

import contextlib
import itertools
import os
import re
import signal
import socket
import ssl
import time

import faults
import processes
import pytest
import sql
from program import Program
from raw_http import connect, exchange, kubelet, parse_answer, read_all, read_answer
from servers import certificates, cpu_seconds, wait_until
from volume import Volume

CHECKS = {"alive": sql.alive(), "accepting": sql.check(endpoints="readyz")}
VERSIONS = {
    ssl.TLSVersion.TLSv1: False,
    ssl.TLSVersion.TLSv1_1: False,
    ssl.TLSVersion.TLSv1_2: True,
    ssl.TLSVersion.TLSv1_3: True,
}
STALLED = 200
numbers = itertools.count(1)
STALLS = (  # What a client sends before it says no more.
    b"",
    b"\x16",
    bytes.fromhex("16030100a5010000a10303"),
    bytes.fromhex("1603010005"),
)


def verifying():
    """A client that knows the authority."""
    return ssl.create_default_context(cafile=certificates().ca)


def trusting():
    """A client that verifies nothing, as the kubelet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def of_version(version):
    context = trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")  # OpenSSL itself offers old versions only so.
    context.minimum_version = context.maximum_version = version
    return context


def pair():
    return {
        "DBHEALTH_TLS_CERT": str(certificates().certificate),
        "DBHEALTH_TLS_KEY": str(certificates().key),
    }


@pytest.fixture
def https(adapter, mariadb):
    a = adapter(mariadb.url(), checks=CHECKS, **pair())
    a.tls = verifying()
    return a


# Who gets in


def test_all_is_as_in_plain_text(https):
    assert https.statuses() == (200, 200, 200, 200)
    assert https.get("/readyz?verbose").body == "[+]accepting ok\nreadyz check passed\n"
    assert (https.status_of("/nothing"), https.status_of("/readyz?nonsense")) == (404, 400)
    assert https.get("/healthz", "POST").status == 405


def test_the_kubelet_verifies_nothing(https):
    answer = parse_answer(exchange(https.port, kubelet("/readyz"), tls=trusting()))
    assert (answer.status, answer.body, answer.headers["connection"]) == (200, "ok", "close")


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_versions_before_1_2_are_refused(https, version):
    https.tls = of_version(version)
    if VERSIONS[version]:
        assert https.status_of("/healthz") == 200
        return
    with pytest.raises(ssl.SSLError, match="closed|EOF"):  # libmicrohttpd sends no alert.
        https.status_of("/healthz")


def test_a_connection_serves_many_requests(https):
    """Also those that come in one record, and such as fill the buffer."""
    filler = "x" * 6000
    one = f"GET /readyz HTTP/1.1\r\nHost: h\r\nX: {filler}\r\n\r\n".encode()
    with connect(https.port, tls=verifying()) as client:
        for _ in range(5):
            client.sendall(one)
            assert read_answer(client).status == 200
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n" * 50)
        client.sendall(b"GET /readyz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert read_all(client).count(b"HTTP/1.1 200 ") == 51


def test_what_is_no_tls_is_closed_and_not_logged(https):
    before = https.log_text()
    for bytes_sent in (b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", b"\0" * 5000, b"\x16\x03\x01"):
        with connect(https.port) as client:
            with contextlib.suppress(OSError):
                client.sendall(bytes_sent)
                client.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):
                received = read_all(client)
                assert not re.search(rb"HTTP/1|ok", received)
    assert https.status_of("/livez") == 200
    assert https.log_text() == before


# Who holds nobody up


def test_stalled_handshakes_hold_nobody_up(https):
    """Nor do they stay: each has 5 s for all before its request; nor keep the adapter busy."""
    https.statuses()
    before = https.descriptors()
    with contextlib.ExitStack() as opened:
        clients = [opened.enter_context(connect(https.port)) for _ in range(STALLED)]
        for number, client in enumerate(clients):
            client.sendall(STALLS[number % len(STALLS)])
        wait_until(lambda: https.descriptors() >= before + STALLED, "all are connected")
        began, used = time.monotonic(), cpu_seconds(https.server)
        while not all(map(is_closed, clients)):
            assert https.status_of("/readyz") == 200
            assert time.monotonic() - began < 30, "some are still there"
            time.sleep(0.5)
        assert time.monotonic() - began > 3, "a slow client must be let finish"
        busy = (cpu_seconds(https.server) - used) / (time.monotonic() - began)
    assert busy < 0.2, "it is kept busy"
    wait_until(lambda: https.descriptors() <= before, "the connections are closed")


def is_closed(client):
    client.setblocking(False)
    try:
        return client.recv(4096) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_many_at_once(https):
    tls = trusting()
    with contextlib.ExitStack() as opened:
        clients = [opened.enter_context(connect(https.port, tls=tls)) for _ in range(50)]
        for client in clients:
            client.sendall(kubelet("/readyz"))
        assert {parse_answer(read_all(client)).status for client in clients} == {200}


# Certificates that cannot be served with


def new_pair(*names):
    """A certificate and its key: the files of a Secret of type kubernetes.io/tls, unless named."""
    issued = certificates().issue(f"listener-{next(numbers)}")
    return dict(zip(names or ("tls.crt", "tls.key"), (path.read_bytes() for path in issued)))


BAD_PAIRS = {  # What is wrong: the files of the two settings, and what is said.
    "no-key": ("well", "", "DBHEALTH_TLS_KEY: not set"),
    "no-certificate": ("", "key", "DBHEALTH_TLS_CERT: not set"),
    "nothing-there": ("none", "key", "DBHEALTH_TLS_CERT: .* cannot open"),
    "no-key-there": ("well", "none", "DBHEALTH_TLS_KEY: .* cannot open"),
    "folder": (".", "key", "DBHEALTH_TLS_CERT: .* regular file"),
    "pipe": ("well", "pipe", "DBHEALTH_TLS_KEY: .* regular file"),
    "noise": ("noise", "key", "DBHEALTH_TLS_CERT: expected certificates as PEM"),
    "half": ("half", "key", "DBHEALTH_TLS_CERT: expected certificates as PEM"),
    "empty": ("well", "empty", "DBHEALTH_TLS_KEY: expected a key as PEM"),
    "large": ("large", "key", "DBHEALTH_TLS_CERT: .* at most 65536 bytes"),
    "exchanged": ("key", "well", "DBHEALTH_TLS_CERT: expected certificates as PEM"),
    "another-key": ("well", "other-key", "DBHEALTH_TLS_KEY: does not fit DBHEALTH_TLS_CERT"),
}


def make_files(folder):
    """The files that BAD_PAIRS names."""
    files = {**new_pair("well", "key"), **new_pair("other", "other-key")}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    pem = files["well"]
    (folder / "noise").write_bytes(os.urandom(1000))
    (folder / "half").write_bytes(pem[: len(pem) // 2])
    (folder / "large").write_bytes(pem * 200)
    (folder / "empty").touch()
    os.mkfifo(folder / "pipe")


@pytest.mark.parametrize("certificate, key, problem", BAD_PAIRS.values(), ids=BAD_PAIRS)
def test_a_bad_pair_shuts_out_only_who_verifies(
    adapter, mariadb, tmp_path, certificate, key, problem
):
    """The kubelet goes on being answered, and readiness says whose fault it is."""
    make_files(tmp_path)
    settings = {
        "DBHEALTH_TLS_CERT": str(tmp_path / certificate) if certificate else "",
        "DBHEALTH_TLS_KEY": str(tmp_path / key) if key else "",
    }
    a = adapter(mariadb.url(), checks=CHECKS, **settings)
    [told] = [line["problem"] for line in a.messages("configuration is wrong")]
    assert re.match(problem, told), told
    a.tls = trusting()
    assert [a.status_of(path) for path in ("/healthz", "/readyz", "/livez")] == [200, 503, 200]
    assert a.shown("/readyz")["configuration"].code == "config"
    a.tls = verifying()
    with pytest.raises(ssl.SSLCertVerificationError):
        a.status_of("/healthz")


# Renewal


@pytest.fixture
def secret(adapter, mariadb, tmp_path):
    """An adapter whose pair is a Secret's, and that volume."""
    volume = Volume(tmp_path / "secret", new_pair())
    settings = {
        "DBHEALTH_TLS_CERT": str(volume / "tls.crt"),
        "DBHEALTH_TLS_KEY": str(volume / "tls.key"),
    }
    a = adapter(mariadb.url(), checks=CHECKS, **settings)
    a.tls = verifying()
    return a, volume


def shown(adapter):
    """The certificate that a new client is shown."""
    with connect(adapter.port, tls=adapter.tls) as client:
        return client.getpeercert(binary_form=True)


def is_in(pair):
    return ssl.PEM_cert_to_DER_cert(pair["tls.crt"].decode())


def test_a_renewed_certificate_is_shown_to_who_comes_next(secret):
    """Whoever is connected stays so."""
    a, volume = secret
    with connect(a.port, tls=a.tls) as early:
        for _ in range(3):
            pair = new_pair()
            volume.write(pair)
            a.signal(signal.SIGHUP)  # A client may be silent for no more than 5 s.
            wait_until(lambda pair=pair: shown(a) == is_in(pair), "the new one is shown")
        early.sendall(kubelet("/readyz"))
        assert read_answer(early).status == 200
    assert a.status_of("/readyz") == 200
    lines = a.messages("reloaded")
    assert len(lines) == 3
    assert all(line["certificate_until"].startswith("20") for line in lines)
    assert "dbhealthd_tls_certificate_expiry_timestamp_seconds 1" in a.get("/metrics").body


def test_a_handshake_under_way_ends_with_what_it_began_with(secret):
    a, volume = secret
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = a.tls.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    hello = outgoing.read()
    with connect(a.port) as client:
        client.sendall(hello[:100])
        for _ in range(3):
            pair = new_pair()
            volume.write(pair)
            a.signal(signal.SIGHUP)
            wait_until(lambda pair=pair: shown(a) == is_in(pair), "the new one is shown")
        client.sendall(hello[100:])
        while True:
            incoming.write(client.recv(65536))
            with contextlib.suppress(ssl.SSLWantReadError):
                session.do_handshake()
                break
        assert session.version() == "TLSv1.3"


def test_a_bad_pair_keeps_the_one_that_is_shown(secret):
    a, volume = secret
    before = shown(a)
    other = new_pair()
    for number, bad in enumerate(
        ({**other, "tls.key": new_pair()["tls.key"]}, {**other, "tls.crt": b"noise"}), 1
    ):
        volume.write(bad)
        wait_until(lambda n=number: len(a.messages("reload refused")) >= n, "it is refused")
        assert shown(a) == before
    problems = [line["problem"] for line in a.messages("reload refused")]
    assert "DBHEALTH_TLS_KEY: does not fit" in problems[0]
    assert "DBHEALTH_TLS_CERT: expected certificates" in problems[-1]
    assert a.statuses()[1:] == (200, 200, 200)
    assert "[+]configuration warn: the latest reload was refused" in a.get("/livez?verbose").body
    volume.write(other)
    wait_until(lambda: shown(a) == is_in(other), "the good one is shown")
    assert "[+]configuration ok\n" in a.get("/livez?verbose").body


def test_a_certificate_that_comes_late_is_shown(adapter, mariadb, tmp_path):
    certificate, key = tmp_path / "late" / "tls.crt", tmp_path / "late" / "tls.key"
    settings = {"DBHEALTH_TLS_CERT": str(certificate), "DBHEALTH_TLS_KEY": str(key)}
    a = adapter(mariadb.url(), checks=CHECKS, **settings)
    a.tls = trusting()
    assert (a.status_of("/healthz"), a.status_of("/readyz")) == (200, 503)
    Volume(tmp_path / "late", new_pair())
    a.wait_status("/readyz", 200)
    a.tls = verifying()
    assert a.status_of("/readyz") == 200


# Commands


def test_get_speaks_tls_when_the_adapter_does(https, build_dir):
    """As the image's HEALTHCHECK runs it, with the adapter's own environment."""
    program = Program(build_dir)
    listen = f"127.0.0.1:{https.port}"
    ended = program.run("get", "/livez", DBHEALTH_LISTEN=listen, **pair())
    assert (ended.status, ended.output) == (0, "ok\n")
    ended = program.run("get", "/nothing", DBHEALTH_LISTEN=listen, **pair())
    assert (ended.status, ended.output) == (1, "no such endpoint\n")
    ended = program.run("get", "/livez", DBHEALTH_LISTEN=listen)
    assert (ended.status, ended.errors) == (1, "dbhealthd: the adapter gave no answer\n")


def test_get_wants_tls_where_there_is_none(adapter, mariadb, build_dir):
    a = adapter(mariadb.url(), checks=CHECKS)
    listen = f"127.0.0.1:{a.port}"
    ended = Program(build_dir).run("get", "/livez", DBHEALTH_LISTEN=listen, **pair())
    assert ended.status == 1
    assert "no TLS connection to the adapter" in ended.errors


def shaking_hands_slowly(connection):
    connection.recv(65536)
    connection.sendall(b"\x16\x03\x03\x40\x00")  # A record of 16 KiB follows.
    while True:
        connection.sendall(b"\0")
        time.sleep(0.01)


def answering_slowly(connection):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates().certificate, certificates().key)
    with context.wrap_socket(connection.dup(), server_side=True) as secured:
        secured.recv(65536)
        secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
        while True:
            secured.sendall(b"x")
            time.sleep(0.01)


@pytest.mark.parametrize(
    "greet, said",
    (
        (shaking_hands_slowly, "no TLS connection to the adapter: The operation timed out"),
        (answering_slowly, "the adapter gave no whole answer within 300ms"),
    ),
)
def test_get_over_tls_gives_up_at_its_timeout(build_dir, greet, said):
    with faults.listening(greet) as port:
        listen = {"DBHEALTH_LISTEN": f"127.0.0.1:{port}"}
        ended = Program(build_dir).run("get", "--timeout", "300ms", "/livez", **listen, **pair())
    assert (ended.status, ended.output) == (1, "")
    assert said in ended.errors


def test_get_over_tls_prints_no_part_of_an_answer(build_dir):
    def greet(connection):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates().certificate, certificates().key)
        with context.wrap_socket(connection.dup(), server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok\n")
        connection.shutdown(socket.SHUT_RDWR)

    with faults.listening(greet) as port:
        listen = {"DBHEALTH_LISTEN": f"127.0.0.1:{port}"}
        ended = Program(build_dir).run("get", "/livez", **listen, **pair())
    assert (ended.status, ended.output) == (1, "")
    assert "the answer ends after 3 of 4 bytes" in ended.errors


def test_check_finds_a_bad_certificate(build_dir, mariadb):
    settings = {**pair(), "DBHEALTH_TLS_KEY": "/nonexistent"}
    ended = Program(build_dir).run("check", DATABASE_URL=mariadb.url(), **settings)
    assert ended.status == 2
    assert "DBHEALTH_TLS_KEY: /nonexistent: cannot open" in ended.errors
