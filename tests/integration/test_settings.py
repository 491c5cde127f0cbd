"""Settings: what is wrong is said and does not keep the adapter from serving, but for what keeps it
from listening."""

import socket
import subprocess

import pytest
import sql
from adapter import AS_SHIPPED
from servers import wait_until

BAD_VALUES = [  # Variable, value, what the log says is expected.
    ("DBHEALTH_TIMEOUT", "800", "expected"),
    ("DBHEALTH_TIMEOUT", "0s", "expected 1ms to 1h"),
    ("DBHEALTH_TIMEOUT", "-1s", "expected"),
    ("DBHEALTH_TIMEOUT", "1.5 s", "expected"),
    ("DBHEALTH_TIMEOUT", "2s", "DBHEALTH_DEADLINE"),
    ("DBHEALTH_CACHE", "forever", "expected"),
    ("DBHEALTH_CACHE", "25h", "expected"),
    ("DBHEALTH_DEADLINE", "1d", "expected"),
    ("DBHEALTH_DRAIN", "10seconds", "expected"),
    ("DBHEALTH_DISABLE", "a b,Not_A_Name", "expected a-z, 0-9 and '-'"),
    ("DBHEALTH_LOG_FORMAT", "xml", "logfmt or json"),
    ("DBHEALTH_LOG_LEVEL", "loud", "debug, info, warn or error"),
    ("DBHEALTH_CHECKS", "/nonexistent", "cannot read folder"),
]
REFUSED = [  # Arguments, and what is said of them.
    (("--nonsense", "1"), "--nonsense"),
    (("--nonsense=1",), "--nonsense"),
    (("--timeout",), "--timeout: expected a value"),
    (("serve",), "serve"),
    (("--listen", "127.0.0.1:0", "more"), "more"),
    (("-x",), "-x"),
    (("--listen", "nonsense"), "DBHEALTH_LISTEN"),
    (("--listen", "127.0.0.1"), "DBHEALTH_LISTEN"),
    (("--listen", "127.0.0.1:99999"), "DBHEALTH_LISTEN"),
    (("--listen", "localhost:0"), "numeric address"),
    (("--listen", "192.0.2.1:0"), "cannot bind"),
    (("--listen", "127.0.0.1:0", "--details-listen", "9090"), "DBHEALTH_DETAILS_LISTEN: '9090'"),
    (("--listen", "127.0.0.1:0", "--details-listen", "192.0.2.1:0"), "cannot bind"),
    (("--listen", "127.0.0.1:8", "--details-listen", ":8"), "with '127.0.0.1:8' of DBHEALTH_LISTEN"),
]
WELL = (200, 200, 200, 200)


@pytest.fixture
def run(build_dir):
    """run(*arguments) runs dbhealthd to its end."""

    def run(*arguments, **environment):
        command = [build_dir / "dbhealthd", *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=20, check=False
        )

    return run


# Wrong values


@pytest.mark.parametrize("variable, value, expected", BAD_VALUES)
@pytest.mark.parametrize("by_flag", (False, True), ids=("variable", "flag"))
def test_a_bad_value_is_told(adapter, mariadb, by_flag, variable, value, expected):
    """And the default stands in its place."""
    flag = variable.removeprefix("DBHEALTH_").lower().replace("_", "-")
    if by_flag:
        flags = ("--listen", "127.0.0.1:0", f"--{flag}", value)
        a = adapter(mariadb.url(), arguments=flags, **AS_SHIPPED)
    else:
        a = adapter(mariadb.url(), **{**AS_SHIPPED, variable: value})
    [problem] = [line["problem"] for line in a.messages("configuration is wrong")]
    assert expected in problem
    if "_CHECKS" not in variable and "2s" != value:
        assert problem.startswith(f"--{flag}" if by_flag else f"{variable}:")
    assert a.status_of("/healthz") == a.status_of("/livez") == 200
    assert a.status_of("/readyz") == 503
    assert a.shown("/readyz")["configuration"].code == "config"
    if variable != "DBHEALTH_CHECKS":
        assert a.status_of("/readyz?exclude=configuration") == 200


def test_every_problem_is_told(adapter, mariadb):
    a = adapter(mariadb.url(), DBHEALTH_CACHE="x", DBHEALTH_DRAIN="y", DBHEALTH_LOG_LEVEL="z")
    problems = [line["problem"] for line in a.messages("configuration is wrong")]
    assert len(problems) == 3
    assert a.messages("serving")[0]["problems"] == "3"


# What keeps it from listening


@pytest.mark.parametrize("arguments, words", REFUSED, ids=[" ".join(row[0]) for row in REFUSED])
def test_what_cannot_be_served_with_exits_with_2(run, arguments, words):
    ended = run(*arguments, DATABASE_URL="postgres://probe:topsecret@127.0.0.1/")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("dbhealthd: ") and ended.stderr.count("\n") == 1
    assert words in ended.stderr
    assert "topsecret" not in ended.stderr


