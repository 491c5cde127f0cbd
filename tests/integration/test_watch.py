"""`check --watch` on a terminal and in a pipe, with a server whose state changes."""

import os
import re
import signal

import pytest
import sql
from health import parse_document
from manners import polite_to
from program import Program, in_session
from servers import wait_until
from terminal import Terminal

WELL, UNWELL, USAGE = 0, 1, 2
INTERVAL = "--watch=100ms"
ROLE = "watched"
CHECKS = {
    "alive": sql.alive(),
    "roles": sql.check(
        f"SELECT count(*) AS n FROM pg_roles WHERE rolname = '{ROLE}'", fail="n > 0"
    ),
    "spare": sql.check("SELECT 2 AS n", warn="n > 1"),
}
PATIENT = {"DBHEALTH_TIMEOUT": "10s", "DBHEALTH_DEADLINE": "12s"}
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture
def program(build_dir):
    return Program(build_dir)


@pytest.fixture
def checks(tmp_path):
    folder = tmp_path / "checks"
    folder.mkdir()
    for name, text in CHECKS.items():
        (folder / f"{name}.sql").write_text(text)
    return folder


class Fault:
    """What makes the check `roles` fail."""

    def __init__(self, server):
        self._server = server

    def make(self):
        self._server.sql(f"CREATE ROLE {ROLE}")

    def mend(self):
        self._server.sql(f"DROP ROLE IF EXISTS {ROLE}")


@pytest.fixture
def fault(postgres):
    fault = Fault(postgres)
    yield fault
    fault.mend()


@pytest.fixture
def watch(build_dir, checks, postgres):
    """watch(word, ...) makes a terminal on which the checks are watched, for a with statement."""

    def make(*words, columns=80, lines=24, **environment):
        command = (build_dir / "dbhealthd", "check", INTERVAL, "--checks", checks, *words)
        url = {"DATABASE_URL": postgres.url()}
        return Terminal(command, columns, lines, **{**url, **PATIENT, **environment})

    return make


# On a terminal


def test_the_table_changes_in_place(watch, fault, postgres):
    with polite_to(postgres), watch() as terminal:
        terminal.wait_shows(r"Z  well  postgres://probe:\*\*\*@")
        head, blank, *table = terminal.shown()
        assert blank == ""
        assert re.fullmatch(r"CHECK  VERDICT   CHANGED      TIME  DETAIL", table[0])
        assert [line.split()[:3] for line in table[1:4]] == [
            ["alive", "pass", "-"],
            ["roles", "pass", "-"],
            ["spare", "warn", "-"],
        ]
        assert not any(table[4:])
        fault.make()
        terminal.wait_shows(r"  not well  (.|\n)*\nroles  fail   .*\ds ago .* ms  n 1 > 0\n")
        fault.mend()
        terminal.wait_shows(r"  well  (.|\n)*\nroles  pass   .*\ds ago .* ms\n")
        terminal.type("\x03")
        assert terminal.wait_ends() == WELL
        assert terminal.is_as_before()
        assert terminal.shown()[1].startswith("alive  pass")  # The last table stays.
        assert "\x1b[2J" not in terminal.received  # That flickers.


