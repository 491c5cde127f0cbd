"""What a proxy before us may read otherwise is 400, and so is what has a PROXY header first: by the
library or by us, whichever version there is. No database is needed."""

import ssl

import pytest
from raw_http import connect, exchange, parse_answer, read_answer
from servers import certificates

GET = b"GET /livez HTTP/1.1\r\n"
HOST = b"Host: h\r\n"
V2 = b"\r\n\r\n\0\r\nQUIT\n"
FOUR = bytes((10, 0, 0, 1, 10, 0, 0, 2, 0x30, 0x39, 0, 80))


def posted(header, body):
    return b"POST /livez HTTP/1.1\r\n" + HOST + header + b"\r\n\r\n" + body


REFUSED = {
    "two lengths": posted(b"Content-Length: 1\r\nContent-Length: 2", b"xx"),
    "two lengths, the first once more": posted(
        b"Content-Length: 1\r\nContent-Length: 2\r\ncontent-length: 1", b"x"
    ),
    "length and chunks": posted(b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    "chunks and length": posted(b"Transfer-Encoding: chunked\r\nContent-Length: 5", b"0\r\n\r\n"),
    "a blank before the colon": GET + b"Host : h\r\n\r\n",
    "a tab before the colon": GET + HOST + b"X\t: y\r\n\r\n",
    "a line folded": GET + HOST + b"X: y\r\n z\r\n\r\n",
    "a line folded by a tab": GET + HOST + b"X: y\r\n\tz\r\n\r\n",
    "the first line folded": GET + b" X: y\r\n" + HOST + b"\r\n",
    "a line folded onto nothing": GET + HOST + b"X: y\r\n \r\n\r\n",
    "a line without a value folded": GET + HOST + b"X:\r\n y\r\n\r\n",
    "a line folded twice": GET + HOST + b"X: y\r\n z\r\n z\r\n\r\n",
    "the host's line folded": GET + b"Host: h\r\n h\r\n\r\n",
    "no host": GET + b"\r\n",
    "a blank in the target": b"GET /livez /x HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n",
}
WELCOME = {
    "HTTP/1.0 without a host": b"GET /livez HTTP/1.0\r\n\r\n",
    "HTTP/1.0 with a host": b"GET /livez HTTP/1.0\r\n" + HOST + b"\r\n",
    "an empty host": GET + b"Host:\r\n\r\n",
    "values with blanks": GET + HOST + b"X:  a b \r\nY:\tc: d\t\r\nZ:\r\n\r\n",
    "one length twice": GET + HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    "chunks": GET + HOST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    "another Accept": GET + HOST + b"Accept: text/plain\r\nAccept: text/html\r\n\r\n",
    "an empty line first": b"\r\n" + GET + HOST + b"\r\n",
}
PROXIED = {
    "version 1": b"PROXY TCP4 10.0.0.1 10.0.0.2 12345 80\r\n",
    "version 1, IPv6": b"PROXY TCP6 fd00::1 fd00::2 12345 80\r\n",
    "version 1, unknown": b"PROXY UNKNOWN\r\n",
    "version 2": V2 + b"\x21\x11\x00\x0c" + FOUR,
    "version 2, a balancer's own check": V2 + b"\x20\x00\x00\x00",
    "version 2, with more": V2 + b"\x21\x11\x01\x0c" + FOUR + bytes(256),
}


@pytest.fixture
def start(adapter, closed_port):
    return lambda **options: adapter(f"postgres://probe@127.0.0.1:{closed_port}/x", **options)


def test_what_can_be_read_in_two_ways_is_refused(start):
    """Once, and the connection is closed: what follows might be part of it."""
    port = start().port
    for name, request in REFUSED.items():
        answer = parse_answer(exchange(port, request))
        assert (name, answer.status, answer.rest) == (name, 400, b"")


def test_what_is_only_unusual_is_welcome(start):
    port = start().port
    for name, request in WELCOME.items():
        with connect(port) as client:
            client.sendall(request)
            assert (name, read_answer(client).status) == (name, 200)


def test_a_proxy_header_is_named(start):
    port = start().port
    for name, header in PROXIED.items():
        answer = parse_answer(exchange(port, header + GET + HOST + b"\r\n"))
        assert (name, answer.status, answer.rest) == (name, 400, b"")
        assert "PROXY header" in answer.body


def test_the_request_after_a_proxy_header_may_come_later(start):
    a = start()
    with connect(a.port) as client:
        client.sendall(PROXIED["version 2"])
        assert a.status_of("/livez") == 200  # So the header has been seen.
        client.sendall(GET + HOST + b"\r\n")
        assert "PROXY header" in read_answer(client).body


def test_a_proxy_header_before_a_handshake_is_named(start):
    pair = certificates()
    a = start(DBHEALTH_TLS_CERT=str(pair.certificate), DBHEALTH_TLS_KEY=str(pair.key))
    context = ssl.create_default_context(cafile=pair.ca)
    with connect(a.port) as plain:
        plain.sendall(PROXIED["version 2"])
        with context.wrap_socket(plain, server_hostname="localhost") as client:
            client.sendall(GET + HOST + b"\r\n")
            answer = read_answer(client)
    assert (answer.status, "PROXY header" in answer.body) == (400, True)
