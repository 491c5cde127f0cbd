"""Fixtures for prober programs, alone and before real servers."""

import pytest
from dialects import DIALECTS
from wire import Prober

PROGRAMS = {"postgres": "dbhealthd-postgres", "mariadb": "dbhealthd-mysql", "mysql": "dbhealthd-mysql"}


@pytest.fixture
def program_of(build_dir):
    """The prober program for an engine's name."""
    return lambda engine: build_dir / PROGRAMS[engine]


@pytest.fixture
def start(program_of):
    """start(engine, url, environment) starts a prober program. At the end of the test each must end
    by itself with status 0, having printed nothing."""
    started = []

    def start(engine, url=None, environment=None):
        started.append(Prober(program_of(engine), url, environment))
        return started[-1]

    yield start
    for prober in started:
        prober.end()


@pytest.fixture
def probe(start, engine):
    """probe(url) starts the prober program of each engine in turn."""
    return lambda url=None, environment=None: start(engine, url, environment)


@pytest.fixture
def session(probe, server):
    """A prober with a session on the shared server of each engine in turn, as the user probe."""
    return probe(server.url()).opened()


@pytest.fixture
def dialect(engine):
    return DIALECTS[engine]


@pytest.fixture
def table(server):
    """A table app.t with a number column i and one row, 1, that the user app may change."""
    server.sql("CREATE TABLE app.t (i int)")
    server.sql("INSERT INTO app.t VALUES (1)")
    if server.engine == "postgres":
        server.sql("ALTER TABLE app.t OWNER TO app")
    yield "app.t"
    server.sql("DROP TABLE app.t")
