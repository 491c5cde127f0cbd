"""Adapters that ask each other: a second primary is seen, an isolated one too, and what a peer does
or says changes nothing about the server itself."""

import contextlib
import itertools
import json
import os
import signal
from pathlib import Path

import processes
import pytest
import sql
from adapter import check_lines
from fakes import Fake
from loopback import Loopback
from network import Names, under_names
from program import Program
from servers import PASSWORDS, certificates, free_port, wait_until
from volume import Volume

SOON = {"DBHEALTH_CACHE": "100ms"}
SELF = "0" * 32
DOCUMENT = {"instance": SELF, "draining": False, "checks": {"primary": [{"verdict": "pass"}]}}


def peers_check(**keys):
    return sql.check("", source="peers", **keys)


@pytest.fixture
def cluster(adapter):
    """cluster(url, ...) starts an adapter beside each server, which all know each other."""

    def start(*urls, **options):
        ports = [free_port() for _ in urls]
        places = ", ".join(f"127.0.0.1:{port}" for port in ports)
        return [
            adapter(
                url,
                arguments=("--listen", f"127.0.0.1:{port}"),
                **{"DBHEALTH_PEERS": places, **SOON, **options},
            )
            for url, port in zip(urls, ports)
        ]

    return start


@pytest.fixture
def beside(adapter, postgres):
    """beside(places, ...) starts an adapter of a primary that has these peers."""

    def start(*places, **options):
        peers = ", ".join(map(str, places))
        return adapter(postgres.url(), **{"DBHEALTH_PEERS": peers, **SOON, **options})

    return start


def row_of(adapter, name):
    """What it knows of a peer: columns with their values."""
    document = json.loads(adapter.get("/sole-primary?format=json").body)
    [check] = document["checks"]["other-primary"]
    for row in check["rows"]:
        if row["labels"] == [{"name": "peer", "value": name}]:
            return {value["name"]: value["observedValue"] for value in row["values"]}
    return None


def asker_of(adapter):
    """The process id of its prober of peers."""
    [pid] = [pid for pid in adapter.probers() if processes.name(pid) == "dbhealthd-peers"]
    return pid


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def other(adapter):
    return adapter.shown("/sole-primary")["other-primary"]


# Roles


def test_a_second_primary_is_seen_by_both(new_postgres, cluster):
    primary = new_postgres()
    with primary.new_replica() as replica:
        one, two = cluster(primary.url(), replica.url())
        one.wait_status("/sole-primary", 200)
        wait_until(lambda: row_of(one, f"127.0.0.1:{two.port}")["replica"], "it is a replica")
        assert two.status_of("/sole-primary") == two.status_of("/primary") == 503
        assert other(two).verdict == "ok"  # The primary is no rival of a replica.
        assert row_of(two, f"127.0.0.1:{one.port}")["primary"] is True
        replica.promote()
        for a, b in ((one, two), (two, one)):
            rival = f"127.0.0.1:{b.port}: rival true == true"
            wait_until(lambda: other(a).detail == rival, "it is told of the other")
            assert (a.status_of("/sole-primary"), a.status_of("/primary")) == (503, 200)
            metrics = a.get("/metrics").body.splitlines()
            assert {"dbhealthd_peers 1", "dbhealthd_peers_primaries 1"} <= set(metrics)
            assert a.transitions("other-primary")[-1]["to"] == "fail"
        replica.stop()
        one.wait_status("/sole-primary", 200)
        assert row_of(one, f"127.0.0.1:{two.port}")["primary"] is False
        two.end()
        wait_until(lambda: other(one).verdict == "warn", "nobody answers")
        assert one.status_of("/sole-primary") == 200
        assert "Connection refused" in other(one).detail
        assert "dbhealthd_peers_reachable 0" in one.get("/metrics").body


def test_mariadb_is_asked_in_the_same_way(mariadb, cluster):
    one, two = cluster(mariadb.url(), mariadb.url())
    one.wait_status("/sole-primary", 503)
    two.wait_status("/sole-primary", 503)


def test_a_draining_primary_is_one(postgres, cluster, tmp_path):
    file = tmp_path / "drain"
    file.touch()
    one, two = cluster(postgres.url(), postgres.url(), DBHEALTH_DRAIN_FILE=str(file))
    wait_until(lambda: two.status_of("/primary") == 503, "it drains")
    assert other(one).detail == f"127.0.0.1:{two.port}: rival true == true"
    assert row_of(one, f"127.0.0.1:{two.port}")["draining"] is True


