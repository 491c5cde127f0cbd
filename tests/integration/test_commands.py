"""The commands beside serving: what they print, in a pipe and on a terminal, and how they end."""

import contextlib
import json
import re
import shlex
import signal
import socket
import time

import faults
import pytest
import sql
import yaml
from documents import REPOSITORY
from health import parse_document
from manners import polite_to
from program import COLOUR, Program, in_session
from servers import PASSWORDS

COMMANDS = ("check", "lint", "get", "wait", "grants", "install", "--settings", "--help", "--version")
WELL, UNWELL, USAGE = 0, 1, 2
LAG = sql.check("SELECT 45 AS lag_seconds", fail="lag_seconds > 30")
MIXED = {
    "alive": sql.alive(),
    "broken": sql.check("SELECT no_such_column"),
    "lag": LAG,
    "spare": sql.check("SELECT 2 AS n", warn="n > 1"),
}
WRONG_USAGE = [  # Words, and what is said of them.
    (("nonsense",), "nonsense"),
    (("check", "--nonsense", "1"), "--nonsense"),
    (("check", "--format", "xml"), "expected text or json"),
    (("check", "--format"), "expected a value"),
    (("lint",), "expected more arguments"),
    (("get",), "expected more arguments"),
    (("get", "/livez", "/readyz"), "/readyz"),
    (("get", "/ready z"), "expected a path"),
    (("get", "/" + "x" * 3000), "expected a path"),
    (("get", "--listen", "nonsense", "/livez"), "DBHEALTH_LISTEN"),
    (("get", "--timeout", "2", "/livez"), "--timeout: '2' is not a duration"),
    (("get", "--timeout", "0s", "/livez"), "--timeout: expected at least 1ms"),
    (("wait", "readyz", "healthz"), "healthz"),
    (("wait", "--timeout", "60"), "--timeout"),
    (("grants", "postgres"), "postgres"),
]
NO_CONFIGURATION = [  # Variables, and what is said of them.
    ({}, "DATABASE_URL: not set"),
    ({"DATABASE_URL": "redis://probe@127.0.0.1/"}, "DATABASE_URL: the scheme is unknown"),
    ({"DATABASE_URL_FILE": "/nonexistent"}, "DATABASE_URL_FILE: cannot open the file"),
]


@pytest.fixture
def program(build_dir):
    return Program(build_dir)


@pytest.fixture
def folder(tmp_path):
    """folder(name=text, ...) makes a folder of check files."""

    def make(_name="checks", **checks):
        made = tmp_path / _name
        made.mkdir()
        for name, text in checks.items():
            (made / f"{name}.sql").write_text(text)
        return made

    return make


# Usage


@pytest.mark.parametrize("word", ("--help", "--settings"))
def test_what_is_printed_fits_a_screen(program, word):
    ended = program.run(word)
    assert (ended.status, ended.errors) == (WELL, "")
    assert len(ended.lines) < 24  # One is left for the prompt.
    assert max(map(len, ended.lines)) <= 80


def test_help_names_every_command(program):
    shown = program.run("--help").output
    for command in COMMANDS:
        assert re.search(rf"^dbhealthd (--version, )?{command}\b", shown, re.MULTILINE)


def test_version(program):
    assert re.fullmatch(r"dbhealthd \d+\.\d+\.\d+\n", program.run("--version").output)


@pytest.mark.parametrize("words, said", WRONG_USAGE, ids=[" ".join(w)[:30] for w, _ in WRONG_USAGE])
def test_wrong_usage_is_2_and_says_why(program, words, said):
    ended = program.run(*words, DATABASE_URL="postgres://probe:topsecret@127.0.0.1:1/")
    assert (ended.status, ended.output) == (USAGE, "")
    assert re.fullmatch(rf"dbhealthd: .*{re.escape(said)}.*\n", ended.errors)
    assert "topsecret" not in ended.errors


def test_closed_descriptors_are_no_trouble(program, server):
    """The next socket would take their place, and what is printed go there."""
    environment = {"DATABASE_URL": server.url()}
    for descriptors in ((0,), (1,), (2,), (0, 1, 2)):
        assert program.run_with_closed(*descriptors, words=("check",), **environment) == WELL