def test_a_port_in_use_exits_with_2(run, adapter, mariadb):
    a = adapter(mariadb.url())
    ended = run("--listen", f"127.0.0.1:{a.port}")
    assert ended.returncode == 2
    assert f"127.0.0.1:{a.port}" in ended.stderr
    assert "Address already in use" in ended.stderr
    assert a.statuses() == WELL


def test_the_port_is_free_again_at_once(adapter, mariadb):
    """Although connections of the one before are in TIME_WAIT."""
    a = adapter(mariadb.url())
    assert a.statuses() == WELL
    a.end()
    again = adapter(mariadb.url(), arguments=("--listen", f"127.0.0.1:{a.port}"))
    assert again.statuses() == WELL


# Help


def test_version(run):
    ended = run("--version")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("dbhealthd ") and ended.stdout.count(".") == 2


def test_every_setting_is_named(run):
    ended = run("--settings")
    assert (ended.returncode, ended.stderr) == (0, "")
    for variable, _, _ in BAD_VALUES:
        assert "--" + variable.removeprefix("DBHEALTH_").lower().replace("_", "-") in ended.stdout
    for name in ("DBHEALTH_LISTEN", "--listen", "--drain-file"):
        assert name in ended.stdout
    for name in ("DATABASE_URL", "DATABASE_PASSWORD_FILE"):
        assert name in run("--help").stdout


# What settings do


def test_a_flag_wins_over_the_environment(adapter, mariadb):
    flags = ("--listen", "127.0.0.1:0", "--log-format", "json")
    environment = {"DBHEALTH_LOG_FORMAT": "logfmt", "DBHEALTH_LISTEN": "nonsense"}
    a = adapter(mariadb.url(), arguments=flags, **environment)
    assert a.log_text().startswith("{")
    assert a.statuses() == WELL


def test_an_empty_variable_is_none(adapter, mariadb):
    a = adapter(mariadb.url(), DBHEALTH_CACHE="", DBHEALTH_CHECKS="", DBHEALTH_DRAIN_FILE="")
    assert not a.messages("configuration is wrong")
    assert a.statuses() == WELL


def test_disable_leaves_checks_out(adapter, mariadb):
    a = adapter(mariadb.url(), DBHEALTH_DISABLE="alive, binlogs")
    assert a.status_of("/healthz/alive") == 404
    assert a.status_of("/readyz") == 200
    assert not a.messages("configuration is doubtful")


@pytest.mark.parametrize("name", ("ENABLE", "DISABLE", "KEEP"))
def test_a_name_that_nothing_has_is_warned_of_and_no_more(adapter, mariadb, name):
    a = adapter(mariadb.url(), **{f"DBHEALTH_{name}": "alive, main, like-nothing"})
    [*_, line] = a.messages("configuration is doubtful")
    assert line["level"] == "warn"
    assert line["warning"].startswith(f"DBHEALTH_{name}: there is no 'like-nothing'; expected ")
    assert a.statuses() == WELL
    assert a.messages("serving")[0]["problems"] == "0"


def test_a_later_folder_replaces_and_adds_checks(adapter, mariadb, tmp_path):
    (tmp_path / "accepting.sql").write_text(sql.check("SELECT 0 AS replaced"))
    (tmp_path / "mine.sql").write_text(sql.check("SELECT 1", endpoints="mine"))
    a = adapter(mariadb.url(), DBHEALTH_CHECKS=f"library:{tmp_path}")
    assert a.shown("/readyz")["accepting"].detail == "replaced is 0"
    assert (a.status_of("/mine"), a.status_of("/healthz")) == (200, 200)


def test_a_setting_from_the_environment_in_a_check_file(adapter, mariadb):
    checks = {"lag": sql.check("SELECT 20 AS lag", fail="lag > ${MOST:-10}")}
    assert adapter(mariadb.url(), checks=checks).status_of("/readyz") == 503
    assert adapter(mariadb.url(), checks=checks, MOST="30").status_of("/readyz") == 200


@pytest.mark.parametrize("address", ("127.0.0.1:0", "[::1]:0", ":0"))
def test_addresses_to_listen_on(adapter, mariadb, address):
    a = adapter(mariadb.url(), arguments=(), DBHEALTH_LISTEN=address)
    answered = []
    for host in ("127.0.0.1", "::1"):
        try:
            socket.create_connection((host, a.port), 5).close()
            answered.append(host)
        except ConnectionRefusedError:
            pass
    assert answered == {":0": ["127.0.0.1", "::1"], "[::1]:0": ["::1"]}.get(address, ["127.0.0.1"])


@pytest.mark.parametrize("transport", ("tcp", "unix", "tls"))
def test_each_server_by_each_way(adapter, server, transport, request):
    urls = {"tcp": server.url(), "unix": server.unix_url(), "tls": sql.tls_url(server)}
    a = adapter(urls[transport])
    wait_until(lambda: a.statuses() == WELL, "it is well")
