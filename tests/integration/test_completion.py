"""What bash and zsh offer behind `dbhealthd`, held against what the program itself says."""

import json
import os
import re
import subprocess

import pytest
import sql
from program import Program
from shells import Bash, Zsh

URLS = {"postgres": "postgres://probe@127.0.0.1:1/", "mysql": "mysql://probe@127.0.0.1:1/"}
FIXED = re.compile(r"\w+(?:, \w+)* or \w+")  # "logfmt or json": all the values there are.
VALUELESS = {"--version", "--help", "--settings"}
LISTENERS = ("--listen", "--details-listen", "--agent-listen")
NO_VALUES = (*LISTENERS, "--timeout", "--cache", "--deadline", "--drain")


@pytest.fixture(scope="module")
def prefix(build_dir, tmp_path_factory):
    """Where the completions are installed."""
    prefix = tmp_path_factory.mktemp("prefix")
    command = ("cmake", "--install", build_dir, "--prefix", prefix, "--component", "completion")
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return prefix


@pytest.fixture(scope="module", params=(Bash, Zsh))
def shell_of_all(request, build_dir, prefix, tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    variables = {
        "PATH": f"{build_dir}:{os.environ['PATH']}",
        "HOME": str(folder),
        "XDG_DATA_DIRS": f"{prefix}/share",
        "SITE_FUNCTIONS": f"{prefix}/share/zsh/site-functions",
    }
    with request.param(folder, **variables) as shell:
        yield shell


@pytest.fixture
def shell(shell_of_all, tmp_path):
    """In a folder of the test's own, without variables that say something to dbhealthd."""
    shell_of_all.run(f"unset DATABASE_URL DBHEALTH_CHECKS; cd {tmp_path}")
    return shell_of_all


@pytest.fixture(scope="module")
def program(build_dir):
    return Program(build_dir)


@pytest.fixture(scope="module")
def commands(program):
    """What help says behind each command."""
    found = [re.match(r"dbhealthd ([a-z]+) .*", line) for line in program.run("--help").lines]
    return {match[1]: match[0] for match in found if match}


@pytest.fixture(scope="module")
def flags(program):
    """What each setting's flag means."""
    lines = program.run("--settings").lines
    found = [re.fullmatch(r"  (--.{14}) .{8} (.*)", line) for line in lines]
    return {match[1].rstrip(): match[2] for match in found if match}


def own_flags(usage):
    return set(re.findall(r"--[a-z]+", usage))


def run_by(program, engine, *words):
    """The checks that run against such a server, as `check` lists them."""
    ended = program.run("check", "nonsense", *words, DATABASE_URL=URLS[engine])
    return set(ended.errors.partition("there are: ")[2].split())


# Commands and flags


def test_every_command_is_offered_and_no_other(shell, commands):
    assert len(commands) > 4
    assert shell.offers("dbhealthd ") == commands.keys()
    assert shell.offers("dbhealthd ch") == {"check"}


def test_every_flag_is_offered_and_no_other(shell, commands, flags):
    assert len(flags) > 13
    assert shell.offers("dbhealthd -") == flags.keys() | VALUELESS
    for command, usage in commands.items():
        assert shell.offers(f"dbhealthd {command} -") == flags.keys() | own_flags(usage)
    assert {"--format", "--watch"} <= own_flags(commands["check"])
    assert shell.offers("dbhealthd --log-level info --drain-") == {"--drain-file"}


def test_fixed_values_are_those_that_help_names(shell, flags):
    fixed = {flag: meaning for flag, meaning in flags.items() if FIXED.fullmatch(meaning)}
    assert fixed.keys() == {"--log-format", "--log-level"}
    for flag, meaning in fixed.items():
        values = set(re.split(", | or ", meaning))
        assert shell.offers(f"dbhealthd {flag} ") == values
        assert shell.offers(f"dbhealthd wait {flag}=") == values


def test_the_formats_are_those_that_check_takes(shell, program):
    expected = re.search(r"expected (\w+) or (\w+)", program.run("check", "--format=x").errors)
    assert shell.offers("dbhealthd check --format ") == set(expected.groups())


def test_nothing_is_offered_where_anything_may_stand(shell, flags):
    for flag in NO_VALUES:
        assert shell.offers(f"dbhealthd {flag} ") == set()
    assert shell.offers("dbhealthd grants ") <= flags.keys()  # zsh offers flags with no dash, too.
    assert shell.offers("dbhealthd check --watch=") == set()


def test_zsh_describes_flags_and_commands_as_help_does(prefix, commands, flags):
    text = (prefix / "share/zsh/site-functions/_dbhealthd").read_text()
    for flag, meaning in flags.items():
        assert f"'{flag}=[{meaning}]:" in text
    for command, usage in commands.items():
        described = re.search(rf'^ +{command}\\:"(.*)"$', text, re.MULTILINE)[1]
        assert f" {described}".replace("\\:", ":") in usage


def test_zsh_describes_a_flag_that_a_command_has_for_itself(prefix, commands):
    text = (prefix / "share/zsh/site-functions/_dbhealthd").read_text()
    for command in ("get", "wait"):
        assert "--timeout" in own_flags(commands[command])
        [case] = re.findall(rf"^ +\({command}\)\s(.*?);;", text, re.MULTILINE | re.DOTALL)
        assert "${flags:#--timeout=*}" in case and "'--timeout=[how long to wait" in case


# Checks


@pytest.mark.parametrize("engine", URLS)
def test_checks_of_the_library_are_those_that_would_run(shell, program, engine):
    there = run_by(program, engine)
    assert {"alive", "accepting"} <= there
    shell.run(f"export DATABASE_URL={URLS[engine]}")
    assert shell.offers("dbhealthd check ") == there
    assert shell.offers("dbhealthd check alive acc") == {"accepting"}
    assert shell.offers("dbhealthd --disable ") == there


@pytest.mark.parametrize("engine", URLS)
def test_checks_to_enable_are_those_that_would_not_run(shell, program, engine):
    shell.run(f"export DATABASE_URL={URLS[engine]}")
    offered = shell.offers("dbhealthd --enable ")
    assert {"slow-statements", "write"} <= offered
    there = run_by(program, engine)
    assert not offered & there
    assert run_by(program, engine, "--enable", ",".join(offered)) == offered | there


def test_without_a_url_the_checks_of_all_engines_are_offered(shell, program):
    both = run_by(program, "postgres") | run_by(program, "mysql")
    assert shell.offers("dbhealthd check ") == both


def test_a_list_goes_on_behind_its_comma(shell):
    assert shell.offers("dbhealthd --disable alive,acc") == {"alive,accepting"}


@pytest.fixture
def folders(tmp_path):
    """Two folders of check files, one of them with a blank in its name."""
    for folder, name, text in (
        ("one", "lag", sql.check(endpoints="replica, own", prober="slow")),
        ("one", "spare", sql.check(enabled="no", endpoints="hidden")),
        ("two three", "disk", sql.check(endpoints="none")),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"{name}.sql").write_text(text)
    return tmp_path


def test_checks_of_one_s_own_folders(shell, folders, program):
    both = f"{folders}/one:{folders}/two three"
    assert run_by(program, "mysql", "--checks", both) == {"lag", "disk"}
    shell.run(f"export DBHEALTH_CHECKS='{both}'")
    assert shell.offers("dbhealthd check ") == {"lag", "disk"}
    assert shell.offers("dbhealthd check --checks one ") == {"lag"}
    assert shell.offers("dbhealthd check --checks=one ") == {"lag"}
    assert shell.offers("dbhealthd check --keep ") == {"liveness", "main", "background", "slow"}


def test_folders_are_offered_where_folders_stand(shell, folders):
    (folders / "file").touch()
    (folders / "one" / "inner").mkdir()
    assert offered_folders(shell, "dbhealthd lint ") == {"one", "two three"}
    assert offered_folders(shell, "dbhealthd install ") == {"one", "two three"}
    assert offered_folders(shell, "dbhealthd --checks ") == {"one", "two three", "library"}
    assert offered_folders(shell, "dbhealthd --checks lib") == {"library"}
    assert offered_folders(shell, "dbhealthd --checks library:one/i") == {"library:one/inner"}
    assert shell.offers("dbhealthd --tls-key f") == {"file"}
    assert shell.offers("dbhealthd check --drain-file=f") == {"file"}


def offered_folders(shell, line):
    return {word.rstrip("/") for word in shell.offers(line)}


def test_a_folder_that_is_not_there_is_no_trouble(shell):
    shell.run("export DBHEALTH_CHECKS=/nonexistent")
    assert shell.offers("dbhealthd check ") == set()
    assert shell.offers("dbhealthd wait h") == {"healthz"}


# Endpoints


def test_paths_are_those_that_are_there(shell, adapter, postgres):
    a = adapter(postgres.url())
    shell.run(f"export DATABASE_URL={URLS['postgres']}")
    paths = shell.offers("dbhealthd get ")
    endpoints = set(json.loads(a.get("/status").body)["endpoints"])
    others = {"", "livez", "status", "metrics"}
    assert paths == {f"/{name}" for name in endpoints | others}
    assert all(a.status_of(path) != 404 for path in paths)
    assert shell.offers("dbhealthd wait ") == endpoints - others


def test_endpoints_of_one_s_own(shell, folders):
    assert shell.offers("dbhealthd get --checks one /o") == {"/own"}
    assert shell.offers("dbhealthd wait --checks one ") == {
        *("healthz", "startupz", "readyz"),
        *("replica", "own"),
    }