def test_output_that_is_lost_is_told(program, postgres):
    with open("/dev/full", "w") as full:
        for words in (("check",), ("grants",), ("--help",)):
            ended = program.run(*words, stdout=full, DATABASE_URL=postgres.url())
            assert ended.status == USAGE
            assert "No space left" in ended.errors


# check


def test_check_passes(program, server):
    with polite_to(server):
        ended = program.run("check", DATABASE_URL=server.url())
    assert (ended.status, ended.errors) == (WELL, "")
    assert re.fullmatch(r"CHECK +VERDICT +TIME +DETAIL", ended.lines[0])
    assert ended.row("accepting") == ended.row("alive") == ("pass", "")
    verdicts = {ended.row(line.split()[0])[0] for line in ended.lines[1:]}
    assert verdicts <= {"pass", "skipped"}


def test_check_fails_and_shows_the_servers_own_words(program, server, folder):
    with polite_to(server):
        ended = program.run("check", "--checks", folder(**MIXED), DATABASE_URL=server.url())
    assert (ended.status, ended.errors) == (UNWELL, "")
    assert ended.row("alive") == ("pass", "")
    assert ended.row("lag") == ("fail", "lag_seconds 45 > 30")
    assert ended.row("spare") == ("warn", "n 2 > 1")
    verdict, detail = ended.row("broken")
    assert verdict == "fail" and detail.startswith("missing: ")
    below = ended.lines[[line.split()[0] for line in ended.lines].index("broken") + 1]
    assert below.startswith(" ") and "no_such_column" in below


def test_columns_are_aligned(program, postgres, folder):
    checks = {"a": LAG, "a-very-long-name-for-a-check": LAG}
    lines = program.run("check", "--checks", folder(**checks), DATABASE_URL=postgres.url()).lines
    starts = {line.index(word) for line, word in zip(lines, ("DETAIL", "lag_", "lag_"))}
    assert len(starts) == 1


def test_a_warning_alone_is_well(program, postgres, folder):
    checks = folder(spare=MIXED["spare"])
    assert program.run("check", "--checks", checks, DATABASE_URL=postgres.url()).status == WELL


def test_check_by_name(program, postgres, folder):
    checks = folder(**MIXED)
    names = ("spare", "alive")
    ended = program.run("check", *names, "--checks", checks, DATABASE_URL=postgres.url())
    assert ended.status == WELL
    assert [line.split()[0] for line in ended.lines] == ["CHECK", "spare", "alive"]


def test_an_unknown_check_is_2_and_those_there_are_named(program, postgres):
    ended = program.run("check", "alive", "nonsense", DATABASE_URL=postgres.url())
    assert (ended.status, ended.output) == (USAGE, "")
    assert "no check nonsense; there are: accepting alive" in ended.errors


def test_check_as_json(program, server, folder):
    words = ("check", "--checks", folder(**MIXED), "--format", "json")
    ended = program.run(*words, DATABASE_URL=server.url())
    assert ended.status == UNWELL
    report = parse_document(ended.output)
    assert (report["status"], report["description"]) == ("fail", "check")
    assert report["server"]["flavor"] == server.engine
    assert {name: check["verdict"] for name, [check] in report["checks"].items()} == {
        "alive": "pass",
        "broken": "fail",
        "lag": "fail",
        "spare": "warn",
    }
    [lag] = report["checks"]["lag"]
    assert lag["output"] == "lag_seconds 45 > 30"
    assert lag["values"][0]["observedValue"] == 45


def test_colour_is_for_terminals(program, postgres, folder):
    words = ("check", "--checks", folder(**MIXED))
    url = {"DATABASE_URL": postgres.url()}
    on_terminal = program.on_terminal(*words, **url)
    plain = program.on_terminal(*words, NO_COLOR="1", **url)
    assert on_terminal.status == plain.status == UNWELL
    assert len(COLOUR.findall(on_terminal.output)) == 2 * len(MIXED)
    assert not COLOUR.search(plain.output)
    assert not COLOUR.search(program.run(*words, **url).output)
    assert program.on_terminal(*words, NO_COLOR="", **url).output.count("\033") == 2 * len(MIXED)
    assert plain.row("lag") == on_terminal.row("lag")


def test_check_with_a_wrong_password(program, server):
    ended = program.run("check", DATABASE_URL=server.url(password="topsecret"))
    assert ended.status == UNWELL
    assert ended.row("alive")[0] == "warn"
    verdict, detail = ended.row("accepting")
    assert verdict == "fail" and detail.startswith("denied: ") and "grants" in detail
    assert "probe" in ended.lines[2]  # The server's own words name the user.
    assert "topsecret" not in ended.output