@pytest.mark.parametrize("number", ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"))
def test_every_end_gives_the_terminal_back_and_says_how_it_was(watch, fault, number):
    fault.make()
    with watch() as terminal:
        terminal.wait_shows("not well")
        assert not terminal.is_as_before()
        terminal.process.send_signal(signal.Signals[number])
        assert terminal.wait_ends() == UNWELL
        assert terminal.is_as_before()
        assert not in_session(terminal.process.pid)


def test_ctrl_z_gives_the_terminal_back_for_a_while(watch):
    with watch() as terminal:
        terminal.wait_shows("  well  ")
        terminal.process.send_signal(signal.SIGTSTP)  # Ctrl-Z does nothing without a shell above.
        _, status = os.waitpid(terminal.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        wait_until(terminal.is_as_before, "the terminal is as before")
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_shows("  well  ")
        assert not terminal.is_as_before()
        terminal.type("\x03")
        assert terminal.wait_ends() == WELL
        assert terminal.is_as_before()


def test_it_fits_whatever_the_window_is_made(watch, fault, postgres):
    fault.make()
    name = f"probe:***@127.0.0.1:{postgres.port}"
    with watch() as terminal:
        terminal.wait_shows(rf"not well  postgres://{re.escape(name)}/")
        terminal.resize(44, 10)
        terminal.wait_shows(r"\nroles  fail .* ms\n    n 1 > 0\nspare")
        cut = f"00:00:00Z  not well  postgres://{name}/postgres"[:44].removeprefix("00:00:00Z")
        terminal.wait_shows(rf"^\S{{9}}{re.escape(cut)}\n")
        terminal.resize(44, 6)
        terminal.wait_shows(r"\nroles  fail .* ms\n2 more, 1 of them not well")
        terminal.resize(5, 3)
        terminal.resize(200, 50)
        terminal.wait_shows(r"\nroles  fail .* ms  n 1 > 0\n")
        terminal.type("\x03")
        assert terminal.wait_ends() == UNWELL


def test_a_server_that_does_not_answer_is_waited_for_in_sight(watch, new_postgres):
    server = new_postgres()
    with server.paused(), watch(DATABASE_URL=server.url()) as terminal:
        terminal.wait_shows(r"^asking for [1-9]\d* s  postgres://")
        terminal.type("\x03")
        assert terminal.wait_ends() == UNWELL  # Nothing is known.
        assert terminal.is_as_before()


def test_keys_do_not_show(watch):
    with watch() as terminal:
        terminal.wait_shows("  well  ")
        terminal.type("some keys")
        terminal.resize(100, 24)
        terminal.wait_shows("CHECK ")
        assert "some" not in terminal.received
        terminal.type("\x03")
        terminal.wait_ends()


def test_colours_are_wanted_or_not(watch):
    for no_color, coloured in (("", True), ("1", False)):
        with watch(NO_COLOR=no_color) as terminal:
            terminal.wait_shows("  well  ")
            terminal.type("\x03")
            terminal.wait_ends()
            assert ("\x1b[32mpass" in terminal.received) == coloured


def test_a_terminal_that_cannot_redraw_gets_lines(watch):
    with watch("alive", TERM="dumb") as terminal:
        terminal.wait_shows(rf"^{TIME} alive pass\n")
        terminal.type("\x03")
        assert terminal.wait_ends() == WELL
        assert "\x1b[?" not in terminal.received


# In a pipe


def test_each_change_is_a_line(program, checks, fault, postgres):
    words = ("check", INTERVAL, "--checks", checks)
    with program.running(*words, DATABASE_URL=postgres.url(), **PATIENT) as watching:
        watching.wait_shows("spare warn: n 2 > 1\n")
        fault.make()
        watching.wait_shows("roles fail: n 1 > 0\n")
        fault.mend()
        wait_until(lambda: watching.output().count("roles pass\n") == 2, "it passes again")
        watching.process.send_signal(signal.SIGINT)
        ended = watching.wait()
    assert (ended.status, ended.errors) == (WELL, "")
    assert [re.sub(rf"^{TIME} ", "", line) for line in ended.lines] == [
        "alive pass",
        "roles pass",
        "spare warn: n 2 > 1",
        "roles fail: n 1 > 0",
        "roles pass",
    ]


def test_nohup_keeps_it_when_the_terminal_goes(build_dir, checks, fault, postgres):
    words = ("check", INTERVAL, "--checks", checks)
    program = Program(build_dir, under=("nohup",))
    with program.running(*words, DATABASE_URL=postgres.url(), **PATIENT) as watching:
        watching.wait_shows("roles pass\n")
        watching.process.send_signal(signal.SIGHUP)
        fault.make()
        watching.wait_shows("roles fail: n 1 > 0\n")
        watching.process.send_signal(signal.SIGINT)
        assert watching.wait().status == UNWELL


def test_the_servers_own_words_are_in_the_line(program, closed_port):
    url = {"DATABASE_URL": f"mysql://probe:x@127.0.0.1:{closed_port}/"}
    with program.running("check", "alive", INTERVAL, **url) as watching:
        watching.wait_shows("alive fail: refused: ")
        watching.process.terminate()
        ended = watching.wait()
    assert ended.status == UNWELL
    assert re.fullmatch(rf"{TIME} alive fail: refused: .* \[.*\]", ended.lines[0])


def test_each_round_is_a_line_of_json(program, checks, fault, postgres):
    words = ("check", INTERVAL, "--checks", checks, "--format", "json")
    with program.running(*words, DATABASE_URL=postgres.url(), **PATIENT) as watching:
        watching.wait_shows('"status":"warn"')
        fault.make()
        watching.wait_shows('"status":"fail"')
        watching.process.send_signal(signal.SIGINT)
        ended = watching.wait()
    assert ended.status == UNWELL
    rounds = [parse_document(line) for line in ended.lines]
    assert {rounds[0]["status"], rounds[-1]["status"]} == {"warn", "fail"}
    assert rounds[-1]["checks"]["roles"][0]["output"] == "n 1 > 0"


def test_a_reader_that_leaves_ends_it(program, checks, postgres):
    """As in `dbhealthd check --watch | head -1`."""
    out, into = os.pipe()
    os.close(out)
    url = {"DATABASE_URL": postgres.url()}
    words = ("check", INTERVAL, "--checks", checks)
    with os.fdopen(into, "w") as pipe:
        ended = program.run(*words, stdout=pipe, **url)
    assert ended.status in (USAGE, -signal.SIGPIPE)


# Each round asks anew


def test_a_round_asks_anew_unless_the_check_says_how_often(program, counter, tmp_path):
    checks = tmp_path / "checks"
    checks.mkdir()
    (checks / "often.sql").write_text(sql.check(counter.taking(), writes="yes"))
    words = ("check", INTERVAL, "--format", "json", "--checks", checks)
    with program.running(*words, DATABASE_URL=counter.server.url(), **PATIENT) as watching:
        wait_until(lambda: watching.output().count("\n") >= 3, "three rounds")
        watching.process.terminate()
        rounds = len(watching.wait().lines)
    runs = counter.value()
    assert runs in (rounds, rounds + 1)  # The end may have cut one short.
    (checks / "often.sql").write_text(sql.check(counter.taking(), writes="yes", cache="1h"))
    with program.running(*words, DATABASE_URL=counter.server.url(), **PATIENT) as watching:
        wait_until(lambda: watching.output().count("\n") >= 3, "three rounds")
        watching.process.terminate()
        watching.wait()
    assert counter.value() == runs + 1


# Usage


def test_nothing_is_watched_that_no_round_can_mend(program):
    ended = program.run("check", "--watch")
    assert ended.status == USAGE
    assert "DATABASE_URL: not set" in ended.errors
    assert all(" unknown: config: " in line for line in ended.lines)


@pytest.mark.parametrize("value", ("", "5", "0s", "99ms", "1y"))
def test_a_bad_interval_is_2(program, value):
    ended = program.run("check", f"--watch={value}")
    assert (ended.status, ended.output) == (USAGE, "")
    assert ended.errors.startswith("dbhealthd: --watch: ")
