"""Signals and the end: draining, polite goodbyes, and being process 1 of a container."""

import contextlib
import os
import signal
import subprocess
import time

import processes
import pytest
import sql
from adapter import AS_SHIPPED
from raw_http import connect, read_answer
from servers import wait_until

WELL = (200, 200, 200, 200)
DRAINING = (200, 503, 200, 200)
LONG = {"DBHEALTH_DRAIN": "1h"}  # As good as for ever: what ends sooner did so for its reason.


def terminate(adapter):
    adapter.signal(signal.SIGTERM)
    wait_until(lambda: adapter.messages("draining"), "it drains")


# SIGTERM


def test_readiness_fails_and_liveness_does_not_while_it_drains(adapter, server):
    a = adapter(server.url(), **LONG)
    assert a.statuses() == WELL
    terminate(a)
    for _ in range(5):
        assert a.statuses() == DRAINING
    assert a.status_of("/") == 503
    assert a.status_of("/readyz/accepting") == 200
    body = a.get("/readyz").body
    assert body.startswith("[+]accepting ok\n")
    assert body.endswith("[-]drain failed: the adapter is draining\nreadyz check failed\n")
    assert not a.ended()


def test_it_drains_for_as_long_as_set_and_exits_with_0(adapter, postgres):
    a = adapter(postgres.url(), DBHEALTH_DRAIN="1s")
    began = time.monotonic()
    terminate(a)
    assert a.status_of("/readyz") == 503
    assert a.wait() == 0
    assert time.monotonic() - began >= 1
    assert a.lines()[-1]["msg"] == "ending"


def test_no_drain_ends_at_once(adapter, postgres):
    a = adapter(postgres.url(), DBHEALTH_DRAIN="0s")
    a.signal(signal.SIGTERM)
    assert a.wait() == 0
    assert not a.messages("draining")


@pytest.mark.parametrize("end", ("stop", "kill9"))
def test_the_drain_ends_when_the_database_has_gone(adapter, new_mariadb, end):
    server = new_mariadb()
    a = adapter(server.url(), **LONG)
    terminate(a)
    assert a.statuses() == DRAINING
    getattr(server, end)()
    assert a.wait() == 0


def test_the_drain_does_not_wait_for_a_database_that_had_gone_before(adapter, closed_port):
    a = adapter(f"postgres://probe@127.0.0.1:{closed_port}/", **LONG)
    a.signal(signal.SIGTERM)
    assert a.wait() == 0


def test_the_drain_goes_on_while_the_database_is_merely_ill(adapter, mariadb):
    a = adapter(mariadb.url(password="wrong"), DBHEALTH_DRAIN="1s")
    began = time.monotonic()
    terminate(a)
    assert a.wait() == 0
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize("second", (signal.SIGTERM, signal.SIGINT))
def test_a_second_signal_ends_the_drain(adapter, postgres, second):
    a = adapter(postgres.url(), **LONG)
    terminate(a)
    a.signal(second)
    assert a.wait() == 0


# Other signals


def test_sigint_does_not_drain(adapter, postgres):
    a = adapter(postgres.url(), **LONG)
    a.signal(signal.SIGINT)
    assert a.wait() == 0
    assert not a.messages("draining")


@pytest.mark.parametrize("number", (signal.SIGHUP, signal.SIGPIPE))
def test_signals_that_end_nothing(adapter, postgres, number):
    a = adapter(postgres.url())
    a.signal(number)
    assert a.statuses() == WELL


def test_a_signal_to_all_processes_is_as_one_to_the_adapter(adapter, mariadb):
    """As Ctrl-C in a terminal: the prober still says goodbye."""
    slow = sql.check(sql.sleep(mariadb, 0.1), endpoints="none", every="100ms", timeout="5s")
    wait_until(lambda: mariadb.connections() == 0, "sessions of other tests end")
    before = mariadb.status("Aborted_clients")
    a = adapter(mariadb.url(), checks={"slow": slow, "alive": sql.alive()})
    assert a.status_of("/healthz") == 200
    wait_until(lambda: sql.sleeping(mariadb), "the check runs")
    os.killpg(a.pid, signal.SIGINT)
    assert a.wait() == 0
    wait_until(lambda: mariadb.connections() == 0, "its sessions end")
    assert mariadb.status("Aborted_clients") == before


# Requests and connections that are there at the end


def test_a_request_that_waits_is_answered_at_the_end(adapter, postgres):
    a = adapter(postgres.url())
    with postgres.paused():
        answer = a.get_later("/readyz")
        wait_until(a.probers, "the check runs")
        a.signal(signal.SIGINT)
        assert answer().status == 503
        assert a.wait() == 0


def test_open_connections_do_not_hold_the_end_up(adapter, postgres):
    a = adapter(postgres.url())
    with contextlib.ExitStack() as opened:
        for request in (b"", b"GET /hea", b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n") * 20:
            client = opened.enter_context(connect(a.port))
            client.sendall(request)
            if request.endswith(b"\r\n\r\n"):
                assert read_answer(client).status == 200
        a.signal(signal.SIGINT)
        assert a.wait() == 0


def test_it_ends_while_a_login_hangs(adapter, postgres):
    a = adapter(postgres.url(), **AS_SHIPPED)
    with postgres.paused():
        wait_until(lambda: a.statuses() == (503, 503, 503, 200), "it is seen to hang")
        a.signal(signal.SIGINT)
        assert a.wait() == 0


# The drain file


def test_the_drain_file(adapter, postgres, tmp_path):
    file = tmp_path / "drain"
    a = adapter(postgres.url(), DBHEALTH_DRAIN_FILE=str(file))
    for _ in range(3):
        assert a.statuses() == WELL
        file.touch()
        assert a.statuses() == DRAINING
        file.unlink()


# Process 1


@pytest.fixture
def process_1(start_adapter):
    """process_1(url) starts an adapter as process 1 of a PID namespace of its own, which ends with
    it, and with unshare."""

    def start(url, **options):
        under = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
        a = start_adapter(url, under=under, **options).wait_serving()
        [a.pid] = processes.children(a.process.pid)
        return a

    return start


def test_process_1_drains_and_exits_with_0(process_1, postgres):
    a = process_1(postgres.url(), DBHEALTH_DRAIN="1s")
    assert a.statuses() == WELL
    terminate(a)
    assert a.statuses() == DRAINING
    a.end()


def test_process_1_reaps_its_probers(process_1, postgres):
    a = process_1(postgres.url(), DBHEALTH_CACHE="0s")
    for _ in range(5):
        for pid in a.probers():
            processes.kill(pid)
        wait_until(lambda: a.statuses() == WELL, "it is well")
    wait_until(lambda: not processes.zombies(a.pid), "the dead are reaped")
    a.end()


def test_process_1_reaps_what_others_leave(process_1, postgres):
    """Whoever runs a command in a container leaves orphans to process 1."""
    a = process_1(postgres.url())
    assert a.statuses() == WELL
    orphan = ("nsenter", "--target", str(a.pid), "--pid", "sh", "-c", "sleep 0.1 & sleep 0.05")
    for _ in range(3):
        subprocess.run(orphan, check=True)
    wait_until(lambda: len(processes.children(a.pid)) == 3, "the orphans end")
    wait_until(lambda: not processes.zombies(a.pid), "the orphans are reaped")
    a.end()
