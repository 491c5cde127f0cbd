"""The image beside each database in one Pod, as the manifests have it."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from pods import PASSWORDS
from servers import wait_until

DATABASES = ("postgres", "mariadb", "mysql")
LOGINS = {
    "postgres": "SCRAM-SHA-256",
    "mariadb": "mysql_native_password",
    "mysql": "caching_sha2_password",
}
LOGIN_QUERIES = {
    "postgres": "SELECT rolpassword FROM pg_authid WHERE rolname = 'probe'",
    "mariadb": "SELECT plugin FROM mysql.user WHERE user = 'probe'",
    "mysql": "FLUSH PRIVILEGES; SELECT plugin FROM mysql.user WHERE user = 'probe'",
}
SEEN = (
    "applier_configuration",
    "applier_status",
    "applier_status_by_coordinator",
    "applier_status_by_worker",
    "connection_status",
    "group_members",
)
GIVEN = {
    "mariadb": {"GRANT PROCESS, SLAVE MONITOR ON *.*"},
    "mysql": {
        "GRANT PROCESS ON *.*",
        *(f"GRANT SELECT ON performance_schema.replication_{table}" for table in SEEN),
    },
}
DEADLINE = 1.0  # Seconds: the kubelet's default, above the adapter's own limit of 0.9.


@pytest.fixture(scope="module", params=DATABASES)
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def shared_pod(new_pod, engine):
    """The adapter, started first and asked before there is a database, and then the database."""
    with new_pod(engine) as pod:
        pod.start("adapter")
        pod.wait_probe("adapter", "startupProbe")
        pod.early = {path: pod.get(path) for path in ("/healthz", "/startupz", "/readyz", "/livez")}
        pod.run_to_its_end("ask")
        start_database(pod, engine)
        try:
            pod.wait_probe("database", "startupProbe", limit=60)
            pod.wait_probe("database", "readinessProbe")
        except TimeoutError:
            print(pod.log("adapter"), pod.log("database"))
            raise
        yield pod


@pytest.fixture
def pod(shared_pod, request):
    """The Pod, all well; its logs are shown if the test fails."""
    try:
        shared_pod.wait_probe("database", "readinessProbe")
        yield shared_pod
    finally:
        for name in ("adapter", "database"):
            request.node.add_report_section("call", f"log of {name}", shared_pod.log(name)[-8000:])


def test_the_adapter_answers_before_there_is_a_database(pod):
    assert pod.early["/livez"].well
    for path in ("/healthz", "/startupz", "/readyz"):
        assert pod.early[path].status == 503, path
        assert "refused" in pod.early[path].body


@pytest.mark.parametrize(
    "path",
    ["/healthz", "/startupz", "/readyz", "/livez", "/", "/healthz/alive", "/readyz/accepting"],
)
def test_endpoint(pod, path):
    answer = pod.get(path)
    assert (answer.status, answer.body) == (200, "ok"), path
    assert answer.seconds < DEADLINE


def test_verbose_and_json(pod):
    assert "[+]accepting ok" in pod.get("/readyz?verbose").body
    assert '"status"' in pod.get("/readyz?format=json").body
    assert pod.get("/nowhere").status == 404


def test_commands_inside(pod):
    """No shell, but the program itself: what a person or a HEALTHCHECK runs in the container."""
    check = pod.execute("adapter", "/usr/bin/dbhealthd", "check")
    assert check.returncode == 0, check.stdout + check.stderr
    assert "accepting" in check.stdout
    get = pod.execute("adapter", "/usr/bin/dbhealthd", "get", "/livez")
    assert (get.returncode, get.stdout) == (0, "ok\n")
    assert pod.execute("adapter", "/usr/bin/dbhealthd", "get", "/nowhere").returncode == 1


def test_what_the_kernel_lets_the_adapter_do(pod):
    """As the manifest says: and each process below it the same."""
    first = pod.pid("adapter")
    assert _status(first)["NSpid"].split()[-1] == "1"
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    assert children, "no prober runs"
    for pid in (first, *children):
        status = _status(pid)
        assert set(status["Uid"].split() + status["Gid"].split()) == {"65532"}
        assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"
    mounts = Path(f"/proc/{first}/mountinfo").read_text().splitlines()
    root = next(line.split() for line in mounts if line.split()[4] == "/")
    assert "ro" in root[5].split(",")
    assert _memory("limit", first) == 32 << 20


def test_memory_is_enough(pod):
    for _ in range(200):
        assert pod.get("/readyz").well
    most = _memory("most", pod.pid("adapter"))
    print(f"at most {most / 1e6:.1f} MB, page cache included")
    assert not pod.state("adapter")["OOMKilled"]
    assert pod.state("adapter")["Status"] == "running"


def test_how_the_probe_user_logs_in(pod, engine):
    """From inside the image, at once after the server has forgotten what it knew of the password:
    so MySQL's caching_sha2_password goes through its whole exchange."""
    assert LOGINS[engine] in as_root(pod, engine, LOGIN_QUERIES[engine])
    check = pod.execute("adapter", "/usr/bin/dbhealthd", "check")
    assert check.returncode == 0, check.stdout + check.stderr


