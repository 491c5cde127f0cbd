"""The sandbox, by foreign code: intruder.c, in the server and in a prober, tries what somebody would
who has taken it over. And what must work as without it."""

import errno
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import processes
import pytest
import sql
from adapter import check_lines
from servers import PASSWORDS, wait_until
from volume import Volume

WELL = (200, 200, 200, 200)
REFUSALS = {errno.EPERM, errno.EACCES}
# What a prober may: it logs in, and reads what a library wants to have read.
PROBER_MAY = {"password-file", "passwd", "parent-command", "connect", "udp", "addresses"}
PROBER_MAY |= {"line-of-log"}  # Which it writes to nobody.
PROBER_MAY_TRY = PROBER_MAY | {"connect-of-old", "connect-by-sending"}
MAY = {
    "dbhealthd-server": {"line-of-log"},  # It is the one that logs.
    "dbhealthd-postgres": PROBER_MAY_TRY,
    "dbhealthd-mysql": PROBER_MAY_TRY,
    "dbhealthd-peers": PROBER_MAY_TRY - {"password-file", "passwd"},
}
OTHER = {"clone3": errno.ENOSYS}


@pytest.fixture(scope="module")
def intruder(tmp_path_factory):
    source = Path(__file__).parent / "intruder.c"
    library = tmp_path_factory.mktemp("intruder") / "intruder.so"
    subprocess.run(["cc", "-w", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


@pytest.fixture
def with_intruder(adapter, intruder, tmp_path, sanitized):
    """with_intruder(program, url, ...): an adapter with foreign code in that program."""
    if sanitized:
        pytest.skip("there is no sandbox in a build with sanitizers")
    folder = tmp_path / "open-folder"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "old").write_text("old")
    (folder / "old").chmod(0o666)

    def start(program, url, secret, port, **options):
        return adapter(
            url,
            LD_PRELOAD=str(intruder),
            INTRUDER=program,
            INTRUDER_REPORT=str(tmp_path / "report"),
            INTRUDER_FOLDER=str(folder),
            INTRUDER_SECRET=str(secret),
            INTRUDER_PORT=str(port),
            **options,
        )

    return start


def tries(tmp_path, pid):
    """What it tried there, and came to."""
    processes.send(pid, signal.SIGUSR1)
    report = tmp_path / "report"
    wait_until(lambda: "end 0\n" in report.read_text(), "it has tried all")
    lines = [line.split() for line in report.read_text().splitlines()[:-1]]
    return {name: int(error) for name, error in lines}


def not_refused(found, program):
    """Those that succeeded, or failed for a reason of their own, and must not."""
    return {
        name: errno.errorcode.get(error, error)
        for name, error in found.items()
        if error not in REFUSALS and name not in MAY[program] and OTHER.get(name) != error
    }


def test_in_the_server(with_intruder, server, tmp_path):
    secret = Volume(tmp_path / "secret", {"password": PASSWORDS["probe"]})
    checks = {"alive": sql.alive(), "accepting": sql.check()}
    a = with_intruder(
        "dbhealthd-server",
        server.url(password=""),
        secret / "password",
        server.port,
        checks=checks,
        DATABASE_PASSWORD_FILE=str(secret / "password"),
    )
    assert a.statuses() == WELL
    found = tries(tmp_path, a.server)
    assert len(found) > 50
    assert not_refused(found, "dbhealthd-server") == {}
    assert (tmp_path / "open-folder" / "old").read_text() == "old"
    assert os.listdir(tmp_path / "open-folder") == ["old"]
    assert a.statuses() == WELL
    assert not a.messages("server crashed")


def test_in_a_prober(with_intruder, server, tmp_path):
    program = "dbhealthd-postgres" if server.engine == "postgres" else "dbhealthd-mysql"
    secret = Volume(tmp_path / "secret", {"password": PASSWORDS["probe"]})
    a = with_intruder(
        program,
        server.url(password=""),
        secret / "password",
        server.port,
        checks={"alive": sql.alive()},
        DATABASE_PASSWORD_FILE=str(secret / "password"),
    )
    assert a.status_of("/healthz") == 200
    [prober] = a.probers()
    found = tries(tmp_path, prober)
    assert not_refused(found, program) == {}
    assert {name for name in PROBER_MAY if found[name] != 0} == set()
    assert (tmp_path / "open-folder" / "old").read_text() == "old"
    assert not a.messages("forged")
    assert a.status_of("/healthz") == 200
    assert a.probers() == [prober]


def test_in_the_prober_of_peers(with_intruder, postgres, tmp_path):
    """It has no business with a password, nor with any file but those of names and certificates."""
    secret = Volume(tmp_path / "secret", {"password": PASSWORDS["probe"]})
    peers = "-- source: peers\n-- endpoints: others\n-- fail: other_primaries > 0\n"
    a = with_intruder(
        "dbhealthd-peers",
        postgres.url(password=""),
        secret / "password",
        postgres.port,
        checks={"others": peers, "mine": sql.check(endpoints="others")},
        DATABASE_PASSWORD_FILE=str(secret / "password"),
        DBHEALTH_PEERS=f"localhost:{postgres.port}",
    )
    assert a.status_of("/others") == 200
    [prober] = [pid for pid in a.probers() if processes.name(pid) == "dbhealthd-peers"]
    found = tries(tmp_path, prober)
    assert not_refused(found, "dbhealthd-peers") == {}
    assert found["connect"] == 0
    assert not a.messages("forged")
    assert a.status_of("/others") == 200


def test_in_a_prober_without_landlock(with_intruder, postgres, tmp_path):
    """What others have in their memory, as the server has its certificate's key, stays theirs."""
    a = with_intruder(
        "dbhealthd-postgres",
        postgres.url(),
        "/etc/passwd",
        postgres.port,
        checks={"alive": sql.alive()},
        under=processes.tampered("landlock_create_ruleset", "error=ENOSYS"),
    )
    assert a.status_of("/healthz") == 200
    assert a.messages("sandboxed")[0]["landlock"].startswith("off: ")
    [prober] = a.probers()
    assert not_refused(tries(tmp_path, prober), "dbhealthd-postgres") == {}


def test_in_the_server_of_a_command(intruder, postgres, build_dir, tmp_path, sanitized):
    if sanitized:
        pytest.skip("there is no sandbox in a build with sanitizers")
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "slow.sql").write_text(sql.check(sql.sleep(postgres, 5), timeout="10s"))
    environment = {
        "DATABASE_URL": postgres.url(),
        "DBHEALTH_CHECKS": str(tmp_path / "checks"),
        "DBHEALTH_DEADLINE": "12s",
        "LD_PRELOAD": str(intruder),
        "INTRUDER": "dbhealthd-server",
        "INTRUDER_REPORT": str(tmp_path / "report"),
        "INTRUDER_SECRET": "/etc/shadow",
        "INTRUDER_FOLDER": str(tmp_path),
        "INTRUDER_PORT": str(postgres.port),
    }
    (tmp_path / "old").write_text("")
    command = subprocess.Popen([build_dir / "dbhealthd", "check"], env=environment)
    try:
        wait_until(lambda: sql.sleeping(postgres), "the check runs")
        [server] = [
            pid
            for pid in processes.children(command.pid)
            if processes.name(pid) == "dbhealthd-serve"
        ]
        found = tries(tmp_path, server)
        assert not_refused(found, "dbhealthd-server") == {}
        assert command.wait(20) == 0
    finally:
        command.kill()