def test_check_of_a_stopped_server_ends_by_the_timeout(program, postgres):
    with postgres.paused():
        ended = program.run("check", "--timeout", "850ms", DATABASE_URL=postgres.url())
    assert ended.status == UNWELL
    for name in ("alive", "accepting"):
        verdict, detail = ended.row(name)
        assert verdict == "fail" and detail.startswith("timeout: ")


def test_check_of_nothing(program, closed_port):
    url = f"postgres://probe:x@127.0.0.1:{closed_port}/postgres"
    ended = program.run("check", DATABASE_URL=url)
    assert ended.status == UNWELL
    assert ended.row("accepting")[1].startswith("refused: ")


@pytest.mark.parametrize("variables, said", NO_CONFIGURATION)
def test_check_without_a_server_to_ask_is_2(program, variables, said):
    ended = program.run("check", **variables)
    assert ended.status == USAGE
    assert said in ended.errors
    assert ended.row("configuration")[1].startswith("config: ")


@pytest.mark.parametrize("variables, said", NO_CONFIGURATION)
def test_wait_without_a_server_to_ask_is_2_at_once(program, variables, said):
    for words in (("wait",), ("wait", "healthz"), ("wait", "--timeout", "1h")):
        ended = program.run(*words, **variables)
        assert ended.status == USAGE
        assert said in ended.errors


def test_a_faulty_check_file_is_2_and_the_others_run(program, postgres, folder):
    checks = folder(faulty=sql.check(fail="n >"), **MIXED)
    ended = program.run("check", "--checks", checks, DATABASE_URL=postgres.url())
    assert ended.status == USAGE
    assert f"{checks}/faulty.sql:1:" in ended.errors
    assert ended.row("faulty")[0] == "unknown"
    assert ended.row("alive") == ("pass", "")


def test_check_warns_of_what_is_doubtful(program, postgres, folder):
    checks = folder(alive=sql.alive())
    password = checks / "password"
    password.write_text(PASSWORDS["probe"])
    ended = program.run(
        "check",
        "--checks",
        checks,
        DATABASE_URL=postgres.url(password=""),
        DATABASE_PASSWORD_FILE=str(password),
    )
    assert ended.status == WELL
    assert ended.errors == f"dbhealthd: DBHEALTH_CHECKS: {password} is in the folder {checks}, " + (
        "so the process that answers HTTP can read it; expected it elsewhere\n"
    )


def test_a_check_not_meant_for_the_server_is_skipped(program, mariadb, folder):
    checks = folder(alive=sql.alive(), other=sql.check(flavor="mysql"))
    ended = program.run("check", "--checks", checks, DATABASE_URL=mariadb.url())
    assert (ended.status, ended.row("other")[0]) == (WELL, "skipped")


def test_check_closes_what_it_opened_for_checks_with_a_period(program, server, folder):
    checks = folder(often=sql.check(every="100ms"), slow=sql.check(sql.sleep(server, 0.2)))
    with polite_to(server):
        assert program.run("check", "--checks", checks, DATABASE_URL=server.url()).status == WELL


# lint


def test_lint_of_good_files(program, folder):
    """With neither server nor URL."""
    ended = program.run("lint", folder(**MIXED))
    assert (ended.status, ended.output, ended.errors) == (WELL, "4 checks, 0 faults\n", "")


def test_lint_of_the_shipped_checks(program, build_dir):
    for folder in (build_dir / "checks").glob("*/"):
        assert program.run("lint", folder).lines[-1].endswith(" 0 faults")


