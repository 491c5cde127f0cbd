"""TLS to the database, seen from outside: what a bad certificate does to the endpoints, and that
one which is exchanged is used at the next probe. Each case of it is in tests/prober/test_tls.py."""

import contextlib

import pytest
from servers import Postgres, certificates
from volume import Volume

UNCACHED = {"DBHEALTH_CACHE": "0s"}
WELL = (200, 200, 200, 200)
UNREADY = (200, 503, 200, 200)  # healthz, readyz, startupz, livez
VERIFY = {"postgres": ("sslmode", "verify-full"), "mysql": ("ssl-mode", "VERIFY_IDENTITY")}
FILES = {  # Of the authority, our certificate and its key.
    "postgres": ("sslrootcert", "sslcert", "sslkey"),
    "mysql": ("ssl-ca", "ssl-cert", "ssl-key"),
}


def verifying(server, *files):
    """A URL that verifies the server, with these files."""
    kind = "postgres" if server.engine == "postgres" else "mysql"
    mode, value = VERIFY[kind]
    return server.url(**{mode: value}, **dict(zip(FILES[kind], files)))


@pytest.fixture
def strict(server):
    """A server of each engine in turn that looks at its clients' certificates."""
    if server.engine != "postgres":  # They always do.
        yield server
        return
    with contextlib.closing(Postgres(tls=True)) as own:
        own.mind_certificates()
        yield own.start()


def test_an_authority_that_is_exchanged(adapter, server, tmp_path):
    """A certificate that can't be trusted makes the database not ready, and never dead."""
    made = certificates()
    secrets = Volume(tmp_path / "secrets", {"ca": made.ca.read_bytes()})
    a = adapter(verifying(server, secrets / "ca"), **UNCACHED)
    assert a.statuses() == WELL
    secrets.write({"ca": made.other_ca.read_bytes()})
    assert a.statuses() == UNREADY
    assert a.shown("/readyz")["accepting"].code == "tls"
    assert "certificate" in a.transitions("accepting")[-1]["message"]
    secrets.write({"ca": made.other_ca.read_bytes() + made.ca.read_bytes()})
    assert a.statuses() == WELL, "old and new authority in one file"


def test_our_certificate_that_is_exchanged(adapter, strict, tmp_path):
    """One that has expired is no reason to restart a database."""
    made = certificates()

    def pair(name, **options):
        certificate, key = made.issue(f"{strict.engine}-{name}", common_name="probe", **options)
        return {"certificate": certificate.read_bytes(), "key": key.read_bytes()}

    good = pair("good")
    secrets = Volume(tmp_path / "secrets", good)
    a = adapter(verifying(strict, made.ca, secrets / "certificate", secrets / "key"), **UNCACHED)
    assert a.statuses() == WELL
    secrets.write(pair("expired", seconds=-3600))
    for _ in range(5):
        assert a.statuses() == UNREADY
    assert a.shown("/healthz")["alive"].verdict == "warn"
    assert a.shown("/readyz")["accepting"].code == "tls"
    secrets.write(good)
    assert a.statuses() == WELL
