"""Every command of the documents is run, or the reason why not stands here. A new one that has no
place in these tables fails the first test.

What is run is the documents' own text, with places of this machine in place of the reader's. The
haproxy.cfg is run by test_haproxy.py, which makes the checks' intervals shorter too."""

import re
import shlex
import sys

import processes
import pytest
from documents import REPOSITORY, blocks
from loopback import Loopback
from program import Program
from servers import PASSWORDS

LIMIT = 50
NO_COMMANDS = ("Pod ---", "time=")  # How blocks begin that hold none.
CHECKS = "/etc/dbhealth/checks"
BUILD_AND_INSTALL = (
    "cmake -B .build/mine && cmake --build .build/mine && cmake --install .build/mine"
)
DOCKER_RUN = (
    "docker run --rm --read-only --cap-drop ALL --network container:my-postgres"
    " -e DATABASE_URL=postgres://probe@127.0.0.1/postgres dbhealthd"
)
RUN_BY = {  # Command and the test that runs it.
    "tests/demo": "test_the_demo",
    "export DATABASE_URL=postgres://probe@127.0.0.1:5432/postgres": "test_by_hand",
    "export DATABASE_PASSWORD_FILE=/run/secrets/probe-password": "test_by_hand",
    ".build/mine/dbhealthd": "test_by_hand",
    "curl -i http://localhost:8080/readyz?verbose": "test_by_hand",
    BUILD_AND_INSTALL: "test_install",
    f"dbhealthd lint {CHECKS}": "test_the_loop_for_writing_a_check",
    f"dbhealthd check --checks {CHECKS}": "test_the_loop_for_writing_a_check",
}
NOT_RUN = {  # Command and the reason.
    "tests/run": "it runs this test",
    "docker build -t dbhealthd .": "tests/container builds the same file with podman",
    DOCKER_RUN: "tests/container runs it so with podman",
    "kubectl create secret generic postgres-admin --from-file=password=FILE": "needs a cluster",
    "kubectl create secret generic postgres-probe --from-file=password=FILE": "needs a cluster",
    "kubectl apply -k k8s/overlays/postgres": "needs a cluster; tests/container renders it",
}


def command_blocks():
    return [body for body in blocks() if not body.lstrip().startswith(NO_COMMANDS)]


def commands_in(block):
    """With a prompt in the block the other lines are output; after two blanks comes a remark."""
    lines = block.splitlines()
    prompted = [line[2:] for line in lines if line.startswith("$ ")]
    return [re.split(r"  +", line)[0] for line in prompted or lines if line.strip()]


def block_with(command):
    [block] = [block for block in command_blocks() if command in commands_in(block)]
    return block


def test_every_command_has_its_place_in_the_tables():
    found = {command for block in command_blocks() for command in commands_in(block)}
    assert found == RUN_BY.keys() | NOT_RUN.keys()
    assert not RUN_BY.keys() & NOT_RUN.keys()
    assert all(test in globals() for test in RUN_BY.values())


@pytest.fixture
def program(build_dir):
    return Program(build_dir)


@pytest.fixture
def loopback():
    with Loopback() as loopback:
        yield loopback


def run(command, **environment):
    """The output of a command, which must succeed."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environment}
    ended = processes.run(command, environment, LIMIT, cwd=REPOSITORY)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


# Try it


def test_the_demo(build_dir, loopback):
    """Without its first part, which installs and builds; on a loopback where its port is free."""
    words = ("-B", "tests/demo.py", "postgres", build_dir / "dbhealthd", "--once")
    assert "answers were as announced" in run((*loopback.under, sys.executable, *words))


def test_by_hand(build_dir, loopback, postgres, tmp_path):
    loopback.forward(5432, postgres)
    secret = tmp_path / "probe-password"
    secret.write_text(PASSWORDS["probe"] + "\n")
    program = build_dir / "dbhealthd"
    script = block_with("curl -i http://localhost:8080/readyz?verbose")
    script = script.replace("/run/secrets/probe-password", str(secret))
    script = script.replace(
        ".build/mine/dbhealthd\n",
        f"{program} &\ntrap 'kill -INT $!; wait $!' EXIT\n"
        f"until {program} get /livez; do sleep 0.1; done\n",
    )
    output = run((*loopback.under, "bash", "-euc", script))
    assert "HTTP/1.1 200 OK" in output
    assert "[+]accepting ok" in output


def test_the_probe_user(program, server):
    """Behind each of the block's statements stands for which engines it is."""
    [block] = [block for block in blocks("sql") if block.startswith("CREATE ROLE probe")]
    for line in block.splitlines():
        statement, _, engines = line.partition(" -- ")
        if server.engine in engines.lower():
            statement = statement.replace(" probe", " reader")
            server.sql(statement.replace("'...'", "'reader-secret'"))
    try:
        ended = program.run("check", DATABASE_URL=server.url("reader", "reader-secret"))
    finally:
        postgres = server.engine == "postgres"
        server.sql("DROP ROLE reader" if postgres else "DROP USER reader@'127.0.0.1'")
    assert ended.status == 0, ended.output


def test_install(build_dir, postgres, tmp_path):
    """What has been built already."""
    [command] = commands_in(block_with(BUILD_AND_INSTALL))
    install = shlex.split(command.rpartition("&&")[2].replace(".build/mine", str(build_dir)))
    run((*install, "--prefix", tmp_path))
    ended = Program(tmp_path / "bin").run("check", DATABASE_URL=postgres.url())
    assert ended.status == 0, ended.output


# Check files and commands

FAULTY = "-- endpoints: replica\n\n\n-- fail:   lag_seconds > much\nSELECT 45 AS lag_seconds\n"
MENDED = FAULTY.replace("much", "30")


def transcript(block):
    """Pairs of a command and its output, of a block with prompts."""
    pieces = block.split("$ ")[1:]
    return [piece.partition("\n")[::2] for piece in pieces]


def test_the_loop_for_writing_a_check(program, postgres, tmp_path):
    """`lint` shows a fault, `check` what the mended file finds; both print what the document says."""
    steps = transcript(block_with(f"dbhealthd lint {CHECKS}"))
    assert len(steps) == 2
    for (command, expected), text in zip(steps, (FAULTY, MENDED)):
        (tmp_path / "lag.sql").write_text(text)
        words = shlex.split(command.replace(CHECKS, str(tmp_path)))[1:]
        output = program.run(*words, DATABASE_URL=postgres.url()).output
        assert without_times(output.replace(str(tmp_path), CHECKS)) == without_times(expected)


def without_times(output):
    return re.sub(r" +\d+ ms", " 0 ms", output)


def test_the_example_of_a_check_file(program, postgres, tmp_path):
    """On a primary, which has no lag."""
    [text] = [block for block in blocks("sql") if block.startswith("-- description")]
    (tmp_path / "lag.sql").write_text(text)
    assert program.run("lint", tmp_path).output == "1 checks, 0 faults\n"
    ended = program.run("check", "--checks", tmp_path, DATABASE_URL=postgres.url())
    assert ended.row("lag") == ("fail", "lag_seconds is null")
