"""Servers that misbehave on demand: scripts that speak Postgres' or MySQL's protocol by hand.

A script is a function that is given one client's connection. What it raises fails the test, unless
it is the client's leaving."""

import contextlib
import socket
import struct
import threading


class Connection:
    """One client of a fake."""

    def __init__(self, stream):
        self.stream = stream

    def send(self, data):
        self.stream.sendall(data)

    def receive(self, length):
        """Exactly so many bytes; ConnectionResetError if the client leaves before."""
        data = b""
        while len(data) < length:
            part = self.stream.recv(length - len(data))
            if not part:
                raise ConnectionResetError("the client has left")
            data += part
        return data

    def wait_for_end(self):
        """Reads until the client leaves; returns what it still said."""
        data = b""
        with contextlib.suppress(ConnectionResetError):
            while part := self.stream.recv(65536):
                data += part
        return data

    def reset(self):
        """Ends the connection by RST rather than FIN."""
        self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.stream.close()


class Fake:
    """Listens on loopback, or at the path of a Unix socket, and plays the script for each client."""

    def __init__(self, script, path=None):
        self.script = script
        self.clients = 0
        self.errors = []
        if path is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.port = self._listener.getsockname()[1]
        else:
            self._listener = socket.create_server(str(path), family=socket.AF_UNIX)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._players = []
        self._streams = []
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        for stream in self._streams:
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)
        for player in self._players:
            player.join(10)
        assert not self.errors, self.errors

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                stream, _ = self._listener.accept()
                self.clients += 1
                self._streams.append(stream)
                player = threading.Thread(target=self._play, args=(stream,), daemon=True)
                self._players.append(player)
                player.start()

    def _play(self, stream):
        with stream:
            try:
                self.script(Connection(stream))
            except OSError:  # The client has left.
                pass
            except Exception as error:
                self.errors.append(repr(error))


class Queue:
    """A listener at which nobody gets a place until it is open()ed."""

    def __init__(self, family, address):
        self._stack = contextlib.ExitStack()
        self.listener = self._stack.enter_context(socket.socket(family))
        self.listener.bind(address)
        self.listener.listen(0)
        self.listener.settimeout(10)
        self._filler = self._stack.enter_context(socket.socket(family))
        self._filler.connect(self.listener.getsockname())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    @property
    def port(self):
        return self.listener.getsockname()[1]

    def open(self):
        """Accepts the one who had the place."""
        self.listener.accept()[0].close()

    def accept(self):
        """The next client that is still there: one may give up as it gets its place."""
        stream = self._stack.enter_context(self.listener.accept()[0])
        while has_left(stream):
            stream = self._stack.enter_context(self.listener.accept()[0])
        return Connection(stream)


def has_left(stream):
    """Whether the client has gone without a word."""
    try:
        return stream.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


# --- Postgres: https://www.postgresql.org/docs/15/protocol.html ----------------------------------

SSL_REQUEST = 80877103


def pg_message(kind, body=b""):
    return kind + struct.pack("!I", len(body) + 4) + body


def pg_error(code, text="a scripted error", severity="FATAL", kind=b"E"):
    fields = {"S": severity, "V": severity, "C": code, "M": text, "F": "fake.c", "L": "1", "R": "f"}
    body = b"".join(
        name.encode() + (value if isinstance(value, bytes) else value.encode()) + b"\0"
        for name, value in fields.items()
        if value is not None
    )
    return pg_message(kind, body + b"\0")


def pg_startup(connection, ssl_answer=b"N"):
    """Reads the client's first packets, up to the one that names the user."""
    while True:
        (length,) = struct.unpack("!I", connection.receive(4))
        body = connection.receive(length - 4)
        if struct.unpack("!I", body[:4])[0] != SSL_REQUEST:
            return body
        connection.send(ssl_answer)


def pg_ready(state=b"I"):
    return pg_message(b"Z", state)