# What is told


def test_what_is_in_force_is_told(adapter, postgres, sanitized):
    a = adapter(postgres.url())
    [line] = a.messages("sandboxed")
    sandbox = json.loads(a.get("/status").body)["adapter"]["sandbox"]
    assert sandbox == {"seccomp": line["seccomp"], "landlock": line["landlock"]}
    [shown] = [x for x in a.get("/livez?verbose").body.splitlines() if x.startswith("[+]sandbox")]
    if sanitized:
        assert shown.startswith("[+]sandbox warn: seccomp off: ")
        return
    assert shown == f"[+]sandbox ok: seccomp on; landlock {line['landlock']}"
    assert a.statuses() == WELL
    assert "prober sandboxed otherwise" not in a.log_text()
    assert not re.search(r"prober-\S+ warn", a.get("/livez?verbose").body)
    assert re.fullmatch(r"on: files(, TCP(, signals)?)?", line["landlock"])
    for pid in (a.server, *a.probers()):
        status = Path(f"/proc/{pid}/status").read_text()
        assert re.search(r"^Seccomp:\t2$", status, re.MULTILINE)
        assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)


CREATE, RESTRICT = "landlock_create_ruleset", "landlock_restrict_self"
WITHOUT = {
    "seccomp": ("seccomp", "EINVAL", "off: Invalid argument", "on: "),
    "landlock": (CREATE, "ENOSYS", "on", "off: Function not implemented"),
    "landlock-disabled": (CREATE, "EOPNOTSUPP", "on", "off: Operation not supported"),
    "landlock-refused": (RESTRICT, "EPERM", "on", "off: Operation not permitted"),
}


@pytest.mark.parametrize("call, error, seccomp, landlock", WITHOUT.values(), ids=WITHOUT)
def test_a_kernel_that_lacks_it(adapter, postgres, sanitized, call, error, seccomp, landlock):
    """It says so, and works."""
    if sanitized:
        pytest.skip("there is no sandbox in a build with sanitizers")
    a = adapter(postgres.url(), under=processes.tampered(call, f"error={error}"))
    wait_until(lambda: a.statuses() == WELL, "it is well")
    [line] = a.messages("sandboxed")
    assert line["seccomp"] == seccomp
    assert line["landlock"].startswith(landlock)
    assert "[+]sandbox warn: " in a.get("/livez?verbose").body
    assert a.status_of("/livez") == 200


