"""The log: a line per transition and none per success, no secret, one line whatever a server says,
and never a wait for who reads it."""

import contextlib
import fcntl
import os
import re
import select
import threading

import faults
import processes
import pytest
import sql
from adapter import ENDPOINTS, parse_line
from exposition import Metrics
from servers import PASSWORDS, wait_until

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TWO = {"alive": sql.alive(), "accepting": sql.check()}
FORMATS = ("logfmt", "json")
PIPE = 16384  # Bytes.
QUICK = {"DBHEALTH_CACHE": "0s"}


@pytest.mark.parametrize("form", FORMATS)
def test_a_transition_is_one_line(adapter, mariadb, form):
    a = adapter(mariadb.url(password="wrong"), checks=TWO, DBHEALTH_LOG_FORMAT=form)
    assert a.status_of("/readyz") == 503
    [line] = a.transitions()
    assert TIME.fullmatch(line.pop("time"))
    assert 0 <= int(line.pop("duration_ms")) < 10_000
    assert line.pop("message").startswith("Access denied for user 'probe'@")
    assert re.fullmatch(r"denied for \d+\.\d s; next try in \d+\.\d s", line.pop("reason"))
    assert line == {
        "level": "warn",
        "msg": "check changed",
        "check": "accepting",
        "from": "unknown",
        "to": "fail",
        "outcome": "denied",
        "errno": "1045",
        "stage": "open",
        "meaning": "the server refused the probe user",
        "advice": "check user, password, database and grants of the probe user, and whether the server"
        " demands TLS",
    }
    assert a.log_text().count("\n") == len(a.lines())


@pytest.mark.parametrize("form", FORMATS)
def test_a_rule_that_holds_is_in_the_line(adapter, postgres, form):
    checks = {"lag": sql.check('SELECT 45 AS "lag"', fail="lag > 30")}
    a = adapter(postgres.url(), checks=checks, DBHEALTH_LOG_FORMAT=form)
    assert a.status_of("/readyz") == 503
    [line] = a.transitions()
    assert (line["outcome"], line["reason"], line["stage"]) == ("failed", "lag 45 > 30", "run")


def test_the_first_line_says_what_is_served(adapter, postgres):
    checks = {"one": sql.check(), "two": sql.check()}
    a = adapter(postgres.url(), checks=checks, DBHEALTH_LOG_FORMAT="json")
    line = a.lines()[0]
    target = f"postgres://probe:***@127.0.0.1:{postgres.port}/postgres"
    assert (line["msg"], line["port"], line["target"]) == ("serving", a.port, target)
    assert (line["checks"], line["problems"]) == (2, 0)


def test_success_is_silent(adapter, postgres):
    """But at `debug`, which is for the steps of each probe."""
    a = adapter(postgres.url(), DBHEALTH_CACHE="0s")
    assert a.statuses() == (200, 200, 200, 200)
    before = a.log_text()
    for _ in range(50):
        assert a.statuses() == (200, 200, 200, 200)
    assert a.log_text() == before


def test_debug_shows_each_step_of_a_probe(adapter, postgres):
    a = adapter(postgres.url(), checks={"one": sql.check()}, DBHEALTH_LOG_LEVEL="debug")
    assert a.status_of("/readyz") == 200
    steps = [(line["from"], line["to"]) for line in a.messages("prober goes on")]
    assert steps[:3] == [("idle", "opening"), ("opening", "running"), ("running", "idle")]
    assert [line["verb"] for line in a.messages("call sent")] == ["open", "run"]
    replies = a.messages("reply came")
    assert [(line["verb"], line["outcome"]) for line in replies] == [("open", "ok"), ("run", "ok")]


def test_a_fault_that_lasts_is_one_line(adapter, postgres):
    a = adapter(postgres.url(password="wrong"), DBHEALTH_CACHE="0s")
    for _ in range(20):
        assert a.status_of("/readyz") == 503
    assert len(a.transitions()) == 1


@pytest.mark.parametrize("level, lines", (("info", 3), ("warn", 1), ("error", 0)))
def test_levels(start_adapter, mariadb, level, lines, tmp_path):
    a = start_adapter(mariadb.url(password="wrong"), checks=TWO, DBHEALTH_LOG_LEVEL=level)
    wait_until(lambda: processes.listening_port(a.server), "the adapter serves")
    a.port = processes.listening_port(a.server)
    assert a.status_of("/readyz") == 503
    assert len(a.lines()) == lines
    a.end()