def pg_log_in(connection):
    pg_startup(connection)
    parameters = {"server_version": "15.0 (fake)", "client_encoding": "UTF8", "is_superuser": "off"}
    connection.send(
        pg_message(b"R", struct.pack("!I", 0))
        + b"".join(
            pg_message(b"S", f"{name}\0{value}\0".encode()) for name, value in parameters.items()
        )
        + pg_message(b"K", struct.pack("!II", 1, 2))
        + pg_ready()
    )


def pg_read(connection):
    """One message of a client that has logged in."""
    kind = connection.receive(1)
    (length,) = struct.unpack("!I", connection.receive(4))
    return kind, connection.receive(length - 4)


PG_AROUND = 2  # Statements of a run after BEGIN and the settings: the check's own, and COMMIT.
PG_DONE = pg_message(b"1") + pg_message(b"2") + pg_message(b"n") + pg_message(b"C", b"SELECT 0\0")


def pg_answer_run(connection, answer):
    """Reads a run's messages, up to Sync, and answers the check's statement with `answer`."""
    statements = 0
    while (kind := pg_read(connection)[0]) != b"S":
        statements += kind == b"E"
        if kind == b"X":
            raise ConnectionResetError("the client has said goodbye")
    if statements == 1:  # ROLLBACK
        connection.send(PG_DONE + pg_ready())
        return
    assert statements > PG_AROUND, statements
    connection.send(PG_DONE * (statements - PG_AROUND) + answer)


def pg_row_description(*columns):
    body = struct.pack("!H", len(columns))
    for name, oid in columns:
        body += name.encode() + b"\0" + struct.pack("!IhIhih", 0, 0, oid, -1, -1, 0)
    return pg_message(b"T", body)


# --- MySQL: https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html -----------------

CLIENT_SSL = 0x800
CAPABILITIES = 0x81FFF7DF & ~CLIENT_SSL  # Of a MariaDB or MySQL of today, but for TLS.
AUTOCOMMIT = 2


def my_packet(sequence, body):
    return struct.pack("<I", len(body))[:3] + bytes([sequence & 0xFF]) + body


def my_greeting(version="9.0.0-fake", capabilities=CAPABILITIES, plugin=b"mysql_native_password"):
    return my_packet(
        0,
        b"\x0a"
        + version.encode()
        + b"\0"
        + struct.pack("<I", 7)
        + b"12345678\0"
        + struct.pack("<HBHHB", capabilities & 0xFFFF, 45, AUTOCOMMIT, capabilities >> 16, 21)
        + bytes(10)
        + b"123456789012\0"
        + plugin
        + b"\0",
    )


def my_error(sequence, number, text="a scripted error", sqlstate="HY000"):
    mark = f"#{sqlstate}" if sqlstate else ""
    text = text if isinstance(text, bytes) else text.encode()
    return my_packet(sequence, b"\xff" + struct.pack("<H", number) + mark.encode() + text)


def my_ok(sequence, status=AUTOCOMMIT):
    return my_packet(sequence, b"\0\0\0" + struct.pack("<HH", status, 0))


def my_read(connection):
    """One packet's sequence number and body."""
    head = connection.receive(4)
    length = head[0] | head[1] << 8 | head[2] << 16
    return head[3], connection.receive(length)


def my_let_in(connection, version="9.0.0-fake"):
    """Takes a client that logs in for whom it says it is."""
    connection.send(my_greeting(version))
    sequence, _ = my_read(connection)
    connection.send(my_ok(sequence + 1))


def my_hear_settings(connection):
    """The first statement of a session, which makes it the prober's."""
    _, body = my_read(connection)
    assert body.startswith(b"\x03SET SESSION "), body
    return body[1:].decode()


def my_log_in(connection, version="9.0.0-fake"):
    """The same, up to where runs begin."""
    my_let_in(connection, version)
    my_hear_settings(connection)
    connection.send(my_ok(1))


def my_answer_run(connection, answer):
    """Says OK to each SET and `answer` to the first other statement."""
    while True:
        _, body = my_read(connection)
        if body[0] == 1:
            raise ConnectionResetError("the client has said goodbye")
        assert body[0] == 3, body
        if not body[1:].startswith(b"SET SESSION"):
            connection.send(answer)
            return
        connection.send(my_ok(1))
