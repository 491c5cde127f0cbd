"""HAProxy's agent checks, a line each: from the socket, and by HAProxy's own. How they move roles
and readers is in test_haproxy.py; which line is for what, in tests/unit/test_report_agent.c."""

import contextlib
import select
import signal
import socket

import processes
import pytest
from haproxy import HAProxy
from raw_http import connect, exchange, read_all
from servers import Postgres, free_port, wait_until
from sql import Counter

MOST_CLIENTS = 256
HERE = {"DBHEALTH_AGENT_LISTEN": "127.0.0.1:0"}
WEIGHED = {
    "share": "-- endpoints: shared\n-- param: most = 5\n-- fail: a > $most\n"
    "SELECT 1 AS a, 50 AS weight_percent",
    "other": "-- endpoints: shared\nSELECT 1 AS a, 75.4 AS weight_percent",
    "fails": "-- endpoints: bad\n-- fail: a > 0\nSELECT 7 AS a",
    "away": "-- endpoints: elsewhere\n-- skip: a == 1\nSELECT 1 AS a",
    "ready": "SELECT 1",
}
SHARED = "ready up 50%\n"
LINES = [
    (b"shared\n", SHARED),
    (b"shared\r\n", SHARED),
    (b"/shared\n", SHARED),
    (b"shared", SHARED),  # It waits for the rest, but not for long.
    (b"shared\nand more that nobody has asked for", SHARED),
    (b"shared/other\n", "ready up 75%\n"),
    (b"shared?most=1\n", SHARED),
    (b"shared?most=0.5\n", "ready down #share: a 1 > 0.5\n"),
    (b"shared?exclude=share\n", "ready up 75%\n"),
    (b"shared?verbose&format=json\n", SHARED),
    (b"bad\n", "ready down #fails: a 7 > 0\n"),
    (b"elsewhere\n", "maint\n"),
    (b"", "ready up\n"),
    (b"\n", "ready up\n"),
    (b"health\n", "ready up\n"),
    (b"Nothing\n", "ready fail #no such endpoint\n"),
    (b"livez\n", "ready fail #no endpoint of checks\n"),
    (b"metrics\n", "ready fail #no endpoint of checks\n"),
    (b"shared?most=x\n", "ready fail #most: expected a number\n"),
    (b"GET / HTTP/1.0\r\n\r\n", "ready fail #the request's target is no valid URL\n"),
    (b"\x16\x03\x01\x02\x00\x01\x00\n", "ready fail #the request's target is no valid URL\n"),
    (b"x" * 1023 + b"\n", "ready fail #no such endpoint\n"),
    (b"x" * 3000, "ready fail #the line is too long\n"),
]


def ask(adapter, line):
    return exchange(adapter.agent_port, line).decode()


@pytest.fixture
def answering(adapter, postgres):
    return adapter(postgres.url(), checks=WEIGHED, **HERE)


def test_each_line_has_its_answer(answering):
    for line, answer in LINES:
        assert ask(answering, line) == answer, line
    body = answering.get("/metrics").body
    assert 'dbhealthd_agent_answers_total{path="/shared",word="up"} 9\n' in body
    assert 'dbhealthd_agent_answers_total{path="/shared",word="fail"} 1\n' in body
    assert 'dbhealthd_agent_answers_total{path="/readyz",word="up"} 3\n' in body
    assert 'dbhealthd_http_requests_total{path="/shared",code="200"} 0\n' in body


def test_who_is_done_with_sending_need_not_wait_for_the_line_to_end(answering):
    for line, answer in ((b"shared", SHARED), (b"", "ready up\n")):
        with connect(answering.agent_port) as client:
            client.sendall(line)
            client.shutdown(socket.SHUT_WR)
            assert read_all(client).decode() == answer


def test_a_line_that_dribbles_in_is_what_has_come_by_then(answering):
    with connect(answering.agent_port) as client, contextlib.suppress(ConnectionError):
        for letter in b"shared?most=1" * 1000:
            client.sendall(bytes([letter]))
            if select.select([client], [], [], 0.05)[0]:
                break
        assert read_all(client).decode().startswith("ready ")