# What others say


HOSTILE = "two\nlines\r\n\x1b[31mred\x07 quote\" back\\ bell\u0085\u202e\u2028 end=1"


@pytest.mark.parametrize("form", FORMATS)
def test_a_servers_words_are_one_clean_line(adapter, postgres, form):
    checks = {"hostile": sql.check(sql.raising(HOSTILE))}
    a = adapter(postgres.url(), checks=checks, DBHEALTH_LOG_FORMAT=form)
    body = a.get("/readyz").body
    [line] = a.transitions("hostile")
    assert "two lines" in line["message"] and "end=1" in line["message"]
    assert 'quote" back\\ bell' in line["message"]
    assert re.fullmatch(r"[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]*", line["message"])
    assert "\x1b" not in a.log_text() and "\u202e" not in a.log_text()
    assert "two lines" not in body and "bell" not in body


@pytest.mark.parametrize("form", FORMATS)
def test_a_long_message_makes_a_line_of_4_kib_at_most(adapter, postgres, form):
    checks = {"long": sql.check(sql.raising('"\\', 20_000))}
    a = adapter(postgres.url(), checks=checks, DBHEALTH_LOG_FORMAT=form)
    assert a.status_of("/readyz") == 503
    assert max(len(line) for line in a.log_text().encode().splitlines(True)) <= 4096
    [line] = a.transitions("long")
    assert line["outcome"] == "server_error"


# Secrets


@pytest.mark.parametrize("where", ("url", "password-file", "url-file"))
def test_no_secret_anywhere(adapter, server, tmp_path, where):
    """Through a login that works, one that fails, and a URL that is wrong."""
    secret = PASSWORDS["probe"]
    for number, word in enumerate((secret, f"not-{secret}", f"{secret}@{secret}:{secret}")):
        file = tmp_path / f"{where}-{number}"
        url = server.url(password="").replace("probe:", f"probe:{word}")
        options = {"url": url}
        if where == "password-file":
            file.write_text(word)
            options = {"url": server.url(password=""), "DATABASE_PASSWORD_FILE": str(file)}
        elif where == "url-file":
            file.write_text(url)
            options = {"DATABASE_URL_FILE": str(file)}
        a = adapter(**options, DBHEALTH_LOG_LEVEL="debug")
        bodies = [a.get(f"{path}?verbose").body for path in ENDPOINTS]
        command_lines = [processes.command_line(pid) for pid in a.tree()]
        assert secret not in a.log_text() + "".join(bodies) + str(command_lines)


# A reader that doesn't read


def port_in(descriptor):
    """Reads the lines of a start, up to the last of them."""
    text = ""
    while not re.search("msg=sandboxed.*\n", text):
        text += os.read(descriptor, PIPE).decode()
    return int(parse_line(text.splitlines()[0])["port"])


@pytest.fixture
def pipe():
    """The ends of a small pipe."""
    reader, writer = os.pipe()
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, PIPE)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, reader)
        stack.callback(os.close, writer)
        yield reader, writer


def test_a_full_pipe_that_nobody_reads(start_adapter, new_mariadb, pipe):
    """The adapter goes on answering, and says afterwards how many lines it has dropped."""
    reader, writer = pipe
    server = new_mariadb()
    a = start_adapter(server.url(), checks=TWO, stderr=writer, DBHEALTH_CACHE="0s")
    a.port = port_in(reader)
    fill(writer)
    for _ in range(20):
        assert a.statuses() == (200, 200, 200, 200)
        with faults.locked_account(server):
            assert a.statuses() == (200, 503, 200, 200)
    os.read(reader, PIPE)
    assert a.statuses() == (200, 200, 200, 200)
    with faults.locked_account(server):
        assert a.statuses() == (200, 503, 200, 200)
    lines = [parse_line(line) for line in os.read(reader, PIPE).decode().splitlines()]
    assert lines[0]["msg"] == "log lines dropped"
    assert int(lines[0]["lines"]) == 2 * 2 * 20
    assert [line["msg"] for line in lines[1:]][:2] == ["check changed"] * 2
    seen = Metrics(a.get("/metrics").body)
    assert seen.value("dbhealthd_log_lines_dropped_total") == 2 * 2 * 20
    a.end()


