"""TLS to each real server: which certificates are taken, what is said of those that are not, what a
man in the middle gets, and what it costs."""

import contextlib
import datetime
import socket
import threading

import pytest
from servers import MariaDB, MySQL, Postgres, certificates, cpu_seconds, wait_until

pytestmark = pytest.mark.xdist_group("tls")  # They share the servers that they change.
ONLY_MYSQL = pytest.mark.parametrize("engine", ["mariadb", "mysql"], indirect=True, scope="session")

KINDS = {kind.engine: kind for kind in (Postgres, MariaDB, MySQL)}
ELSEWHERE = "db.example"
# The servers send their authority along.
UNTRUSTED = "self-signed certificate in certificate chain"
WRONG_NAME = {
    "postgres": f'server certificate for "{ELSEWHERE}"',
    "mariadb": "hostname mismatch",
    "mysql": "hostname mismatch",
}
NAMES = {  # Of parameters.
    "postgres": {"certificate": "sslcert", "key": "sslkey", "revocations": "sslcrl"},
    "mysql": {"certificate": "ssl-cert", "key": "ssl-key", "revocations": "ssl-crl"},
}


@pytest.fixture(scope="module")
def made():
    """Certificates by what is wrong with them: (certificate, key)."""
    authority = certificates()
    made = {
        "elsewhere": authority.issue("elsewhere", common_name=ELSEWHERE, hosts=[ELSEWHERE]),
        "address-as-name": authority.issue("address-as-name", common_name="127.0.0.1", hosts=[]),
        "client": authority.issue("client", common_name="probe"),
        "client-expired": authority.issue("client-expired", common_name="probe", seconds=-3600),
        "client-revoked": authority.issue("client-revoked", common_name="probe"),
        "client-other": authority.issue("client-other", common_name="other"),
        "client-untrusted": authority.issue(
            "client-untrusted", common_name="probe", ca=authority.other_ca
        ),
    }
    authority.revoke(made["client-revoked"][0])
    return made


@pytest.fixture(scope="module")
def strict(made):
    """strict(engine) gives a server of that kind that minds its clients' certificates."""
    started = {}

    def start(engine):
        if engine not in started:
            server = KINDS[engine](tls=True)
            stack.enter_context(contextlib.closing(server))
            server.mind_certificates()
            started[engine] = server.start()
        return started[engine]

    with contextlib.ExitStack() as stack:
        yield start


@pytest.fixture
def victim(strict, engine):
    """A server of each engine in turn, whose certificate may be exchanged."""
    server = strict(engine)
    yield server
    server.use_certificate(certificates().certificate, certificates().key)


@pytest.fixture
def params(dialect, engine):
    """params(want, client) gives a URL's parameters for TLS: see Dialect.tls; client are the files
    of a certificate and its key."""
    names = NAMES.get(engine, NAMES["mysql"])

    def params(want, client=None, ca=None, revocations=None):
        params = dialect.tls_params(want, ca or certificates().ca)
        if client:
            params[names["certificate"]], params[names["key"]] = client
        if revocations:
            params[names["revocations"]] = revocations
        return params

    return params


def refused(reply, words):
    assert reply.outcome == "tls", reply
    assert words in reply.message, reply


# --- the server's certificate --------------------------------------------------------------------


def test_expired(probe, victim, params, engine):
    """MySQL takes only one that is still valid."""
    certificate, key = certificates().issue("expiring", seconds=6 if engine == "mysql" else -3600)
    victim.use_certificate(certificate, key)
    if engine == "mysql":
        wait_until(lambda: has_expired(certificate), "the certificate expires")
    for want in ("verify", "verify-ca"):
        explained(probe, victim.url(**params(want)), "certificate has expired")
    assert probe(victim.url(**params("require"))).open().outcome == "ok"


def has_expired(path):
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return certificate.not_valid_after < datetime.datetime.utcnow()


def test_wrong_name(probe, victim, params, made, engine):
    """VERIFY_CA of MySQL's URLs checks the name too: see set_tls."""
    victim.use_certificate(*made["elsewhere"])
    refused(probe(victim.url(**params("verify"))).open(), WRONG_NAME[engine])
    lenient = probe(victim.url(**params("verify-ca"))).open()
    if engine == "postgres":
        assert lenient.outcome == "ok", lenient
    else:
        refused(lenient, WRONG_NAME[engine])
    assert probe(victim.url(**params("require"))).open().outcome == "ok"