def test_the_silent_shut_nobody_out(answering):
    with contextlib.ExitStack() as opened:
        for _ in range(MOST_CLIENTS + 50):
            opened.enter_context(connect(answering.agent_port))
        assert ask(answering, b"shared\n") == SHARED
        assert answering.status_of("/readyz") == 200


def test_a_crowd_costs_one_run(adapter, postgres):
    with contextlib.ExitStack() as opened:
        counter = opened.enter_context(Counter(postgres))
        check = f"-- writes: yes\n-- cache: 1h\n{counter.taking(0.2)}"
        a = adapter(postgres.url(), checks={"counted": check}, **HERE)
        clients = [opened.enter_context(connect(a.agent_port)) for _ in range(50)]
        for client in clients:
            client.sendall(b"readyz\n")
        assert {read_all(client) for client in clients} == {b"ready up\n"}
        assert counter.value() == 1


def test_a_server_that_hangs_is_down_by_the_deadline(adapter, new):
    server = new(Postgres)
    a = adapter(server.url(), DBHEALTH_TIMEOUT="300ms", DBHEALTH_DEADLINE="400ms", **HERE)
    wait_until(lambda: ask(a, b"readyz\n") == "ready up\n", "up")
    server.pause_all()
    wait_until(lambda: ask(a, b"readyz\n").startswith("ready down #accepting: timeout: "), "down")
    server.resume()


def test_the_port_outlives_a_crash(answering):
    port, before = answering.agent_port, answering.server
    processes.send(before, signal.SIGKILL)
    assert exchange(port, b"shared\n").decode() == SHARED
    assert answering.server != before


def test_reasons_are_told_where_details_are(adapter, postgres):
    a = adapter(postgres.url(), checks=WEIGHED, DBHEALTH_DETAILS_LISTEN="127.0.0.1:0", **HERE)
    assert ask(a, b"bad?verbose\n") == "ready down #fails\n"
    assert ask(a, b"shared\n") == SHARED


def test_a_port_that_is_taken_is_named(start_adapter, postgres):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        a = start_adapter(postgres.url(), DBHEALTH_AGENT_LISTEN=address)
        assert a.wait() == 2
    assert f"DBHEALTH_AGENT_LISTEN: '{address}': cannot bind" in a.log_text()


CONFIG = """\
global
    stats socket {socket}
    log stdout format raw daemon

defaults
    log global
    mode tcp
    timeout connect 20s
    timeout check 20s
    timeout client 1h
    timeout server 1h
    default-server check port {adapter} agent-check agent-port {agent} agent-inter 200ms

listen plain
    bind 127.0.0.1:{port}
    server db {server}

backend misspelled
    server db {server} agent-send "primry\\n"
"""


def test_haproxy_without_a_word_and_with_a_wrong_one(
    adapter, postgres, tmp_path, log_on_failure, request
):
    file = tmp_path / "drain"
    a = adapter(postgres.url(), DBHEALTH_DRAIN_FILE=str(file), **HERE)
    where = {"server": f"{postgres.host}:{postgres.port}", "adapter": a.port}
    where.update(agent=a.agent_port, port=free_port(), socket=HAProxy.socket_in(tmp_path))
    config = CONFIG.format(**where)
    proxy = HAProxy(tmp_path, config)
    log_on_failure("HAProxy", proxy.log)
    proxy.start()
    request.addfinalizer(proxy.end)
    wait_until(lambda: proxy.states("misspelled") == {"db": "DOWN"}, "it is said to be wrong")
    assert "via agent : fail (no such endpoint)" in proxy.log.read_text()
    for state in ("UP", "DRAIN", "UP"):
        file.touch() if state == "DRAIN" else file.unlink(missing_ok=True)
        wait_until(lambda: proxy.states("plain") == {"db": state}, f"it is {state}")
    assert proxy.downs("plain", "db") == 0
