"""`check --watch` on a terminal and in a pipe, with a server whose state changes."""

import os
import re
import signal

import processes
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
PROCESS_1 = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
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
        assert terminal.shown()[3].startswith("alive  pass")  # The last table stays.
        assert "\x1b[2J" not in terminal.received  # That flickers.


@pytest.mark.parametrize("above", (1, 20, 60))
def test_what_stood_on_the_terminal_before_stays(build_dir, checks, postgres, above):
    """Wherever the table begins, it is there once."""
    said = "\n".join(f"line {number}" for number in range(1, above + 1))
    command = (build_dir / "dbhealthd", "check", INTERVAL, "--checks", checks)
    words = ("sh", "-c", 'echo "$0"; exec "$@"', said, *command)
    with Terminal(words, DATABASE_URL=postgres.url(), **PATIENT) as terminal:
        terminal.wait_shows("  well  ")
        began = terminal.shown()
        wait_until(lambda: terminal.shown() != began, "the clock goes on")
        head, *table = [line for line in terminal.shown() if line and not line.startswith("line ")]
        assert re.fullmatch(r"\d\d:\d\d:\d\dZ  well  postgres://.*", head)
        assert [line.split()[0] for line in table] == ["CHECK", "alive", "roles", "spare"]
        before = [line for line in terminal.shown() if line.startswith("line ")]
        assert before == said.splitlines()[-len(before) :]
        assert len(before) >= min(above, 24 - 7)


@pytest.mark.parametrize(
    "number, status",
    (("SIGINT", UNWELL), ("SIGTERM", UNWELL), ("SIGHUP", UNWELL), ("SIGQUIT", -signal.SIGQUIT)),
)
def test_every_end_leaves_the_terminal_as_it_was(watch, fault, number, status):
    fault.make()
    with watch() as terminal:
        terminal.wait_shows("not well")
        terminal.process.send_signal(signal.Signals[number])
        assert terminal.wait_ends() == status
        assert terminal.is_as_before()
        wait_until(lambda: not in_session(terminal.process.pid), "its probers end")


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
        terminal.wait_shows(r"^\d\d:\d\d:\d\dZ  asking  postgres://")
        terminal.type("\x03")
        assert terminal.wait_ends() == UNWELL  # Nothing is known.
        assert terminal.is_as_before()


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


@pytest.mark.parametrize("number", ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"))
def test_a_signal_that_its_starter_ignores_ends_nothing(
    build_dir, checks, fault, postgres, number
):
    """As SIGINT is for what a script runs in its background."""
    words = ("check", INTERVAL, "--checks", checks)
    program = Program(build_dir, under=("env", f"--ignore-signal={number}"))
    with program.running(*words, DATABASE_URL=postgres.url(), **PATIENT) as watching:
        watching.wait_shows("roles pass\n")
        watching.process.send_signal(signal.Signals[number])
        fault.make()
        watching.wait_shows("roles fail: n 1 > 0\n")
        watching.process.send_signal(signal.SIGTERM if number != "SIGTERM" else signal.SIGINT)
        assert watching.wait().status == UNWELL


@pytest.mark.parametrize("number", ("SIGINT", "SIGTERM", "SIGHUP"))
def test_process_1_of_a_container_ends(build_dir, checks, postgres, number):
    """The kernel spares that one a signal for which it has no handler."""
    words = ("check", INTERVAL, "--checks", checks)
    program = Program(build_dir, under=PROCESS_1)
    with program.running(*words, DATABASE_URL=postgres.url(), **PATIENT) as watching:
        watching.wait_shows("roles pass\n")
        [first] = processes.children(watching.process.pid)
        os.kill(first, signal.Signals[number])
        assert watching.wait().status == WELL


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
