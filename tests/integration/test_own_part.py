"""What is the adapter's own doing must not be laid at the server's door: a stall of the adapter
itself, and checks whose runs have to be killed again and again."""

import signal
import threading
import time

import pytest
import sql
from adapter import AS_SHIPPED
from servers import wait_until

SLEEPERS = (
    "SELECT pid FROM pg_stat_activity WHERE state = 'active'"
    " AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
)
STALLS = (0.85, 1.0, 1.2, 2.0)  # Seconds: around the timeout of 0.8 and the deadline of 0.9.


@pytest.mark.parametrize("stall", STALLS)
def test_a_stall_of_the_adapter_is_never_the_servers_silence(adapter, postgres, stall):
    """Stopped in the middle of a request, at whatever point of it."""
    a = adapter(postgres.url(), DBHEALTH_CACHE="0s", **AS_SHIPPED)
    a.wait_status("/healthz", 200)
    for _ in range(4):
        answer = a.get_later("/healthz")
        a.signal(signal.SIGSTOP)
        threading.Timer(stall, a.signal, [signal.SIGCONT]).start()
        assert answer().status == 200, a.log_text()
    assert "fail" not in [line["to"] for line in a.transitions("alive")]


def test_a_frozen_session_costs_the_server_few_others(adapter, new_postgres):
    """Each kill leaves a session behind, until the server notices. Without holding back it would be
    one for every 0.4 s here, 15 in all."""
    postgres = new_postgres()
    checks = {"slow": sql.check("SELECT pg_sleep(30) IS NULL", timeout="400ms")}
    a = adapter(postgres.url(), checks=checks, DBHEALTH_CACHE="0s", **AS_SHIPPED)
    frozen = set()
    end = time.monotonic() + 6
    while time.monotonic() < end:
        answer = a.get_later("/readyz")
        freeze_sleepers(postgres, frozen)
        assert answer().status == 503
    assert 1 <= len(frozen) <= 6, frozen
    shown = a.shown("/readyz")["slow"]
    assert (shown.verdict, shown.code) == ("failed", "timeout")


def freeze_sleepers(postgres, frozen):
    """Stops the sessions that run the slow statement by now, or within 0.1 s."""
    until = time.monotonic() + 0.1
    while time.monotonic() < until:
        for (pid,) in postgres.sql(SLEEPERS):
            if pid not in frozen:
                postgres.pause_backend(pid)
                frozen.add(pid)


def test_an_every_check_does_not_say_for_its_period_that_there_was_no_server(adapter, new_postgres):
    """A native sidecar starts before its database."""
    postgres = new_postgres()
    postgres.stop()
    a = adapter(postgres.url(), checks={"seldom": sql.check(every="1h")}, DBHEALTH_CACHE="200ms")
    a.wait_status("/readyz", 503)
    postgres.start()
    a.wait_status("/readyz", 200)
    wait_until(lambda: a.transitions("seldom")[-1]["to"] == "pass", "a line of the recovery")
