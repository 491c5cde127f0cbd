"""The sandbox under the image's user, without capabilities, and with what podman denies anyway: the
same foreign code as in tests/integration/test_sandbox.py."""

import errno
import json
import os
import re
import signal
import subprocess

import pytest
from conftest import REPOSITORY
from pods import podman
from servers import wait_until
from servers.kernel import children

REFUSALS = {errno.EPERM, errno.EACCES}
SEEN = {"dbhealthd-server": "dbhealthd-serve", "dbhealthd-postgres": "dbhealthd-postg"}
PROBER_MAY = {"password-file", "passwd", "parent-command", "connect", "udp", "addresses"}
PROBER_MAY |= {"connect-of-old", "connect-by-sending", "line-of-log"}
MAY = {"dbhealthd-server": {"line-of-log"}, "dbhealthd-postgres": PROBER_MAY}
# Where a path is not there at all, or the kernel is said not to know a call.
OTHER = {"clone3": errno.ENOSYS, "shell-by-descriptor": errno.ENOENT}


@pytest.fixture
def folder(tmp_path):
    """/test in the container, with the foreign code and what it is to try."""
    source = REPOSITORY / "tests" / "integration" / "intruder.c"
    library = tmp_path / "intruder.so"
    compiler = ("cc", "-w", "-shared", "-fPIC", "-o", library, source)
    subprocess.run(compiler, check=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "password").write_text("a-secret")
    (tmp_path / "old").write_text("old")
    for path in (tmp_path, *tmp_path.iterdir(), tmp_path / "secret" / "password"):
        path.chmod(0o777)
    return tmp_path


@pytest.fixture
def start(image, folder):
    """start(program): a container with foreign code in that program; gives its process id 1."""
    started = []

    def start(program):
        variables = {
            "DATABASE_URL": "postgres://probe@127.0.0.1/",
            "DATABASE_PASSWORD_FILE": "/test/secret/password",
            "LD_PRELOAD": "/test/intruder.so",
            "INTRUDER": program,
            "INTRUDER_REPORT": "/test/report",
            "INTRUDER_FOLDER": "/test",
            "INTRUDER_SECRET": "/test/secret/password",
            "INTRUDER_PORT": "1",
        }
        flags = ["--network=none", "--read-only", "--cap-drop=ALL", "--no-healthcheck"]
        flags += ["--security-opt=no-new-privileges", f"--volume={folder}:/test"]
        flags += [f"--env={name}={value}" for name, value in variables.items()]
        started.append(podman("run", "--detach", *flags, image))
        return int(podman("inspect", "--format", "{{.State.Pid}}", started[-1]))

    yield start
    for container in started:
        print(podman("logs", container, check=False).stderr)
        podman("rm", "--force", "--time=0", container)


def ask(first, path):
    """The body of an answer, by the program in the container."""
    container = ("nsenter", f"--target={first}", "--net", "curl", "--silent", "--max-time", "5")
    url = f"http://127.0.0.1:8080{path}"
    return subprocess.run((*container, url), capture_output=True, text=True).stdout


def named(first, name):
    found = [pid for pid in children(first) if comm(pid) == name]
    return found[0] if found else None


def comm(pid):
    with open(f"/proc/{pid}/comm") as file:
        return file.read().strip()


@pytest.mark.parametrize("program", SEEN)
def test_foreign_code_is_refused(start, folder, program):
    first = start(program)
    wait_until(lambda: ask(first, "/livez") == "ok", "it serves")
    ask(first, "/readyz")
    pid = wait_until(lambda: named(first, SEEN[program]), "it is there")
    os.kill(pid, signal.SIGUSR1)
    report = folder / "report"
    wait_until(lambda: report.exists() and "end 0\n" in report.read_text(), "it has tried all")
    found = dict(re.findall(r"^(\S+) (\d+)$", report.read_text(), re.MULTILINE))
    del found["end"]
    assert len(found) > 50
    sandbox = json.loads(ask(first, "/status"))["adapter"]["sandbox"]
    print(sandbox)
    assert sandbox["seccomp"] == "on"
    may = set(MAY[program])
    if sandbox["landlock"].startswith("off"):
        may |= {"password-file", "passwd"}
    done = {
        name: errno.errorcode.get(int(error), error)
        for name, error in found.items()
        if int(error) not in REFUSALS and name not in may and OTHER.get(name) != int(error)
    }
    assert done == {}
    assert (folder / "old").read_text() == "old"
    assert ask(first, "/livez") == "ok"