def test_when_a_peer_was_last_heard(postgres, cluster):
    one, two = cluster(postgres.url(), postgres.url())
    name = f"127.0.0.1:{two.port}"
    one.wait_status("/sole-primary", 503)
    assert row_of(one, name)["heard_seconds"] >= 0
    two.end()
    wait_until(lambda: row_of(one, name)["heard_seconds"] > 1, "it is silent")
    assert row_of(one, name)["reachable"] is False


def test_a_peer_that_was_never_heard(beside, closed_port):
    place = f"127.0.0.1:{closed_port}"
    row = row_of(beside(place), place)
    assert row["reachable"] is False and "heard_seconds" not in row


def test_who_is_alone_goes_on_unless_told_otherwise(beside, closed_port):
    place = f"127.0.0.1:{closed_port}"
    a = beside(place, f"localhost:{closed_port}")
    assert a.status_of("/sole-primary") == 200
    assert a.status_of("/sole-primary?min_reachable=0.5") == 503
    shown = check_lines(a.get("/sole-primary?verbose&min_reachable=0.5").body)
    assert shown["isolated"].detail == "share 0.333 < 0.5"
    assert a.status_of("/sole-primary?min_reachable=0.3") == 200
    assert beside(place).status_of("/sole-primary?min_reachable=0.5") == 200  # Half of two.


# What a peer does


def http(body, status="200 OK", head=""):
    """A script of a fake: one answer to each request."""
    words = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = f"HTTP/1.1 {status}\r\nContent-Length: {len(words)}\r\n{head}\r\n".encode()

    def script(connection):
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            request += connection.receive(1)
        connection.send(lines + words)

    return script


def silent(connection):
    connection.wait_for_end()


def dripping(connection):
    while True:
        connection.send(b"H")
        connection.stream.settimeout(0.05)
        with contextlib.suppress(TimeoutError):
            if not connection.stream.recv(100):
                return


