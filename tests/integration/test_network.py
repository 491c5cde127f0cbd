"""The network between the adapter and its server, and the service that knows the server's name: a
network of the tests' own, where packets get lost and names are not to be had."""

import itertools
import socket
import threading

import pytest
import servers
import sql
from fakes import Queue
from loopback import Loopback
from network import HOSTS, Names, Wire, under_names
from test_verdicts import DEAD, WELL, observed

PORTS = itertools.count(5000)  # On hosts of our own.
QUICK = {"DBHEALTH_CACHE": "0s", "DBHEALTH_TIMEOUT": "600ms"}
TIMEOUT = (DEAD, ["timeout", "timeout"])
UNREACHABLE = (DEAD, ["unreachable", "unreachable"])
FINE = (WELL, ["", ""])
ENGINES = ("postgres", "mariadb")  # One for each library.


@pytest.fixture(scope="module")
def wire():
    with Wire() as wire:
        yield wire


@pytest.fixture(params=ENGINES)
def server(request):
    return request.getfixturevalue(request.param)


def forward(loopback, server, host="127.0.0.1"):
    port = next(PORTS)
    loopback.forward(port, server, host)
    return port


@pytest.mark.parametrize("lost", ("there", "back"))
def test_packets_that_are_lost(wire, postgres, mariadb, adapter, lost):
    """Nobody is told of them. Once they arrive again it is well, not when the kernel thinks so."""
    adapters = []
    for server in (postgres, mariadb):
        url = server.url(host=HOSTS[1], port=forward(wire.far, server, HOSTS[1]))
        adapters.append(adapter(url, under=wire.near.under, **QUICK))
        assert wire.near.run(lambda: observed(adapters[-1])) == FINE
    with wire.losing(there=lost == "there", back=lost == "back"):
        for a in adapters:
            assert wire.near.run(lambda: observed(a)) == TIMEOUT
            assert last_line(a, "alive") == last_line(a, "accepting") == ("fail", "timeout", "open")
        threading.Event().wait(2.5)  # The kernel has tried after 3 s by then; after 7 is its next.
    for a in adapters:
        servers.wait_until(lambda: wire.near.run(a.statuses) == WELL, "it is well again", limit=3)
        assert [line["to"] for line in a.transitions("alive")] == ["pass", "fail", "pass"]


def test_packets_that_are_lost_in_mid_query(wire, server, adapter):
    slow = sql.check(sql.sleep(server, 0.7), timeout="1.5s")
    url = server.url(host=HOSTS[1], port=forward(wire.far, server, HOSTS[1]))
    checks = {"alive": sql.alive(), "accepting": slow}
    a = adapter(url, checks=checks, under=wire.near.under, DBHEALTH_CACHE="0s")
    assert wire.near.run(a.statuses) == WELL
    answer = wire.near.run(lambda: a.get_later("/readyz"))
    servers.wait_until(lambda: sql.sleeping(server), "the check runs")
    with wire.losing():
        assert answer().status == 503
        assert last_line(a, "accepting") == ("fail", "timeout", "run")
    servers.wait_until(lambda: wire.near.run(a.statuses) == WELL, "it is well again")


def last_line(adapter, check):
    line = adapter.transitions(check)[-1]
    return line["to"], line["outcome"], line["stage"]


# Names

NAME = "database.test"
BAD_NAMES = {"silent": TIMEOUT, "refuse": UNREACHABLE, "none": UNREACHABLE}


@pytest.fixture
def host():
    with Loopback() as host:
        yield host


@pytest.fixture
def naming(host, tmp_path):
    return under_names(host, tmp_path)


@pytest.mark.parametrize("answer", BAD_NAMES)
def test_a_name_that_is_not_to_be_had(host, naming, server, adapter, answer):
    port = forward(host, server)
    with Names(host, ("127.0.0.1",)) as names:
        a = adapter(server.url(host=NAME, port=port), under=naming, **QUICK)
        assert host.run(lambda: observed(a)) == FINE
        names.answer = answer
        assert host.run(lambda: observed(a)) == BAD_NAMES[answer]
        assert last_line(a, "alive")[2] == "open"
        names.answer = ("127.0.0.1",)
        servers.wait_until(lambda: host.run(a.statuses) == WELL, "it is well again")
        assert [line["to"] for line in a.transitions("alive")] == ["pass", "fail", "pass"]


@pytest.mark.parametrize("addresses", [("127.0.0.1", "127.0.0.2"), ("127.0.0.2", "127.0.0.1")])
def test_a_name_with_an_address_that_says_nothing(host, naming, server, adapter, addresses):
    """The other one is tried after a second, whichever comes first."""
    port = forward(host, server)
    silent = host.run(lambda: Queue(socket.AF_INET, ("127.0.0.2", port)))
    with Names(host, addresses), silent:
        a = adapter(server.url(host=NAME, port=port), under=naming, DBHEALTH_CACHE="0s")
        assert host.run(lambda: observed(a)) == FINE