@ONLY_MYSQL
def test_an_address_as_a_name(probe, victim, params, made):
    """As in certificates that were made by hand. libpq is of the same mind."""
    victim.use_certificate(*made["address-as-name"])
    assert probe(victim.url(**params("verify"))).open().outcome == "ok"
    refused(probe(victim.url(host="localhost", **params("verify"))).open(), "hostname mismatch")


@ONLY_MYSQL
def test_the_name_behind_a_unix_socket(probe, victim, params, made):
    url = victim.unix_url(**params("verify"))
    assert probe(url).open().outcome == "ok"
    victim.use_certificate(*made["elsewhere"])
    refused(probe(url).open(), "hostname mismatch")


@ONLY_MYSQL
def test_the_authorities_of_the_system(probe, victim):
    """Where the URL names none. libpq takes none."""
    url = victim.url(**{"ssl-mode": "VERIFY_IDENTITY"})
    refused(probe(url).open(), UNTRUSTED)
    for authority, outcome in ((certificates().ca, "ok"), (certificates().other_ca, "tls")):
        assert probe(url, {"SSL_CERT_FILE": str(authority)}).open().outcome == outcome


def test_unknown_authority(probe, victim, params):
    for want in ("verify", "verify-ca"):
        url = victim.url(**params(want, ca=certificates().other_ca))
        explained(probe, url, UNTRUSTED)
    assert probe(victim.url(**params("require"))).open().outcome == "ok"


def test_revoked(probe, victim, params, engine):
    """By the URL's list of what the authority has revoked, which is read at each open."""
    authority = certificates()
    url = victim.url(**params("verify", revocations=authority.revocations))
    certificate, key = authority.issue(f"revoked-{engine}")
    victim.use_certificate(certificate, key)
    assert probe(url).open().outcome == "ok"
    authority.revoke(certificate)
    explained(probe, url, "certificate revoked")


def explained(probe, url, words):
    """Refused each time, and soon for this reason: libpq hides it if its handshake is over before the
    prober gets to see it, and five times in a row on a busy machine."""

    def tells():
        reply = probe(url).open()
        refused(reply, "")
        return words in reply.message

    wait_until(tells, words)


def test_the_three_in_one_process(start, engine, victim, params, made, tmp_path):
    """One failure says nothing of the next."""
    file = tmp_path / "url"
    prober = start(engine, environment={"DATABASE_URL_FILE": str(file)})
    good = victim.url(**params("verify"))
    untrusted = victim.url(**params("verify", ca=certificates().other_ca))
    for url, outcome in ((good, "ok"), (untrusted, "tls"), (good, "ok")):
        file.write_text(url)
        reply = prober.open()
        assert reply.outcome == outcome, reply
    victim.use_certificate(*made["elsewhere"])
    refused(prober.open(), WRONG_NAME[engine])


# --- ours ----------------------------------------------------------------------------------------


@pytest.fixture
def demanding(victim):
    """The server lets probe in with a certificate only."""
    if victim.engine == "postgres":
        victim.set_hba("hostssl all probe 127.0.0.1/32 scram-sha-256 clientcert=verify-ca")
        yield victim
        victim.set_hba()
    else:
        victim.sql("ALTER USER probe@'%' REQUIRE X509")
        yield victim
        victim.sql("ALTER USER probe@'%' REQUIRE NONE")


@pytest.mark.parametrize("want", ["require", "verify"])
def test_a_client_certificate(probe, demanding, params, made, want):
    """It is the server that says no to one that is missing, and TLS to one that is bad. A server
    that hangs up on a bad one is alive."""

    def ask(name=None):
        return probe(demanding.url(**params(want, made.get(name)))).open()

    assert ask("client").outcome == "ok"
    assert ask("client-other").outcome == "ok"
    missing = ask()
    assert (missing.outcome, missing.code) in (("denied", "28000"), ("denied", "1045")), missing
    reasons = {"expired": "expired", "untrusted": "unknown ca", "revoked": "revoked"}
    for name, words in reasons.items():
        reply = ask(f"client-{name}")
        hung_up = "the server hung up when it had seen our certificate"
        refused(reply, words if demanding.engine == "postgres" else hung_up)


