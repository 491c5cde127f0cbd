"""Every command of the documents is run, or the reason why not stands here. A new one that has no
place in these tables fails the first test.

What is run is the documents' own text, with places of this machine in place of the reader's. The
haproxy.cfg is run by test_haproxy.py, which makes the checks' intervals shorter too."""

import re
import shlex
import sys

import processes
import pytest
import yaml
from documents import FRONT_PAGE, REPOSITORY, blocks
from loopback import Loopback
from program import Program
from servers import PASSWORDS, wait_until

LIMIT = 50
NO_COMMANDS = ("Pod ---", "time=")  # How blocks begin that hold none.
CHECK_FOLDER = "/etc/dbhealth/checks"
INSTALL_PACKAGES = "apt-get install"  # And their names.
BUILD_AND_INSTALL = (
    "cmake -G Ninja -B .build/mine -DDBHEALTH_TESTS=OFF"
    " && cmake --build .build/mine && cmake --install .build/mine"
)
DOCKER_RUN = (
    "docker run --rm --read-only --cap-drop ALL --network container:my-postgres"
    " -e DATABASE_URL=postgres://probe@127.0.0.1/postgres dbhealthd"
)
ASK = "curl 'http://HOST:8080/readyz?verbose'"
CHECK_INSIDE = "kubectl exec POD -c adapter -- dbhealthd check"
RUN_BY = {  # Command and the test that runs it.
    "tests/demo": "test_the_demo",
    BUILD_AND_INSTALL: "test_install",
    "export DATABASE_URL=postgres://probe@127.0.0.1:5432/postgres": "test_a_bare_host",
    "export DATABASE_PASSWORD_FILE=/run/secrets/probe-password": "test_a_bare_host",
    "dbhealthd grants": "test_a_bare_host",
    "dbhealthd check": "test_a_bare_host",
    "dbhealthd": "test_a_bare_host",
    ASK: "test_why_readiness_is_red",
    CHECK_INSIDE: "test_why_readiness_is_red",
    f"dbhealthd lint {CHECK_FOLDER}": "test_the_loop_for_writing_a_check",
    f"dbhealthd check --checks {CHECK_FOLDER}": "test_the_loop_for_writing_a_check",
}
NOT_RUN = {  # Command and the reason.
    "tests/run": "it runs this test",
    "DBHEALTH_BUILD=.build/gcc /usr/bin/python3 -m pytest -q --timeout=60"
    " tests/integration/test_reload.py": "it is how this test is run",
    "tests/simulation/run 60": "tests/run simulates stories, too",
    "tests/simulation/run --story 1804289": "tests/run simulates stories, too",
    "tests/simulation/mutants/run": "tests/run tries some of them",
    INSTALL_PACKAGES: "test_what_a_build_needs reads it",
    "docker build -t dbhealthd .": "tests/container builds the same file with podman",
    DOCKER_RUN: "tests/container runs it so with podman",
    **dict.fromkeys(
        (
            "kubectl create namespace shop",
            "kubectl -n shop create secret generic postgres-admin --from-file=password=FILE",
            "kubectl -n shop create secret generic postgres-probe --from-file=password=FILE",
            "kubectl -n shop apply -k k8s/overlays/postgres",
            "kubectl -n shop rollout status statefulset/postgres-db",
            "kubectl describe pod POD",
            "kubectl exec POD -c adapter -- dbhealthd get '/readyz?verbose'",
            "kubectl logs POD -c database",
        ),
        "needs a cluster",
    ),
    "kubectl logs POD -c adapter": "needs a cluster; test_verdicts.py reads the log",
}


def command_blocks():
    return [body for body in blocks() if not body.lstrip().startswith(NO_COMMANDS)]


def commands_in(block):
    """With a prompt in the block the other lines are output; after two blanks comes a remark."""
    lines = block.splitlines()
    prompted = [line[2:] for line in lines if line.startswith("$ ")]
    commands = [re.split(r"  +", line)[0] for line in prompted or lines if line.strip()]
    return [INSTALL_PACKAGES if c.startswith(INSTALL_PACKAGES) else c for c in commands]


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


