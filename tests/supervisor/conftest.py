"""Fixtures for the supervisor alone."""

import pytest
from stage import Stage


@pytest.fixture
def stage(build_dir, tmp_path):
    stage = Stage(build_dir, tmp_path)
    yield stage
    stage.close()


@pytest.fixture
def serving(stage):
    """A supervisor whose server listens: the server, and where."""
    server, begin = stage.start(DBHEALTH_PEERS="db-1:8080").server()
    begin.close()
    return server, server.listen()
