"""Fixtures for the status page in a real browser: headless Chromium, driven over loopback. It can
reach nothing else."""

import itertools
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent.parent / "integration"))

from adapter import Adapter  # noqa: E402
from browser import Browser  # noqa: E402


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def browser(chromium):
    """A browser as it comes: light, wide, with JavaScript. The test fails if it complained."""
    chromium.reset()
    yield chromium
    complaints = chromium.complaints()
    chromium.leave()
    assert complaints == []


@pytest.fixture
def adapter(build_dir, tmp_path, log_on_failure, request):
    """adapter(url, ...) starts an adapter, see class Adapter, and waits until it serves."""
    numbers = itertools.count(1)

    def start(url, **options):
        folder = tmp_path / f"adapter-{next(numbers)}"
        folder.mkdir()
        log_on_failure(folder.name, folder / "log")
        adapter = Adapter(build_dir, folder, url, **options)
        request.addfinalizer(adapter.kill)
        request.addfinalizer(adapter.end)
        return adapter.wait_serving()

    return start