# README.md


def test_the_demo(build_dir, loopback):
    """Without its first part, which installs and builds; on a loopback where its port is free."""
    words = ("-B", "tests/demo.py", "postgres", build_dir / "dbhealthd", "--once")
    assert "answers were as announced" in run((*loopback.under, sys.executable, *words))


def test_what_a_build_needs():
    """The packages of the Dockerfile, where a compiler may be one for another machine; but for
    certificates, which any host has."""
    [listed] = re.findall(rf"^{INSTALL_PACKAGES} (.+)$", FRONT_PAGE.read_text(), re.MULTILINE)
    dockerfile = (REPOSITORY / "Dockerfile").read_text()
    [installed] = re.findall(r"--no-install-recommends(.*?)&&", dockerfile, re.DOTALL)
    called_otherwise = {"gcc-for-host": "gcc", "pkgconf": "pkg-config"}
    words = re.findall(r"(?<!\S)[a-z0-9][a-z0-9-]+(?=[\s)])", installed)
    needed = {called_otherwise.get(word, word) for word in words}
    assert set(listed.split()) == needed - {"ca-certificates", "binutils"}


def test_install(build_dir, postgres, tmp_path):
    """What has been built already."""
    [command] = [c for c in commands_in(block_with(BUILD_AND_INSTALL)) if "--install" in c]
    install = shlex.split(command.rpartition("&&")[2].replace(".build/mine", str(build_dir)))
    run((*install, "--prefix", tmp_path))
    ended = Program(tmp_path / "bin").run("check", DATABASE_URL=postgres.url())
    assert ended.status == 0, ended.output


def test_a_bare_host(build_dir, loopback, postgres, tmp_path):
    """The lines below the build, and the question of the section on red readiness."""
    loopback.forward(5432, postgres)
    secret = tmp_path / "probe-password"
    secret.write_text(PASSWORDS["probe"] + "\n")
    script = block_with("dbhealthd grants").partition(BUILD_AND_INSTALL)[2]
    script = script.replace("/run/secrets/probe-password", str(secret))
    script = re.sub(r"^dbhealthd  +#.*", in_background(), script, flags=re.MULTILINE)
    ask = ASK.replace("HOST", "localhost").replace("curl", "curl -i")
    output = run_script(build_dir, loopback, script + ask)
    assert 'CREATE ROLE "probe"' in output
    assert re.search(r"^accepting +pass ", output, re.MULTILINE)
    assert "HTTP/1.1 200 OK" in output
    assert "[+]accepting ok" in output


def test_why_readiness_is_red(build_dir, loopback, postgres):
    loopback.forward(5432, postgres)
    ask, inside = commands_in(block_with(ASK))[0], commands_in(block_with(ASK))[2]
    assert (ask, inside) == (ASK, CHECK_INSIDE)
    script = f"""
        export DATABASE_URL=postgres://probe:wrong@127.0.0.1:5432/postgres
        {in_background()}
        {ask.replace("HOST", "localhost")}
        {inside.rpartition(" -- ")[2]} || echo "ended with $?"
    """
    output = run_script(build_dir, loopback, script)
    line = "[-]accepting failed: denied: the server refused the probe user"
    assert re.search(rf"^{re.escape(line)}.*; check user, password", output, re.MULTILINE)
    assert 'password authentication failed for user "probe"' in output
    assert "ended with 1" in output


def in_background():
    """Lines of a script that serve until it ends."""
    return (
        "dbhealthd & trap 'kill -INT $!; wait $!' EXIT\n"
        "until dbhealthd get /livez; do sleep 0.1; done\n"
    )


def run_script(build_dir, loopback, script):
    return run((*loopback.under, "bash", "-euc", f"PATH={build_dir}:$PATH\n{script}"))


