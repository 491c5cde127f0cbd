"""HTTP over plain sockets, so that a test decides each byte and sees each byte."""

import selectors
import socket
import time
from dataclasses import dataclass, field

from health import parse_document

# What the kubelet sends.
KUBELET = (
    b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: kube-probe/1.36\r\n"
    b"Accept: */*\r\nConnection: close\r\n\r\n"
)


@dataclass
class Answer:
    status: int
    headers: dict = field(repr=False)  # Names in small letters.
    body: str
    rest: bytes = field(default=b"", repr=False)  # What follows the answer.


def connect(port, limit=20, *, tls=None):
    """tls is the ssl.SSLContext to speak with, if not plain text."""
    client = socket.create_connection(("127.0.0.1", port), limit)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if tls is None:
        return client
    try:
        return tls.wrap_socket(client, server_hostname="localhost")
    except BaseException:
        client.close()
        raise


def kubelet(path):
    return KUBELET % path.encode()


def exchange(port, request, *, limit=20, tls=None):
    """Sends the bytes and reads until the server closes."""
    with connect(port, limit, tls=tls) as client:
        client.sendall(request)
        return read_all(client)


def read_all(client):
    received = b""
    while piece := client.recv(65536):
        received += piece
    return received


def read_answer(client, method="GET"):
    """Reads one answer from a connection that stays open."""
    received = b""
    while True:
        answer = parse_answer(received, method=method, complete=False)
        if answer:
            return answer
        piece = client.recv(65536)
        assert piece, f"closed after {received!r}"
        received += piece


def parse_answer(received, method="GET", complete=True):
    """The first answer in the bytes; None if it isn't all there and needn't be. JSON must be as the
    schema has it."""
    head, end, rest = received.partition(b"\r\n\r\n")
    first, _, lines = head.decode("latin-1").partition("\r\n")
    pairs = (line.partition(":") for line in lines.split("\r\n") if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    length = int(headers.get("content-length", 0)) if method != "HEAD" else 0
    if not end or len(rest) < length:
        assert not complete, f"not a whole answer: {received!r}"
        return None
    assert first.startswith("HTTP/1.1 "), first
    body = rest[:length].decode()
    if body and "json" in headers.get("content-type", ""):
        parse_document(body)
    return Answer(int(first.split()[1]), headers, body, rest[length:])


def burst(port, request, count, *, limit=30):
    """Sends the request, which must ask for Connection: close, on count connections at once; all
    are sent before the first answer is read. Gives (answer, seconds since the first) of each."""
    started = time.monotonic()
    clients = []
    for _ in range(count):
        clients.append(connect(port))
        clients[-1].sendall(request)
    return [(parse_answer(raw), at - started) for raw, at in _read_each(clients, started + limit)]


def _read_each(clients, deadline):
    """Reads each connection to its end, in the order in which they end."""
    received = {client: b"" for client in clients}
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, selectors.EVENT_READ)
        while received:
            assert time.monotonic() < deadline, f"{len(received)} are not answered"
            for key, _ in selector.select(1):
                piece = key.fileobj.recv(65536)
                received[key.fileobj] += piece
                if not piece:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                    yield received.pop(key.fileobj), time.monotonic()