def fill(writer):
    """Fills the pipe through a description of its own: O_NONBLOCK would be the adapter's too."""
    own = os.open(f"/proc/self/fd/{writer}", os.O_WRONLY | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(own, b".")
    os.close(own)


def may_open(_):
    """What to start an adapter under that gets this descriptor: nothing."""
    return ()


def may_not_open(descriptor):
    """The same, for what it is to write to and not to open again, as if it were another user's."""
    os.fchmod(descriptor, 0)
    return ("setpriv", "--bounding-set=-all")


of_whomever = pytest.mark.parametrize("under", (may_open, may_not_open))


@pytest.fixture
def terminal():
    """The outside and the inside of a terminal."""
    outside, inside = os.openpty()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, outside)
        stack.callback(os.close, inside)
        yield outside, inside


@of_whomever
def test_a_terminal_that_nobody_reads(start_adapter, new_mariadb, terminal, under):
    """It says that there is room when there is less than for a line."""
    outside, inside = terminal
    server = new_mariadb()
    many = {f"check-{i}": sql.check() for i in range(20)}
    a = start_adapter(server.url(), checks=many, under=under(inside), stderr=inside, **QUICK)
    a.port = port_in(outside)
    while dropped(a) < 100:
        assert a.get("/readyz", limit=10).status == 200
        with faults.locked_account(server):
            assert a.get("/readyz", limit=10).status == 503
    read_now(outside)
    wait_until(lambda: tells_of_dropped(a, server, outside), "it tells of that")
    a.end()


def tells_of_dropped(adapter, server, outside):
    """With a transition, and another later."""
    with faults.locked_account(server):
        adapter.wait_status("/readyz", 503)
    adapter.wait_status("/readyz", 200)
    return 'msg="log lines dropped"' in read_now(outside).decode()


def dropped(adapter):
    metrics = Metrics(adapter.get("/metrics", limit=10).body)
    return metrics.value("dbhealthd_log_lines_dropped_total")


def read_now(descriptor):
    """What is there to be read."""
    found = b""
    while select.select([descriptor], [], [], 0)[0]:
        found += os.read(descriptor, 65536)
    return found


@of_whomever
def test_rows_on_a_terminal_that_nobody_reads(start_adapter, postgres, terminal, under):
    """Standard output, of which a check's rows are lines. The loop goes on meanwhile."""
    outside, inside = terminal
    rows = "SELECT i, repeat('x', 300) FROM generate_series(1, 200) i"
    checks = {"rows": sql.check(rows, log="rows", every="100ms"), "alive": sql.alive()}
    a = start_adapter(postgres.url(), checks=checks, under=under(inside), stdout=inside, **QUICK)
    a.wait_serving()
    wait_until(lambda: dropped(a) > 1000, "lines are dropped")
    assert parse_line(read_now(outside).decode().splitlines()[0])["msg"] == "row"
    a.end()


@of_whomever
def test_another_writer_on_the_pipe(start_adapter, new_mariadb, pipe, under):
    """It takes the room that there was a moment ago."""
    reader, writer = pipe
    server = new_mariadb()
    a = start_adapter(server.url(), checks=TWO, under=under(writer), stderr=writer, **QUICK)
    a.port = port_in(reader)
    over = threading.Event()
    others = [threading.Thread(target=keep_full, args=(reader, writer, over)) for _ in range(2)]
    for other in others:
        other.start()
    try:
        for i in range(40):
            with faults.locked_account(server) if i % 2 else contextlib.nullcontext():
                assert a.get("/readyz", limit=10).status == (503 if i % 2 else 200)
    finally:
        over.set()
        for other in others:
            other.join()
    a.end()


def keep_full(reader, writer, over):
    """Makes room for a line, and takes it."""
    own = os.open(f"/proc/self/fd/{writer}", os.O_WRONLY | os.O_NONBLOCK)
    ours = os.open(f"/proc/self/fd/{reader}", os.O_RDONLY | os.O_NONBLOCK)
    while not over.is_set():
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(own, b"." * PIPE)
        with contextlib.suppress(BlockingIOError):
            os.read(ours, PIPE)
    os.close(own)
    os.close(ours)


def test_a_log_that_was_closed(start_adapter, mariadb, pipe):
    """Its reader has gone: no SIGPIPE, no end."""
    reader, writer = os.pipe()
    a = start_adapter(mariadb.url(), stderr=writer, DBHEALTH_CACHE="0s")
    a.port = port_in(reader)
    os.close(reader)
    os.close(writer)
    for _ in range(3):
        assert a.statuses() == (200, 200, 200, 200)
    a.end()
