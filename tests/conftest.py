"""Fixtures for all tests: real servers, the programs under test, and logs of failing tests.

A server that can't be had is an error, never a skipped test. `postgres`, `mariadb` and `mysql` are
shared by the whole session and must be left as they were found; a test that breaks a server, or
needs settings of its own, makes one with `new_postgres(...)` and so on. `server` and `new_server`
run a test once per engine."""

import os
from pathlib import Path

import pytest
import servers

REPOSITORY = Path(__file__).resolve().parent.parent
KINDS = {kind.engine: kind for kind in (servers.Postgres, servers.MariaDB, servers.MySQL)}
LOG_LINES = 200

_log_marks = pytest.StashKey()
_other_logs = pytest.StashKey()


# Servers that all tests share. TLS is on, for those that ask for it.


@pytest.fixture(scope="session")
def postgres():
    with servers.Postgres(tls=True) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb():
    with servers.MariaDB(tls=True) as server:
        yield server


@pytest.fixture(scope="session")
def mysql():
    with servers.MySQL(tls=True) as server:
        yield server


@pytest.fixture(scope="session", params=KINDS)
def engine(request):
    """The name of each engine in turn."""
    return request.param


@pytest.fixture(scope="session")
def server(engine, request):
    """The shared server of each engine in turn."""
    return request.getfixturevalue(engine)


@pytest.fixture(autouse=True)
def _no_server_stays_paused():
    yield
    for server in servers.running():
        server.resume()


@pytest.fixture
def generous(server):
    """The server sends values of any size."""
    if server.engine == "postgres":
        yield
        return
    before = server.value("SELECT @@GLOBAL.max_allowed_packet")
    server.sql("SET GLOBAL max_allowed_packet = 1073741824")
    yield
    server.sql(f"SET GLOBAL max_allowed_packet = {before}")


# Servers of a test's own, closed when it ends.


@pytest.fixture
def new(request):
    """new(kind, ...) starts a server of that class of `servers`."""

    def start(kind, *arguments, **options):
        server = kind(*arguments, **options)
        request.addfinalizer(server.close)
        return server.start()

    return start


@pytest.fixture
def new_postgres(new):
    return lambda **options: new(servers.Postgres, **options)


@pytest.fixture
def new_mariadb(new):
    return lambda **options: new(servers.MariaDB, **options)


@pytest.fixture
def new_mysql(new):
    return lambda **options: new(servers.MySQL, **options)


@pytest.fixture
def new_server(engine, new):
    """Starts a server of each engine in turn."""
    return lambda **options: new(KINDS[engine], **options)


@pytest.fixture
def new_pgbouncer(new):
    """new_pgbouncer(postgres, ...) starts a PgBouncer before that server."""
    return lambda postgres, **options: new(servers.PgBouncer, postgres, **options)


# The programs under test.


@pytest.fixture(scope="session")
def build_dir():
    """The folder of dbhealthd and the programs that it starts."""
    folder = Path(os.environ.get("DBHEALTH_BUILD", REPOSITORY / ".build" / "gcc")).resolve()
    assert folder.is_dir(), f"{folder} is missing: run tests/run gcc"
    return folder


@pytest.fixture(scope="session")
def sanitized(build_dir):
    """Whether the programs were built with AddressSanitizer, which costs time and keeps what was
    freed."""
    return b"__asan_init" in (build_dir / "dbhealthd-server").read_bytes()


# Logs of a failing test, from its start.


@pytest.fixture
def log_on_failure(request):
    """log_on_failure(name, path) shows the file, from its present end, if the test fails."""
    logs = request.node.stash.setdefault(_other_logs, [])

    def register(name, path):
        path = Path(path)
        logs.append((name, path, path.stat().st_size if path.exists() else 0))

    return register


def pytest_runtest_setup(item):
    item.stash[_log_marks] = {server: server.log_mark() for server in servers.running()}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        report.sections += [(title, _last_lines(text)) for title, text in _logs(item) if text]


def _logs(item):
    for name, path, mark in item.stash.get(_other_logs, []):
        yield f"log of {name}", path.read_bytes()[mark:].decode(errors="replace")
    marks = item.stash.get(_log_marks, {})
    for server in servers.running():
        yield f"log of {server.name}", server.log_since(marks.get(server, 0))


def _last_lines(text):
    return "\n".join(text.splitlines()[-LOG_LINES:])