FAULTS = [  # A file, and what is said of it behind its name.
    ("-- fail: n >\nSELECT 1", r"1:13: fail: expected a number, .*"),
    ("-- endpoints: readyz\n-- fail: n ! 3\nSELECT 1", r"2:12: fail: expected .*"),
    ("-- nonsense: 1\nSELECT 1", r"1:4: unknown key 'nonsense', expected one of: .*"),
    ("-- timeout: 5\nSELECT 1", r"1:13: timeout: .*expected .*500ms.*"),
    ("-- timeout: 5s\nSELECT 1", r"1:13: timeout 5s is above the deadline .*expected .*"),
    ("-- param: most 30\nSELECT 1", r"1:\d+: param: expected .*"),
    ("-- fail: n > $most\nSELECT 1", r"1:14: fail: no param of this name is given above"),
    ("-- tolerate: nonsense\nSELECT 1", r"1:14: tolerate: .*nonsense.*"),
    ("-- flavor: oracle\nSELECT 1", r"1:12: flavor: 'oracle' is unknown, .*"),
    ("-- server-version: new\nSELECT 1", r"1:20: server-version: expected one or two bounds.*"),
    ("-- metrics: ,\nSELECT 1", r"1:13: metrics: expected yes, no or names of columns"),
    (f"-- metrics: {'n' * 64}\nSELECT 1", r"1:13: Postgres cuts the column's name, .*"),
    ("-- log: all\n-- every: 1m\nSELECT 1", r"1:9: log: 'all' cannot be logged, expected rows"),
    ("-- x-a: b\n-- log: rows\nSELECT 1", r"2:9: log: rows are logged .* expected the key every"),
    ("-- enabled: maybe\n-- fail: n > 1\nSELECT 1", r"1:13: enabled: 'maybe' is neither yes nor no"),
    ("-- enabled: no\n-- skip: n >\nSELECT 1", r"2:13: skip: expected a number, .*"),
    ("-- description: Nothing.\n", r"\d+:\d+: .*"),
    ("SELECT 1\n-- fail: n > 1\n", r"2:4: .*"),
]


@pytest.mark.parametrize("text, said", FAULTS, ids=[text.splitlines()[0] for text, _ in FAULTS])
def test_lint_names_place_and_what_was_expected(program, folder, text, said):
    checks = folder(faulty=text, good=LAG)
    ended = program.run("lint", checks)
    assert (ended.status, ended.output) == (USAGE, "2 checks, 1 fault\n")
    assert re.fullmatch(re.escape(f"{checks}/faulty.sql:") + said + "\n", ended.errors)


def test_lint_of_several_folders(program, folder):
    one, two = folder("one", a=LAG, b="-- x: 1\nSELECT 1"), folder("two", c="-- y: 1\nSELECT 1")
    ended = program.run("lint", one, two)
    assert ended.status == USAGE
    files = [line.partition(":")[0] for line in ended.errors.splitlines()]
    assert files == [f"{one}/b.sql", f"{two}/c.sql"]
    assert ended.output == "3 checks, 2 faults\n"


def test_lint_of_single_files(program, folder):
    """As they are named; a fault of a whole file is at its start."""
    checks = folder(good=LAG, faulty="-- x: 1\nSELECT 1")
    (checks / "No_Name.sql").write_text(LAG)
    (checks / "notes.txt").touch()
    ended = program.run("lint", "good.sql", cwd=checks)
    assert (ended.status, ended.output, ended.errors) == (WELL, "1 check, 0 faults\n", "")
    files = ("./faulty.sql", "No_Name.sql", "notes.txt", "good.sql", "gone.sql")
    ended = program.run("lint", *files, cwd=checks)
    faulty, unnamed, other, gone = ended.errors.splitlines()
    assert (ended.status, ended.output) == (USAGE, "2 checks, 4 faults\n")
    assert faulty.startswith("./faulty.sql:1:4: unknown key 'x', expected one of: ")
    assert unnamed == "No_Name.sql:1:1: expected a name of a-z, 0-9 and '-' before .sql"
    assert other == "notes.txt:1:1: expected a name of a-z, 0-9 and '-' before .sql"
    assert gone.startswith("dbhealthd: ") and "gone.sql: No such file" in gone


def test_lint_as_json(program, folder):
    """Beside what stands on stderr; the members are those of the manual page."""
    checks = folder(good=LAG, faulty="-- x: 1\nSELECT 1")
    ended = program.run("lint", "--format", "json", checks, checks / "gone")
    document = json.loads(ended.output)
    in_file, in_none = document["faults"]
    assert (ended.status, len(ended.errors.splitlines())) == (USAGE, 2)
    assert set(document) == {"releaseId", "checks", "faults"} and document["checks"] == 2
    assert set(in_file) == {"file", "line", "column", "message"} and set(in_none) == {"message"}
    assert "{file}:{line}:{column}: {message}".format(**in_file) == ended.errors.splitlines()[0]
    ended = program.run("lint", "--format=json", checks / "good.sql")
    assert (ended.status, json.loads(ended.output)["faults"], ended.errors) == (WELL, [], "")
    assert program.run("lint", "--format=xml", checks).status == USAGE


