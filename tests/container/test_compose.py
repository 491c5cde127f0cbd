"""README.md's compose file, as docker-compose reads it."""

import re
import subprocess

import pytest
import yaml
from conftest import REPOSITORY

COMPOSE = re.compile(r"^```yaml\n(services:\n.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def config(tmp_path):
    """config(text) gives the finished process of `docker-compose config`."""

    def read(text):
        (tmp_path / "compose.yaml").write_text(text)
        command = ["docker-compose", "--file", "compose.yaml", "config"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return read


def test_the_compose_file_is_one(config):
    [text] = COMPOSE.findall((REPOSITORY / "README.md").read_text())
    read = config(text)
    assert (read.returncode, read.stderr) == (0, "")
    written, services = (yaml.safe_load(one)["services"] for one in (text, read.stdout))
    assert services.keys() == {"app", "db", "dbhealthd"}
    assert services["app"]["depends_on"]["db"]["condition"] == "service_healthy"
    assert services["db"]["healthcheck"]["test"] == written["db"]["healthcheck"]["test"]


@pytest.mark.parametrize(
    "right, wrong",
    [
        ("service_healthy", "healthy"),
        ("network_mode", "network-mode"),
        ("service:db", "service:database"),
    ],
)
def test_a_fault_is_found(config, right, wrong):
    [text] = COMPOSE.findall((REPOSITORY / "README.md").read_text())
    assert config(text.replace(right, wrong)).returncode != 0