def test_a_client_certificate_in_place_of_a_password(probe, victim, params, made, engine):
    """And it must be the user's own."""
    if engine == "postgres":
        victim.set_hba("hostssl all probe 127.0.0.1/32 cert")
    else:
        victim.sql("ALTER USER probe@'%' REQUIRE SUBJECT '/CN=probe'")
    try:
        password = "" if engine == "postgres" else None
        for name, outcome in (("client", "ok"), ("client-other", "denied")):
            url = victim.url(password=password, **params("verify", made[name]))
            assert probe(url).open().outcome == outcome, name
    finally:
        if engine == "postgres":
            victim.set_hba()
        else:
            victim.sql("ALTER USER probe@'%' REQUIRE NONE")


def test_a_certificate_that_is_rotated(start, engine, demanding, params, made, tmp_path):
    """Whatever the server said of the one before, the new one is shown at the next open."""
    files = tmp_path / "client.pem", tmp_path / "client.key"
    url = demanding.url(**params("verify", files))
    prober = start(engine, url)
    secret = 0
    for name, outcome in (
        ("client-expired", "tls"),
        ("client", "ok"),
        ("client-revoked", "tls"),
        ("client", "ok"),
    ):
        for file, source in zip(files, made[name]):
            file.write_bytes(source.read_bytes())
            file.chmod(0o600)
        reply = prober.open(withheld=secret)
        assert reply.outcome == outcome, (name, reply)
        secret = reply.secret


def test_our_own_mistakes(probe, victim, params, made, tmp_path):
    """Files that are not what they should be: the outcome blames neither password nor server."""
    bad = tmp_path / "bad.pem"
    bad.write_text("nonsense")
    bad.chmod(0o600)
    certificate, key = made["client"]
    for wrong in (
        params("verify", ca=bad),
        params("verify", (bad, key)),
        params("verify", (certificate, bad)),
        params("verify", (certificate, made["client-other"][1])),
    ):
        reply = probe(victim.url(**wrong)).open()
        assert reply.outcome == "tls", reply
        assert reply.trial == "none", reply


# --- a man in the middle -------------------------------------------------------------------------


class Stripper:
    """A relay before a server without TLS, as a client sees it. heard: all that clients sent."""

    def __init__(self, server):
        self._server = server
        self.heard = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = []
        self._run(self._serve)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _run(self, function, *arguments):
        threading.Thread(target=function, args=arguments, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._run(self._strip, client)

    def _strip(self, client):
        with contextlib.suppress(OSError):
            server = socket.create_connection((self._server.host, self._server.port))
            if self._server.engine == "postgres":
                self.heard += client.recv(8, socket.MSG_WAITALL)
                client.sendall(b"N")
            else:
                client.sendall(without_tls(server.recv(4096)))
            self._run(self._relay, client, server, True)
            self._relay(server, client, False)

    def _relay(self, source, sink, is_client):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_client:
                    self.heard += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def without_tls(greeting):
    """The greeting of a MySQL without the flag that offers TLS."""
    at = greeting.index(b"\0", 5) + 1 + 4 + 8 + 1
    flags = int.from_bytes(greeting[at : at + 2], "little") & ~0x800
    return greeting[:at] + flags.to_bytes(2, "little") + greeting[at + 2 :]


@pytest.mark.parametrize("want", ["require", "verify", "verify-ca", "prefer"])
def test_tls_that_is_stripped(probe, victim, params, want):
    """Who demands verification shows nothing at all; who demands TLS doesn't take the session."""
    with Stripper(victim) as stripper:
        prober = probe(victim.url(port=stripper.port, **params(want)))
        reply = prober.open()
        prober.end()
        assert reply.outcome == ("ok" if want == "prefer" else "tls"), reply
        assert b"probe-secret" not in stripper.heard
        if want.startswith("verify"):
            assert b"probe" not in stripper.heard, stripper.heard


# --- cost ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["tcp", "unix"])
def test_no_authorities_are_loaded_where_none_is_asked(probe, server, dialect, way):
    """All of a system's cost ten logins. The two are measured in turn, as CPU time."""
    url = server.url if way == "tcp" else server.unix_url
    unverified = probe(url(**dialect.tls_params("require"))).opened()
    verified = probe(server.url(**dialect.tls_params("verify", certificates().ca))).opened()
    spent = {unverified: 0, verified: 0}
    for _ in range(20):
        for prober in spent:
            before = cpu_seconds(prober.pid)
            assert prober.open().outcome == "ok"
            spent[prober] += cpu_seconds(prober.pid) - before
    assert spent[unverified] < 3 * spent[verified], spent.values()