def test_lint_as_pre_commit_runs_it(program, folder, build_dir):
    """Names of files follow the entry; those that the hook is for."""
    [hook] = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())
    assert (hook["id"], hook["language"]) == ("dbhealthd-lint", "system")
    assert all(re.search(hook["files"], name) for name in ("checks/a.sql", "db/checks/pg/b.sql"))
    others = ("a.sql", "checks/a.md", "xchecks/a.sql")
    assert not any(re.search(hook["files"], name) for name in others)
    checks = folder("checks", good=LAG, faulty="-- x: 1\nSELECT 1")
    program_name, *words = shlex.split(hook["entry"])
    assert program_name == "dbhealthd"
    assert program.run(*words, "checks/good.sql", cwd=checks.parent).status == WELL
    ended = program.run(*words, "checks/good.sql", "checks/faulty.sql", cwd=checks.parent)
    assert ended.status != WELL and ended.errors.startswith("checks/faulty.sql:1:4: ")


def test_check_names_the_place_of_a_fault(program, folder):
    checks = folder(faulty="-- x: 1\nSELECT 1")
    ended = program.run("check", "--checks", checks, DATABASE_URL="postgres://x@127.0.0.1:1/x")
    assert ended.status == USAGE
    assert ended.errors.startswith(f"{checks}/faulty.sql:1:4: unknown key 'x'")


def test_lint_with_a_relative_folder_names_relative_places(program, folder):
    checks = folder(faulty="-- x: 1\nSELECT 1")
    ended = program.run("lint", "checks", cwd=checks.parent)
    assert ended.errors.startswith("checks/faulty.sql:1:")


def test_lint_without_a_folder(program, tmp_path):
    ended = program.run("lint", tmp_path / "nothing")
    assert ended.status == USAGE
    assert f"{tmp_path}/nothing" in ended.errors


# get


@pytest.mark.parametrize("address", ("127.0.0.1:0", "[::1]:0", ":0", "0.0.0.0:0", "[::]:0"))
def test_get_asks_the_running_adapter(program, adapter, postgres, address):
    a = adapter(postgres.url(), arguments=("--listen", address), checks=MIXED)
    listen = {"DBHEALTH_LISTEN": address.removesuffix("0") + str(a.port)}
    assert program.run("get", "/healthz", **listen).output == "ok\n"
    assert program.run("get", "livez", **listen).status == WELL
    failing = program.run("get", "/readyz?verbose", **listen)
    assert (failing.status, failing.errors) == (UNWELL, "")
    assert "[-]lag failed: lag_seconds 45 > 30" in failing.lines
    assert program.run("get", "/nothing", **listen).status == UNWELL
    assert json.loads(program.run("get", "/status", **listen).output)["status"] == "fail"


def test_get_takes_the_address_as_a_flag(program, adapter, postgres):
    a = adapter(postgres.url())
    assert program.run("get", "--listen", f"127.0.0.1:{a.port}", "/readyz").status == WELL


def test_get_without_an_adapter_is_1(program, closed_port):
    ended = program.run("get", "/livez", DBHEALTH_LISTEN=f"127.0.0.1:{closed_port}")
    assert (ended.status, ended.output) == (UNWELL, "")
    assert "no adapter answers" in ended.errors


@pytest.mark.parametrize("said", (b"", b"SSH-2.0-nonsense\r\n", b"HTTP/1.1 200 OK\r\n"))
def test_get_of_something_else_is_1(program, said):
    def greet(connection):
        connection.recv(65536)
        connection.sendall(said)
        connection.close()

    with faults.listening(greet) as port:
        ended = program.run("get", "/livez", DBHEALTH_LISTEN=f"127.0.0.1:{port}")
    assert (ended.status, ended.output) == (UNWELL, "")
    assert "gave no answer" in ended.errors


def saying(*pieces):
    """A server that says these pieces to whoever asks, and closes."""

    def greet(connection):
        connection.recv(65536)
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_RDWR)

    return faults.listening(greet)