def test_probes_are_those_of_the_manifests():
    [text] = [block for block in blocks("yaml", [FRONT_PAGE]) if "startupProbe" in block]
    shown = yaml.safe_load(text)
    documents = yaml.safe_load_all((REPOSITORY / "k8s/base/statefulset.yaml").read_text())
    [pod] = [one["spec"]["template"]["spec"] for one in documents if one["kind"] == "StatefulSet"]
    [database] = [one for one in pod["containers"] if one["name"] == "database"]
    component = yaml.safe_load(
        (REPOSITORY / "k8s/components/database-liveness/kustomization.yaml").read_text()
    )
    patch = yaml.safe_load(component["patches"][0]["patch"])
    [liveness] = [one["value"] for one in patch if one["path"].endswith("/livenessProbe")]
    for name, probe in shown.items():
        assert probe.items() <= {**database, "livenessProbe": liveness}[name].items(), name


def compose():
    [text] = [block for block in blocks("yaml", [FRONT_PAGE]) if block.startswith("services:")]
    return yaml.safe_load(text)


def mounted(secret):
    name = secret if isinstance(secret, str) else secret["source"]
    return name, f"/run/secrets/{name}" if isinstance(secret, str) else secret["target"]


def test_the_compose_file_has_all_that_it_names():
    """Each file that a variable or the script for the probe user names is mounted. docker-compose
    reads it in tests/container."""
    file = compose()
    services = file["services"]
    assert services["dbhealthd"]["network_mode"] == "service:db"
    assert services["app"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    [script] = [v.split(":")[0] for v in services["db"]["volumes"] if v.startswith("./")]
    reads = re.findall(r"`cat (\S+)`", (REPOSITORY / script).read_text())
    for name, more in (("db", reads), ("dbhealthd", [])):
        service = services[name]
        secrets = dict(map(mounted, service["secrets"]))
        named = [v for k, v in service["environment"].items() if k.endswith("_FILE")]
        assert sorted([*named, *more]) == sorted(secrets.values())
        assert secrets.keys() <= file["secrets"].keys()


def test_the_healthcheck_of_the_compose_file(adapter, new_postgres, closed_port):
    """It passes while the adapter says that the database is ready, and not if nobody says so."""
    [how, *command] = compose()["services"]["db"]["healthcheck"]["test"]
    assert how == "CMD"

    def status(port):
        words = [word.replace("/8080", f"/{port}") for word in command]
        return processes.run(words, {"PATH": "/usr/bin:/bin"}, LIMIT).returncode

    server = new_postgres()
    port = adapter(server.url()).port
    assert status(port) == 0
    server.stop("fast")
    wait_until(lambda: status(port) == 1, "it fails")
    assert status(closed_port) == 1


# checks/README.md


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


FAULTY = "-- endpoints: replica\n\n\n-- fail:   lag_seconds > much\nSELECT 45 AS lag_seconds\n"
MENDED = FAULTY.replace("much", "30")


def transcript(block):
    """Pairs of a command and its output, of a block with prompts."""
    pieces = block.split("$ ")[1:]
    return [piece.partition("\n")[::2] for piece in pieces]


def test_the_loop_for_writing_a_check(program, postgres, tmp_path):
    """`lint` shows a fault, `check` what the mended file finds; both print what is documented."""
    steps = transcript(block_with(f"dbhealthd lint {CHECK_FOLDER}"))
    assert len(steps) == 2
    for (command, expected), text in zip(steps, (FAULTY, MENDED)):
        (tmp_path / "lag.sql").write_text(text)
        words = shlex.split(command.replace(CHECK_FOLDER, str(tmp_path)))[1:]
        ended = program.run(*words, DATABASE_URL=postgres.url())
        output = ended.errors + ended.output
        assert without_times(output.replace(str(tmp_path), CHECK_FOLDER)) == without_times(expected)


def without_times(output):
    return re.sub(r" +\d+ ms", " 0 ms", output)


def test_the_example_of_a_check_file(program, postgres, tmp_path):
    """On a primary, which has no lag."""
    [text] = [block for block in blocks("sql") if block.startswith("-- description")]
    (tmp_path / "lag.sql").write_text(text)
    assert program.run("lint", tmp_path).output == "1 check, 0 faults\n"
    ended = program.run("check", "--checks", tmp_path, DATABASE_URL=postgres.url())
    assert ended.row("lag") == ("fail", "lag_seconds is null")
