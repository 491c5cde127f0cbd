"""A prober program before it is a prober: what its children share, and what they must not."""

import os
import signal

import pytest
from fakes import Fake, my_greeting, my_read, pg_message
from servers import wait_until
from wire import ForkServer, Prober

URLS = {"postgres": "postgres://u:secret@127.0.0.1:{}/", "mysql": "mysql://u:secret@127.0.0.1:{}/"}


@pytest.fixture(params=URLS)
def kind(request):
    return request.param


@pytest.fixture
def fork_server(program_of):
    """fork_server(kind, port, parameters) starts a program that must end well."""
    started = []

    def start(kind, port=1, parameters=""):
        started.append(ForkServer(program_of(kind), URLS[kind].format(port) + parameters))
        return started[-1]

    yield start
    for server in started:
        if server.control.fileno() >= 0:
            server.end()
        assert server.output() == ""


@pytest.fixture
def bear(program_of):
    """bear(fork_server) gives a Prober, which must end well."""
    born = []

    def bear(server):
        born.append(Prober("", fork_server=server))
        return born[-1]

    yield bear
    for prober in born:
        prober.end()


def test_probers_of_one(fork_server, bear, kind):
    server = fork_server(kind)
    first, second = bear(server), bear(server)
    assert len({first.pid, second.pid, server.process.pid}) == 3
    first.kill()
    assert second.open().outcome == "refused"
    third = bear(server)
    server.end()
    for prober in (second, third):
        assert prober.open().outcome == "refused"


def test_is_gone_before_its_probers_are(fork_server, bear, kind):
    server = fork_server(kind)
    prober = bear(server)
    server.kill()
    assert prober.open().outcome == "refused"


@pytest.mark.parametrize("data", [b"\0", b"nonsense"])
def test_a_message_without_a_socket(fork_server, kind, data):
    server = fork_server(kind)
    server.control.send(data)
    assert server.process.wait(10) == 1
    server.control.close()


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE"])
def test_signals_that_are_not_for_us(fork_server, bear, kind, number):
    server = fork_server(kind)
    bear(server)
    os.kill(server.process.pid, signal.Signals[number])
    bear(server)


def test_a_prober_whose_peer_has_gone_at_once(fork_server, kind):
    server = fork_server(kind)
    ours, pid = server.bear()
    ours.close()
    wait_until(lambda: os.waitpid(pid, os.WNOHANG)[0] == pid, "it ends")


# Random bytes


def scram_nonce(client):
    """What a prober sends first when asked for SCRAM."""
    client.receive(int.from_bytes(client.receive(4), "big") - 4)
    client.send(pg_message(b"R", (10).to_bytes(4, "big") + b"SCRAM-SHA-256\0\0"))
    client.receive(1)
    first = client.receive(int.from_bytes(client.receive(4), "big") - 4)
    return first.rpartition(b",r=")[2]


def hello(client):
    """The random bytes of a TLS client hello."""
    return client.receive(5 + 4 + 2 + 32)[-32:]


def pg_hello(client):
    client.receive(8)
    client.send(b"S")
    return hello(client)


def my_hello(client):
    client.send(my_greeting(capabilities=0xFFFFFFFF & ~(1 << 25)))
    my_read(client)
    return hello(client)


RANDOM = {
    "postgres-scram": ("postgres", "?sslmode=disable", scram_nonce),
    "postgres-tls": ("postgres", "?sslmode=require", pg_hello),
    "mysql-tls": ("mysql", "?ssl-mode=REQUIRED", my_hello),
}


@pytest.mark.parametrize(("kind", "parameters", "read"), RANDOM.values(), ids=RANDOM)
def test_no_two_probers_have_the_same_random_bytes(fork_server, bear, kind, parameters, read):
    seen = []
    with Fake(lambda client: seen.append(read(client))) as fake:
        server = fork_server(kind, fake.port, parameters)
        for _ in range(3):
            prober = bear(server)
            for _ in range(2):
                prober.open()
    assert len(seen) == len(set(seen)) == 6, seen
    assert all(len(piece) >= 24 for piece in seen), seen