def test_get_prints_the_whole_of_any_size(program):
    body = "0123456789abcdef" * (3 << 16)  # 3 MiB
    header = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
    with saying(header.encode(), body.encode()) as port:
        ended = program.run("get", "/status", DBHEALTH_LISTEN=f"127.0.0.1:{port}")
    assert (ended.status, ended.errors) == (WELL, "")
    assert ended.output == body + "\n"


CUT = {  # What is said of an answer that is not whole, and the answer.
    "the answer ends after 3 of 1048576 bytes": (b"Content-Length: 1048576\r\n\r\n", b"ok\n"),
    "the answer ends after 0 of 1 bytes": (b"content-length:1\r\n\r\n",),
    "no Content-Length": (b"\r\n", b"Content-Length: 3\r\n\r\nok\n"),
    "above 64 MiB": (b"Content-Length: 99999999999999999999\r\n\r\n", *[bytes(1 << 20)] * 65),
}


@pytest.mark.parametrize("said, pieces", CUT.items(), ids=CUT)
def test_get_of_a_part_of_an_answer_is_1(program, said, pieces):
    with saying(b"HTTP/1.1 200 OK\r\n", *pieces) as port:
        ended = program.run("get", "/status", DBHEALTH_LISTEN=f"127.0.0.1:{port}")
    assert (ended.status, ended.output) == (UNWELL, "")
    assert said in ended.errors


def dribbling(start, piece=b"x"):
    """A server that says the start and then a piece now and then, without an end."""

    def greet(connection):
        connection.recv(65536)
        connection.sendall(start)
        while piece:
            connection.sendall(piece)
            time.sleep(0.01)

    return faults.listening(greet)