def test_a_prober_that_lacks_it_is_told_of(adapter, build_dir, postgres, sanitized, tmp_path):
    """Once, for all its logins; the server itself lacks nothing."""
    if sanitized:
        pytest.skip("there is no sandbox in a build with sanitizers")
    for name in ("dbhealthd", "dbhealthd-server"):
        shutil.copy(build_dir / name, tmp_path)
    under = shlex.join(processes.tampered("seccomp", "error=EINVAL"))
    prober = tmp_path / "dbhealthd-postgres"
    prober.write_text(f"#!/bin/sh\nexec {under} {build_dir.absolute()}/dbhealthd-postgres\n")
    prober.chmod(0o755)
    checks = {"one": sql.check(cache="0s")}
    a = adapter(postgres.url(), checks=checks, program=tmp_path / "dbhealthd")
    for _ in range(2):
        assert a.status_of("/readyz") == 200
    [line] = a.messages("prober sandboxed otherwise")
    assert (line["level"], line["prober"]) == ("warn", "main")
    assert line["sandbox"].startswith("seccomp off: Invalid argument; landlock on: ")
    report = json.loads(a.get("/status").body)["adapter"]
    assert report["probers"]["main"]["sandbox"] == line["sandbox"]
    assert report["sandbox"]["seccomp"] == "on"
    shown = a.get("/livez?verbose")
    assert shown.status == 200
    assert f"[+]prober-main warn: {line['sandbox']}\n" in shown.body
    assert "[+]sandbox ok: seccomp on; " in shown.body


def test_a_password_among_checks_is_warned_of(adapter, postgres, tmp_path):
    """There the server can read it, and checks can be changed without a restart."""
    files = {"password": PASSWORDS["probe"]}
    checks = Volume(tmp_path / "checks", {"one.sql": sql.check(endpoints="one"), **files})
    password = checks / "password"
    a = adapter(
        postgres.url(password=""),
        DBHEALTH_CHECKS=f"library:{checks.folder}",
        DATABASE_PASSWORD_FILE=str(password),
    )
    [line] = a.messages("configuration is doubtful")
    assert line["level"] == "warn"
    assert line["warning"].startswith(f"DBHEALTH_CHECKS: {password} is in the folder ")
    assert a.status_of("/one") == 200
    checks.write({"two.sql": sql.check(endpoints="two"), **files})
    a.wait_status("/two", 200)


# What works as without


def test_configuration_comes_from_where_it_may(adapter, postgres, tmp_path):
    """Beside the password, which is out of reach."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "password").write_text(PASSWORDS["probe"])
    checks = Volume(home / "checks", {"one.sql": sql.check(endpoints="one")})
    a = adapter(
        postgres.url(password=""),
        DBHEALTH_CHECKS=f"library:{checks.folder}",
        DATABASE_PASSWORD_FILE=str(home / "password"),
    )
    assert a.status_of("/one") == 200
    for number in range(3):
        checks.write({"one.sql": sql.check(endpoints=f"version-{number}")})
        a.wait_status(f"/version-{number}", 200)
    assert a.status_of("/readyz") == 200


def test_check_files_that_are_links(adapter, postgres, tmp_path):
    for name in ("farm", "store"):
        (tmp_path / name).mkdir()
    (tmp_path / "store" / "one").write_text(sql.check(endpoints="one"))
    (tmp_path / "farm" / "one.sql").symlink_to(tmp_path / "store" / "one")
    a = adapter(postgres.url(), DBHEALTH_CHECKS=str(tmp_path / "farm"))
    assert a.status_of("/one") == 200
    (tmp_path / "store" / "one").write_text(sql.check(endpoints="two"))
    a.wait_status("/two", 200)
    a.signal(signal.SIGHUP)
    assert check_lines(a.get("/two?verbose").body)["one"].verdict == "ok"


def test_what_the_process_costs_is_still_told(adapter, postgres):
    """When the kernel has forgotten the names that it knew."""
    a = adapter(postgres.url())
    Path("/proc/sys/vm/drop_caches").write_text("2")
    tells_what_it_costs(a)


def test_what_the_process_costs_is_told_without_root(adapter, postgres, build_dir, tmp_path):
    """Though nobody else of the same user may look into it."""
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(0o755)
    programs = tmp_path / "programs"
    shutil.copytree(build_dir / "checks", programs / "checks")
    for program in build_dir.glob("dbhealthd*"):
        shutil.copy(program, programs)
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")
    a = adapter(postgres.url(), program=programs / "dbhealthd", under=nobody)
    assert a.status_of("/healthz") == 200
    tells_what_it_costs(a)
    for pid in (a.pid, a.server, *a.probers()):
        looks = (*nobody, "test", "-r", f"/proc/{pid}/mem")
        assert subprocess.run(looks).returncode == 1


def tells_what_it_costs(a):
    body = a.get("/metrics").body
    resident = re.search(r"^process_resident_memory_bytes (\d+)$", body, re.MULTILINE)
    assert int(resident[1]) > 1 << 20
    assert int(re.search(r"^process_open_fds (\d+)$", body, re.MULTILINE)[1]) > 10