def test_the_probe_user_may_see_and_do_nothing(pod, engine):
    if engine == "postgres":
        rights = "rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls"
        sql = f"SELECT {rights} FROM pg_roles WHERE rolname = 'probe'"
        assert as_root(pod, engine, sql) == "f\n"
        sql = "SELECT roleid::regrole FROM pg_auth_members WHERE member = 'probe'::regrole"
        assert as_root(pod, engine, sql) == "pg_read_all_stats\n"
        return
    grants = as_root(pod, engine, "SHOW GRANTS FOR probe@'127.0.0.1'").splitlines()
    given = {re.sub(r" TO .*", "", line).replace("`", "") for line in grants}
    assert given == GIVEN[engine]


def test_frozen_database(pod):
    """It is found within the deadline, whoever asks; and the adapter itself stays well."""
    server = pod.pid("database")
    os.kill(server, signal.SIGSTOP)
    try:
        answer = pod.wait_probe("database", "livenessProbe", well=False)
        assert "timeout" in answer.body
        for _ in range(3):
            assert pod.get("/healthz").seconds < DEADLINE
        pod.wait_probe("database", "readinessProbe", well=False)
        assert pod.get("/livez").well
    finally:
        os.kill(server, signal.SIGCONT)
    pod.wait_probe("database", "livenessProbe")
    pod.wait_probe("database", "readinessProbe")