@pytest.mark.parametrize("start", (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"))
@pytest.mark.parametrize("piece", (b"x", b""))
def test_get_gives_up_at_its_timeout(program, start, piece):
    """However the answer comes; a program that waits on ends the test at its own limit."""
    with dribbling(start, piece) as port:
        words = ("get", "--timeout", "300ms", "/livez")
        ended = program.run(*words, DBHEALTH_LISTEN=f"127.0.0.1:{port}")
    assert (ended.status, ended.output) == (UNWELL, "")
    assert ended.errors == "dbhealthd: the adapter gave no whole answer within 300ms\n"


def test_get_gives_up_on_one_who_accepts_nobody(program):
    """A full backlog drops what asks to connect."""
    with contextlib.ExitStack() as opened:
        listener = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = listener.getsockname()[1]
        for _ in range(2):
            client = opened.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        words = ("get", "--timeout", "100ms", "/livez")
        ended = program.run(*words, DBHEALTH_LISTEN=f"127.0.0.1:{port}")
    assert (ended.status, ended.output) == (UNWELL, "")
    assert "no adapter answers: Connection timed out" in ended.errors


# wait


def test_wait_for_what_passes_already(program, server):
    with polite_to(server):
        ended = program.run("wait", DATABASE_URL=server.url())
    assert (ended.status, ended.errors) == (WELL, "")
    assert re.fullmatch(r"readyz passes after \d+ s\n", ended.output)


def test_wait_for_a_server_that_starts_later(program, new_postgres):
    """One line a transition, however long it lasts."""
    server = new_postgres()
    server.stop()
    with program.running("wait", "--timeout", "60s", DATABASE_URL=server.url()) as waiting:
        waiting.wait_shows("waiting for readyz: accepting: refused: ")
        server.start()
        ended = waiting.wait()
    assert (ended.status, ended.errors) == (WELL, "")
    assert re.fullmatch(r"readyz passes after \d+ s", ended.lines[-1])
    assert len(set(ended.lines)) == len(ended.lines)


def test_wait_follows_what_is_wrong(program, new_mariadb):
    server = new_mariadb()
    server.stop()
    with program.running("wait", DATABASE_URL=server.url(password="wrong")) as waiting:
        waiting.wait_shows("refused: ")
        server.start()
        waiting.wait_shows("denied: ")
        server.sql("ALTER USER probe@'%' IDENTIFIED BY 'wrong'")
        assert waiting.wait().status == WELL


def test_wait_gives_up(program, closed_port):
    url = f"mysql://probe:x@127.0.0.1:{closed_port}/"
    ended = program.run("wait", "--timeout", "600ms", "healthz", DATABASE_URL=url)
    assert ended.status == UNWELL
    assert ended.lines[0].startswith("waiting for healthz: alive: refused: ")
    assert re.fullmatch(r"healthz does not pass after \d+ s", ended.lines[1])
    assert len(ended.lines) == 2


def test_wait_on_a_terminal_has_one_live_line(program, closed_port):
    url = f"mysql://probe:x@127.0.0.1:{closed_port}/"
    ended = program.on_terminal("wait", "--timeout", "1200ms", DATABASE_URL=url, TERM="xterm")
    assert ended.status == UNWELL
    live, *rest = ended.output.split("\n")
    pieces = live.split("\r\033[K")
    assert pieces[0] == "" and len(pieces) >= 4
    for piece in pieces[1:-1]:
        assert re.fullmatch(r"waiting for readyz, \d+ s: accepting: refused: .{1,100}", piece)
    assert re.fullmatch(r"readyz does not pass after \d+ s", pieces[-1])
    assert rest[0].startswith("accepting: refused: ")


def test_wait_on_a_terminal_that_cannot_redraw_prints_lines(program, closed_port):
    url = f"mysql://probe:x@127.0.0.1:{closed_port}/"
    ended = program.on_terminal("wait", "--timeout", "600ms", DATABASE_URL=url, TERM="dumb")
    assert ended.lines[0].startswith("waiting for readyz: accepting: refused: ")
    assert "\033" not in ended.output


def test_wait_for_a_users_own_endpoint(program, postgres, folder):
    checks = folder(lag=sql.check(endpoints="replica"))
    words = ("wait", "--checks", checks, "replica")
    assert program.run(*words, DATABASE_URL=postgres.url()).lines[0].startswith("replica passes")


@pytest.mark.parametrize("name", ("nonsense", "livez", "/readyz"))
def test_wait_for_an_unknown_endpoint_is_2(program, postgres, name):
    ended = program.run("wait", name, DATABASE_URL=postgres.url())
    assert (ended.status, ended.output) == (USAGE, "")
    assert f"there is no endpoint {name}" in ended.errors


def test_a_terminated_wait_leaves_no_process(program, closed_port):
    url = f"mysql://probe:x@127.0.0.1:{closed_port}/"
    with program.running("wait", DATABASE_URL=url) as waiting:
        waiting.wait_shows("refused")
        assert len(in_session(waiting.process.pid)) > 1
        waiting.process.terminate()
        waiting.wait()


@pytest.mark.parametrize("number", ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"))
def test_a_signal_that_its_starter_ignores_ends_no_wait(build_dir, closed_port, number):
    url = f"mysql://probe:x@127.0.0.1:{closed_port}/"
    program = Program(build_dir, under=("env", f"--ignore-signal={number}"))
    with program.running("wait", "--timeout", "1500ms", DATABASE_URL=url) as waiting:
        waiting.wait_shows("refused")
        waiting.process.send_signal(signal.Signals[number])
        ended = waiting.wait()
    assert ended.status == UNWELL
    assert re.fullmatch(r"readyz does not pass after [1-9]\d* s", ended.lines[-1])


INTERRUPTIONS = ("SIGINT", "SIGTERM", "SIGHUP")


@pytest.mark.parametrize("number", INTERRUPTIONS)
@pytest.mark.parametrize("words", (("check", "alive"), ("wait",)))
def test_a_signal_that_cuts_it_short_is_its_end(program, number, words):
    """And no answer: a shell ends a loop around it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgres://probe:x@127.0.0.1:{silent.getsockname()[1]}/"
        with program.running(*words, DATABASE_URL=url) as asking:
            _client, _ = silent.accept()
            asking.process.send_signal(signal.Signals[number])
            ended = asking.wait()
    assert ended.status == -signal.Signals[number]
    assert "alive" not in ended.output


# grants

USERS = ("checker", "o'neil", 'says"so', "back\\slash", "tick`s", "with blank")


@pytest.fixture
def granted(program, server):
    """granted(user) makes the user as `grants` says, with the password of probe."""
    made = []

    def make(user, url):
        made.append(user)
        ended = program.run("grants", DATABASE_URL=url)
        assert (ended.status, ended.errors) == (WELL, "")
        for statement in statements(ended.output.replace("'...'", f"'{PASSWORDS['probe']}'")):
            server.sql(statement)

    yield make
    for user in made:
        drop(server, user)


def statements(text):
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [statement for statement in "\n".join(lines).split(";\n") if statement.strip()]


def drop(server, user):
    if server.engine == "postgres":
        quoted = '"' + user.replace('"', '""') + '"'
        server.sql(f"DROP OWNED BY {quoted}; DROP ROLE {quoted}")
    else:
        quoted = "`" + user.replace("`", "``") + "`"
        server.sql(f"DROP USER IF EXISTS {quoted}@'127.0.0.1', {quoted}@localhost")


@pytest.mark.parametrize("user", USERS)
def test_the_checks_pass_as_the_user_that_grants_makes(program, granted, server, user):
    url = server.url(user, PASSWORDS["probe"])
    granted(user, url)
    ended = program.run("check", DATABASE_URL=url)
    assert ended.status == WELL, ended.output
    assert ended.row("accepting") == ended.row("alive") == ("pass", "")


def test_grants_for_a_unix_socket(program, granted, server):
    url = server.unix_url("checker", PASSWORDS["probe"])
    granted("checker", url)
    assert program.run("check", DATABASE_URL=url).row("accepting") == ("pass", "")


ORIGINS = [  # A MySQL server's place in the URL, and where it sees the probe come from.
    ("", "127.0.0.1"),
    ("127.0.0.1", "127.0.0.1"),
    ("localhost:3307", "127.0.0.1"),
    ("[::1]", "::1"),
    ("db.example:3306", "%"),
    ("192.0.2.7", "%"),
]


@pytest.mark.parametrize("place, origin", ORIGINS)
def test_grants_are_for_where_the_probe_comes_from(program, place, origin):
    ended = program.run("grants", DATABASE_URL=f"mysql://checker@{place}/")
    assert f"CREATE USER `checker`@'{origin}' " in ended.output


def test_grants_name_the_database_of_the_url(program, postgres):
    url = postgres.url(database="some db")
    assert 'GRANT CONNECT ON DATABASE "some db"' in program.run("grants", DATABASE_URL=url).output


def test_grants_do_not_make_an_administrator_anew(program, server):
    user = "postgres" if server.engine == "postgres" else "root"
    output = program.run("grants", DATABASE_URL=server.url(user, "topsecret")).output
    assert "probe" in output and "topsecret" not in output
    assert f'"{user}" LOGIN' not in output and f"`{user}`@" not in output


def test_grants_of_checks_are_printed_once_and_of_enabled_ones_only(program, folder):
    checks = folder(
        a=sql.check(grants="GRANT pg_monitor TO $user;"),
        b="-- grants: GRANT pg_monitor TO $user;\n-- grants: CREATE SCHEMA a\nSELECT 1",
        c=sql.check(enabled="no", grants="CREATE SCHEMA c"),
    )
    url = "postgres://o'neil@127.0.0.1/"
    words = ("grants", "--checks", checks)
    ended = program.run(*words, DATABASE_URL=url)
    assert (ended.status, ended.errors) == (WELL, "")
    assert ended.lines[-4:] == [
        "-- for a:",
        'GRANT pg_monitor TO "o\'neil";',
        "-- for b:",
        "CREATE SCHEMA a;",
    ]
    assert "CREATE SCHEMA c;" in program.run(*words, "--enable", "c", DATABASE_URL=url).lines


def test_grants_of_a_procedure_are_whole_for_the_clients_of_mysql(program, folder):
    checks = folder(a=sql.check(grants="CREATE PROCEDURE p() BEGIN DO 1; DO 2; END;"))
    lines = program.run("grants", "--checks", checks, DATABASE_URL="mysql://probe@/").lines
    assert lines[-3:] == [
        "DELIMITER //",
        "CREATE PROCEDURE p() BEGIN DO 1; DO 2; END//",
        "DELIMITER ;",
    ]
    lines = program.run("grants", "--checks", checks, DATABASE_URL="postgres://probe@/").lines
    assert lines[-1] == "CREATE PROCEDURE p() BEGIN DO 1; DO 2; END;"


def test_grants_with_a_faulty_check_file_are_2(program, folder):
    ended = program.run("grants", "--checks", folder(a="-- nonsense: 1\nSELECT 1"), DATABASE_URL="mysql://")
    assert ended.status == USAGE and "a.sql:1:4:" in ended.errors


def test_grants_without_a_url_are_2(program):
    ended = program.run("grants")
    assert (ended.status, ended.output) == (USAGE, "")
    assert "DATABASE_URL" in ended.errors
