"""What a service manager is told on its socket, by the protocol of sd_notify(3)."""

import contextlib
import signal
import socket

import processes
import pytest

SOON = 20  # Seconds.


@pytest.fixture(params=("a path", "an abstract name"))
def manager(request, tmp_path):
    """Its socket, and the name of that."""
    name = str(tmp_path / "notify") if request.param == "a path" else f"@{tmp_path}/notify"
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listening:
        listening.bind(name.replace("@", "\0"))
        listening.settimeout(SOON)
        yield listening, name


def told(listening):
    return listening.recv(4096).decode().split("\n")


def test_it_is_ready_when_it_listens_and_stopping_when_it_drains(adapter, postgres, manager):
    listening, name = manager
    a = adapter(postgres.url(), NOTIFY_SOCKET=name, DBHEALTH_DRAIN="1h")
    assert "READY=1" in told(listening)
    assert a.status_of("/livez") == 200
    a.signal(signal.SIGTERM)
    assert "STOPPING=1" in told(listening)
    a.signal(signal.SIGTERM)
    assert a.wait() == 0
    assert told(listening) == ["STOPPING=1"]


def test_a_server_that_took_anothers_place_is_ready_too(adapter, postgres, manager):
    listening, name = manager
    a = adapter(postgres.url(), NOTIFY_SOCKET=name)
    assert "READY=1" in told(listening)
    processes.send(a.server, signal.SIGKILL)
    assert "READY=1" in told(listening)


def test_the_watchdog_is_fed_while_the_server_lives(adapter, postgres, manager):
    listening, name = manager
    a = adapter(postgres.url(), NOTIFY_SOCKET=name, WATCHDOG_USEC="200000")
    assert "READY=1" in told(listening)
    for _ in range(3):
        assert told(listening) == ["WATCHDOG=1"]
    processes.send(a.server, signal.SIGSTOP)
    listening.settimeout(2)
    with pytest.raises(TimeoutError):
        while True:  # What had been told by then, and no more.
            told(listening)
    processes.send(a.server, signal.SIGCONT)
    assert told(listening) == ["WATCHDOG=1"]
