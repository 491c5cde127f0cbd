"""Fixtures for dbhealthd as a whole, beside real servers."""

import itertools
import resource
import shutil
import socket

import pytest
from adapter import Adapter
from sql import Counter


@pytest.fixture(scope="session", autouse=True)
def _many_descriptors():
    """For thousands of clients."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@pytest.fixture
def start_adapter(build_dir, tmp_path, log_on_failure, request):
    """start_adapter(url, ...) starts an adapter, see class Adapter, that ends with the test."""
    numbers = itertools.count(1)

    def start(url=None, **options):
        name = f"adapter-{next(numbers)}"
        folder = tmp_path / name
        folder.mkdir()
        log_on_failure(name, folder / "log")
        adapter = Adapter(build_dir, folder, url, **options)
        request.addfinalizer(adapter.shows_no_password)
        request.addfinalizer(adapter.kill)
        return adapter

    return start


@pytest.fixture
def adapter(start_adapter, request):
    """As start_adapter, and waits until it serves; it must end well when the test does."""

    def start(url=None, **options):
        adapter = start_adapter(url, **options)
        request.addfinalizer(adapter.end)
        return adapter.wait_serving()

    return start


@pytest.fixture
def counter(server):
    """Counts the runs of a check on the shared server of each engine in turn."""
    with Counter(server) as counter:
        yield counter


@pytest.fixture
def closed_port():
    """A port that nothing listens on, nor will while the test runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def copy_programs(build_dir, folder):
    """All but the probers."""
    for name in ("dbhealthd", "dbhealthd-server"):
        shutil.copy(build_dir / name, folder)


@pytest.fixture
def with_prober(build_dir, tmp_path, adapter):
    """with_prober(script) starts an adapter whose Postgres prober is that shell script."""

    def start(script, url="postgres://probe:word@127.0.0.1:1/", **options):
        copy_programs(build_dir, tmp_path)
        shutil.copytree(build_dir / "checks", tmp_path / "checks")
        prober = tmp_path / "dbhealthd-postgres"
        prober.write_text(f"#!/bin/sh\n{script}\n")
        prober.chmod(0o755)
        return adapter(url, program=tmp_path / "dbhealthd", **options)

    return start


@pytest.fixture(scope="session")
def programs_but_probers(build_dir, tmp_path_factory):
    """Their folder."""
    programs = tmp_path_factory.mktemp("programs")
    copy_programs(build_dir, programs)
    shutil.copytree(build_dir / "checks", programs / "checks")
    return programs


@pytest.fixture(scope="session", autouse=True)
def without_prober(build_dir, programs_but_probers, tmp_path_factory):
    """An adapter beside which there is no prober program. It starts with the session, for what it
    comes to takes half a minute, in which other tests can run."""
    folder = tmp_path_factory.mktemp("without-prober")
    url = "postgres://probe:word@127.0.0.1:1/"
    program = programs_but_probers / "dbhealthd"
    adapter = Adapter(build_dir, folder, url, program=program, DBHEALTH_CACHE="0s")
    try:
        assert adapter.wait_serving().status_of("/readyz") == 503
        yield adapter
        adapter.end()
    finally:
        adapter.kill()