NO_DOCUMENT = "what it says is no document of an adapter"
STRANGE = {  # What it does, and what is said of it.
    "silent": (silent, "no answer in time"),
    "garbage": (lambda c: c.send(b"\0\xff" * 5000), "what answers is no adapter"),
    "leaves": (lambda c: c.reset(), "answer"),
    "words": (http(b"ok"), NO_DOCUMENT),
    "a-list": (http([]), NO_DOCUMENT),
    "deep": (http(b"[" * 30000), NO_DOCUMENT),
    "many": (http(b'{"checks": {' + b'"":[],' * 4500), NO_DOCUMENT),
    "deep-objects": (http(b'{"a":' * 6000), NO_DOCUMENT),
    "objects": (http(b'{"checks": [' + b"{}," * 10000 + b"{}]}"), NO_DOCUMENT),
    "twice": (http(b'{"checks": {}, "checks": {}}'), NO_DOCUMENT),
    "long": (http(b" " * 200000), "its answer is above 32 KiB"),
    "no-length": (lambda c: c.send(b"HTTP/1.1 200 OK\r\n\r\n{}"), "what answers is no adapter"),
    "nowhere": (http(b"", "404 Not Found"), "it has neither /primary nor /replica"),
    "elsewhere": (http({}, "302 Found", "Location: /\r\n"), "it says 302, expected 200 or 503"),
    "no-details": (http(b"", "403 Forbidden"), "it says 403"),
    "https": (lambda c: c.send(b"\x15\x03\x01\x00\x02\x02\x16"), "speaks the other"),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_a_strange_peer_is_one_that_cannot_be_reached(beside, kind):
    script, words = STRANGE[kind]
    with Fake(script) as fake:
        a = beside(f"127.0.0.1:{fake.port}", DBHEALTH_TIMEOUT="800ms", DBHEALTH_DEADLINE="12s")
        assert a.status_of("/sole-primary") == 200
        assert other(a).verdict == "warn" and words in other(a).detail
        assert a.statuses() == (200, 200, 200, 200)
        assert json.loads(a.get("/livez?format=json").body)["status"] == "pass"
        assert "prober_crashes_total{prober=\"peers\"} 0" in a.get("/metrics").body


@pytest.mark.parametrize("kind", ("many", "long", "objects"))
def test_sixteen_that_fill_memory_crash_nobody(beside, kind):
    with contextlib.ExitStack() as stack:
        fakes = [stack.enter_context(Fake(STRANGE[kind][0])) for _ in range(16)]
        a = beside(*(f"127.0.0.1:{fake.port}" for fake in fakes))
        assert a.status_of("/sole-primary") == 200
        assert STRANGE[kind][1] in other(a).detail
        assert "prober_crashes_total{prober=\"peers\"} 0" in a.get("/metrics").body


@pytest.mark.parametrize("script", (silent, dripping))
def test_a_slow_peer_hides_no_other_and_delays_no_other_check(beside, cluster, postgres, script):
    [primary] = cluster(postgres.url())
    with Fake(script) as fake:
        place = f"127.0.0.1:{primary.port}"
        a = beside(f"127.0.0.1:{fake.port}", place, DBHEALTH_TIMEOUT="2s")
        asked = a.get_later("/sole-primary")
        assert a.status_of("/readyz") == 200  # Before the peer's time is over, or after.
        assert asked().status == 503
        assert other(a).detail == f"{place}: rival true == true"


def test_a_peer_of_another_version_is_one(beside):
    """It says neither who it is nor whether it drains, and more than is known here."""
    document = {"checks": {"x": [{"verdict": "pass", "later": {}}]}, "later": [1]}
    with Fake(http(document)) as fake:
        a = beside(f"127.0.0.1:{fake.port}")
        assert a.status_of("/sole-primary") == 503
        assert row_of(a, f"127.0.0.1:{fake.port}")["draining"] is False


def test_two_that_answer_by_turns_are_none(beside):
    """As behind a balancer: which of them says what is not known."""
    turns = itertools.cycle(http({**DOCUMENT, "instance": digit * 32}) for digit in "12")
    with Fake(lambda connection: next(turns)(connection)) as fake:
        a = beside(f"127.0.0.1:{fake.port}")
        assert a.status_of("/sole-primary") == 200
        assert "two adapters answer by turns" in other(a).detail


def test_a_peer_under_two_addresses_is_one(beside):
    with Fake(http(DOCUMENT)) as fake:
        a = beside(f"127.0.0.1:{fake.port}", f"localhost:{fake.port}")
        assert a.status_of("/sole-primary") == 503
        assert "dbhealthd_peers 1" in a.get("/metrics").body.splitlines()


def test_oneself_alone_is_no_peer(cluster, postgres):
    [a] = cluster(postgres.url())
    assert a.status_of("/sole-primary?min_reachable=1") == 200
    assert a.status_of("/sole-primary/other-primary") == 200
    assert "dbhealthd_peers 0" in a.get("/metrics").body.splitlines()
    document = json.loads(a.get("/sole-primary?format=json").body)
    assert document["checks"]["other-primary"][0]["rows"] == []


WORDS = (("check", "other-primary"), ("wait", "--timeout", "3s", "sole-primary"))


@pytest.mark.parametrize("words", WORDS)
def test_a_command_takes_the_adapter_beside_it_for_itself(cluster, postgres, build_dir, words):
    [a] = cluster(postgres.url())
    place = f"127.0.0.1:{a.port}"
    settings = {"DATABASE_URL": postgres.url(), "DBHEALTH_PEERS": place, "DBHEALTH_LISTEN": place}
    ended = Program(build_dir).run(*words, **settings)
    assert ended.status == 0, ended


# Over TLS


@pytest.fixture
def secure(adapter, postgres):
    """An adapter that serves HTTPS, and the file of whom to believe."""
    files = certificates()
    pair = {"DBHEALTH_TLS_CERT": str(files.certificate), "DBHEALTH_TLS_KEY": str(files.key)}
    return adapter(postgres.url(), **pair), str(files.ca)


def test_a_peer_over_tls_is_believed_by_its_certificate(beside, secure):
    peer, authority = secure
    trusted = beside(f"https://localhost:{peer.port}", DBHEALTH_PEERS_CA=authority)
    assert other(trusted).detail == f"127.0.0.1:{peer.port}: rival true == true"
    for place, words in (
        (f"https://localhost:{peer.port}", "no TLS connection to the adapter"),
        (f"https://127.0.0.2:{peer.port}", "no adapter answers"),
        (f"localhost:{peer.port}", "no answer; does it serve HTTPS?"),
    ):
        a = beside(place)
        assert other(a).verdict == "warn" and words in other(a).detail


@pytest.fixture
def renewing(beside, secure, tmp_path):
    """An adapter that has the authority in a Secret, which renew() gives anew: what was there is
    gone. seen is what it says of a peer that it believes."""
    peer, authority = secure
    files = {"ca.crt": Path(authority).read_text(), "password": PASSWORDS["probe"]}
    volume = Volume(tmp_path / "secret", files)

    def start(**options):
        authority = str(volume / "ca.crt")
        settings = {"DBHEALTH_PEERS_CA": authority, "DBHEALTH_CACHE": "0s", **options}
        a = beside(f"https://localhost:{peer.port}", **settings)
        a.renew = lambda: volume.write(files)
        a.seen = f"127.0.0.1:{peer.port}: rival true == true"
        return a

    start.password = str(volume / "password")
    return start


def test_a_renewed_authority_is_believed(renewing):
    a = renewing()
    for _ in range(3):
        assert other(a).detail == a.seen
        a.renew()


def test_an_authority_that_lies_with_the_password_is_believed_when_renewed(renewing):
    """The prober may not read what else is there, so it takes another to read it."""
    a = renewing(DATABASE_PASSWORD_FILE=renewing.password)
    assert other(a).detail == a.seen
    a.renew()
    wait_until(lambda: other(a).detail == a.seen, "it is believed")


def test_a_name_service_that_says_nothing_is_asked_by_one_thread_for_a_name(
    start_adapter, new_postgres, tmp_path, request
):
    server = new_postgres()
    with Loopback() as host, Names(host, "silent"):
        host.forward(5432, server)
        a = start_adapter(
            server.url(host="127.0.0.1", port=5432),
            under=under_names(host, tmp_path, "timeout:30"),
            DBHEALTH_PEERS="db-1:8080, db-2:8080",
            DBHEALTH_CACHE="0s",
            DBHEALTH_TIMEOUT="400ms",
        )
        request.addfinalizer(a.end)
        a.wait_serving()
        for _ in range(4):
            shown = host.run(lambda: a.shown("/sole-primary"))
            assert shown["other-primary"].verdict == "warn"
        assert len(os.listdir(f"/proc/{asker_of(a)}/task")) == 1 + 2
        assert "the name service does not answer" in shown["other-primary"].detail


def test_an_authority_that_is_none_is_told(beside, tmp_path):
    a = beside("https://localhost:1", DBHEALTH_PEERS_CA=str(tmp_path / "none"))
    assert other(a).code == "config"
    assert a.status_of("/sole-primary") == 503 and a.status_of("/primary") == 200
    assert "DBHEALTH_PEERS_CA" in a.transitions("other-primary")[-1]["message"]


# The configuration


def test_authorities_that_verify_nobody_are_told(beside, closed_port):
    a = beside(f"127.0.0.1:{closed_port}", DBHEALTH_PEERS_CA="/ca.crt")
    [problem] = [line["problem"] for line in a.messages("configuration is wrong")]
    assert problem.startswith("DBHEALTH_PEERS_CA: verifies nobody")
    assert a.status_of("/readyz") == 503
    assert a.status_of("/sole-primary") == 200


def test_without_peers_there_is_no_such_endpoint(adapter, postgres):
    a = adapter(postgres.url())
    assert a.status_of("/sole-primary") == 404
    assert "dbhealthd_peers" not in a.get("/metrics").body
    b = adapter(postgres.url(), checks={"own": peers_check(endpoints="role", fail="peers < 1")})
    assert b.shown("/role")["own"].code == "config"
    assert "DBHEALTH_PEERS names none" in b.log_text()


def test_a_check_of_ones_own(beside, cluster, postgres):
    [peer] = cluster(postgres.url())
    checks = {
        "enough": peers_check(endpoints="quorum", fail="reachable < 1", warn="replicas < 1"),
        "quick": sql.check(endpoints="quorum"),
        "alone": peers_check(endpoints="alone", fail="reachable < 1"),
    }
    a = beside(f"127.0.0.1:{peer.port}", checks=checks)
    shown = a.shown("/quorum")
    assert (shown["enough"].verdict, shown["quick"].verdict) == ("warn", "ok")
    assert a.status_of("/quorum") == 200
    assert a.status_of("/alone") == 503  # What others say makes no server fit for anything.
    assert a.shown("/alone")["alone"].verdict == "ok"


def test_the_prober_of_peers_gets_no_password(beside, closed_port):
    a = beside(f"127.0.0.1:{closed_port}")
    assert a.status_of("/sole-primary") == 200
    environment = Path(f"/proc/{asker_of(a)}/environ").read_text()
    assert "DATABASE_URL=postgres://probe:***@" in environment
    assert "-secret" not in environment


def test_a_prober_of_peers_that_hangs_is_killed_and_harms_nobody(beside, closed_port):
    a = beside(f"127.0.0.1:{closed_port}", DBHEALTH_TIMEOUT="800ms")
    assert a.status_of("/sole-primary") == 200
    with stopped(asker_of(a)):
        wait_until(lambda: a.status_of("/sole-primary") == 503, "it is missed")
        assert a.statuses() == (200, 200, 200, 200)
        assert a.status_of("/primary") == 200
    a.wait_status("/sole-primary", 200)