def test_an_adapter_that_is_not_there(pod):
    """It takes no database with it: stopped, it says nothing; nor does one that has ended. The
    liveness probe passes, and says why."""
    adapter = pod.pid("adapter")
    os.kill(adapter, signal.SIGSTOP)
    children = Path(f"/proc/{adapter}/task/{adapter}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGSTOP)
    try:
        hung = pod.probe("database", "livenessProbe")
        assert hung.well and "no whole answer came" in hung.body
    finally:
        os.kill(adapter, signal.SIGKILL)
    wait_until(lambda: pod.state("adapter")["Status"] == "exited", "the adapter ends", 30)
    gone = pod.probe("database", "livenessProbe")
    assert gone.well and "Connection refused" in gone.body
    pod.start("adapter")
    pod.wait_probe("adapter", "startupProbe")


def test_restarted_database(pod, engine):
    """The adapter outlives it and finds the new one."""
    adapter = pod.pid("adapter")
    stop_database(pod, engine)
    answer = pod.wait_probe("database", "readinessProbe", well=False)
    assert "refused" in answer.body
    assert not pod.get("/healthz").well  # In a container that has ended no probe runs.
    start_database(pod, engine)
    pod.wait_probe("database", "startupProbe", limit=30)
    pod.wait_probe("database", "readinessProbe")
    assert pod.pid("adapter") == adapter


def test_drain(pod):
    """The manifest's preStop makes readiness fail and nothing else; its postStart ends that."""
    hooks = pod.containers["database"]["lifecycle"]
    pod.execute("database", *hooks["preStop"]["exec"]["command"], detach=True)
    try:
        pod.wait_probe("database", "readinessProbe", well=False)
        assert pod.probe("database", "livenessProbe").well
        assert pod.probe("database", "startupProbe").well
    finally:
        pod.execute("database", *hooks["postStart"]["exec"]["command"])
    pod.wait_probe("database", "readinessProbe")


def test_drain_by_hand(pod):
    """In the adapter's container, where there is no shell."""
    try:
        ended = pod.execute("adapter", "/usr/bin/dbhealthd", "drain", "on")
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.endswith("the adapter drains: /readyz answers 503\n")
        assert not pod.probe("database", "readinessProbe").well
    finally:
        ended = pod.execute("adapter", "/usr/bin/dbhealthd", "drain", "off")
    assert ended.returncode == 0, ended.stderr
    pod.wait_probe("database", "readinessProbe")


def test_changed_secret(pod, engine):
    """Secret first, then the database: nothing is lost. The other way round the database is not
    ready till the Secret has changed, and never dead."""
    right = (pod.volume("probe-secret") / "password").read_text()
    pod.write_secret("probe-secret", "new")
    try:
        wait_until(lambda: uses_former_secret(pod), "the password before is used", 30)
        assert pod.probe("database", "readinessProbe").well
        set_password(pod, engine, "new")
        wait_until(lambda: not uses_former_secret(pod), "the new one is used", 30)
        assert pod.probe("database", "readinessProbe").well
        set_password(pod, engine, right.strip())
        answer = pod.wait_probe("database", "readinessProbe", well=False)
        assert "denied" in answer.body
        assert pod.probe("database", "livenessProbe").well
    finally:
        set_password(pod, engine, right.strip())
        pod.write_secret("probe-secret", right)
    pod.wait_probe("database", "readinessProbe")


def uses_former_secret(pod):
    return "logged in with the secret before" in pod.get("/readyz?verbose").body


def set_password(pod, engine, word):
    word = word.replace("'", "''")
    change = f"ALTER ROLE probe PASSWORD '{word}'"
    if engine != "postgres":
        word = word.replace("\\", "\\\\")
        change = f"ALTER USER probe@'127.0.0.1' IDENTIFIED BY '{word}'"
    as_root(pod, engine, change)


def test_the_end_of_the_pod(pod, engine):
    """The order of a native sidecar: the database ends, then the adapter, at once and with 0."""
    stop_database(pod, engine)
    began = time.monotonic()
    os.kill(pod.pid("adapter"), signal.SIGTERM)
    wait_until(lambda: pod.state("adapter")["Status"] == "exited", "the adapter ends", 30)
    assert time.monotonic() - began < 5
    assert pod.state("adapter")["ExitCode"] == 0
    assert PASSWORDS["probe-secret"].strip() not in pod.log("adapter")


def stop_database(pod, engine):
    os.kill(pod.pid("database"), signal.SIGINT if engine == "postgres" else signal.SIGTERM)
    wait_until(lambda: pod.state("database")["Status"] == "exited", "the database ends", 20)


def start_database(pod, engine):
    pod.start("database", image=f"localhost/dbhealth-tests/{engine}", command=[engine])


def as_root(pod, engine, sql):
    """What the database's administrator is shown, in the database's container."""
    if engine == "postgres":
        command = ["psql", "--username=postgres", "-Atc", sql]
    else:
        password = PASSWORDS["admin-secret"].strip()
        command = ["mysql", "--user=root", f"--password={password}", "-Ne", sql]
    result = pod.execute("database", *command)
    assert result.returncode == 0, result.stderr
    return result.stdout


def _status(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _memory(what, pid):
    """A number of the kernel's about a container's memory, by either version of cgroups."""
    names = {"limit": ("memory.limit_in_bytes", "memory.max")}
    names["most"] = ("memory.max_usage_in_bytes", "memory.peak")
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "memory":
            return int(Path(f"/sys/fs/cgroup/memory{path}", names[what][0]).read_text())
    return int(Path(f"/sys/fs/cgroup{path}", names[what][1]).read_text())
