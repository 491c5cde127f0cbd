"""Whole conversations of servers that are well, stage by stage, each of which goes wrong on demand.

A dialogue is a way to log in: its stages, then those of each statement, then the goodbye. A stage
hears what the client says and answers with some bytes; a misdeed is what is done with these bytes.

    with Dialogue("scram-tls") as server:
        server.misdeed = ("rows", "half")   # From now on, and in conversations under way.
        server.misdeed = None               # Who waits is answered."""

import base64
import contextlib
import functools
import hashlib
import hmac
import itertools
import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field

from fakes import (
    CAPABILITIES,
    CLIENT_SSL,
    PG_AROUND,
    PG_DONE,
    Connection,
    Fake,
    my_greeting,
    my_ok,
    my_packet,
    my_read,
    pg_error,
    pg_message,
    pg_read,
    pg_ready,
    pg_row_description,
)
from servers import certificates

USER, PASSWORD = "probe", "probe-secret"
NOISE = bytes(range(255, 0, -1)) * 16


@dataclass(frozen=True)
class Stage:
    """hear(client) reads what the client says and returns it; say(client, heard) is the answer;
    flood(number, answer) is a piece of what may come there without end."""

    name: str
    hear: object
    say: object
    flood: object = lambda number, answer: NOISE


class Client(Connection):
    """One client of a dialogue, in clear or over TLS."""

    def __init__(self, stream):
        super().__init__(stream)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = None
        self.scram = None  # The client's first message and ours.
        self.sequence = 0  # MySQL's, of the packet that was heard last.
        self._ahead = b""

    def receive(self, length):
        if not self.tls:
            return super().receive(length)
        while len(self._ahead) < length:
            self._ahead += self.tls.read(super().receive)
        data, self._ahead = self._ahead[:length], self._ahead[length:]
        return data

    def wire(self, data):
        """The bytes on the wire that say it."""
        return self.tls.encrypt(data) if self.tls and data else data


class Tls:
    """Our side of TLS, without a socket, so that a stage's bytes on the wire are to be had."""

    def __init__(self):
        made = certificates()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made.certificate, made.key)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._in, self._out, server_side=True)

    def hear(self, receive):
        """Reads one record of the client's handshake."""
        self._take_record(receive)
        with contextlib.suppress(ssl.SSLWantReadError):
            self._object.do_handshake()

    def say(self):
        return self._out.read()

    def finish(self, receive, send):
        while True:
            try:
                self._object.do_handshake()
            except ssl.SSLWantReadError:
                self._take_record(receive)
            else:
                send(self._out.read())
                return

    def encrypt(self, data):
        self._object.write(data)
        return self._out.read()

    def read(self, receive):
        while True:
            try:
                return self._object.read(65536)
            except ssl.SSLWantReadError:
                self._take_record(receive)

    def _take_record(self, receive):
        head = receive(5)
        self._in.write(head + receive(struct.unpack("!H", head[3:])[0]))


# --- Postgres ------------------------------------------------------------------------------------


def pg_hear_startup(client):
    (length,) = struct.unpack("!I", client.receive(4))
    return client.receive(length - 4)


def pg_hear(client):
    return pg_read(client)[1]


def pg_auth(number, rest=b""):
    return pg_message(b"R", struct.pack("!I", number) + rest)


def pg_notices(number, answer):
    return pg_error("01000", f"notice {number} " + "x" * 2000, kind=b"N")


def pg_welcome(client, heard):
    parameters = {"server_version": "15.0 (fake)", "client_encoding": "UTF8", "is_superuser": "off"}
    return (
        pg_auth(0)
        + b"".join(map(pg_parameter, parameters, parameters.values()))
        + pg_message(b"K", struct.pack("!II", 1, 2))
        + pg_ready()
    )


def pg_parameter(name, value):
    return pg_message(b"S", f"{name}\0{value}\0".encode())


def pg_parameters(number, answer):
    """In place of a welcome's end: each of a name of its own, for a client may keep them all."""
    if number == 0:
        return answer[: -len(pg_ready())]
    return pg_parameter(f"parameter_{number}", "x" * 2000)


def handshake_stage():
    def hear(client):
        client.tls_to_be = Tls()
        client.tls_to_be.hear(functools.partial(Connection.receive, client))

    return Stage("handshake", hear, lambda client, heard: client.tls_to_be.say())


def begin_tls(client):
    client.tls_to_be.finish(functools.partial(Connection.receive, client), client.send)
    client.tls = client.tls_to_be


PG_TLS = (Stage("tls-answer", pg_hear_startup, lambda client, heard: b"S"), handshake_stage())
PG_WELCOME = Stage("welcome", pg_hear, pg_welcome, pg_parameters)


def pg_scram_first(client, heard):
    """The challenge. heard: the mechanism, a length and the client's first message."""
    mechanism, _, rest = heard.partition(b"\0")
    header, _, bare = rest[4:].decode().partition(",,")
    nonce = bare.partition("r=")[2] + "server"
    salt = base64.b64encode(b"salt").decode()
    challenge = f"r={nonce},s={salt},i=4096"
    client.scram = bare, challenge
    return pg_auth(11, challenge.encode())


def pg_scram_last(client, heard):
    """That we know the password too: RFC 5802."""
    without_proof = heard.decode().rpartition(",p=")[0]
    signed = ",".join((*client.scram, without_proof)).encode()
    salted = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"salt", 4096)
    key = hmac.digest(salted, b"Server Key", "sha256")
    signature = base64.b64encode(hmac.digest(key, signed, "sha256"))
    return pg_auth(12, b"v=" + signature) + pg_welcome(client, heard)


PG_LOGINS = {
    "trust": (Stage("welcome", pg_hear_startup, pg_welcome, pg_parameters),),
    "password": (Stage("auth", pg_hear_startup, lambda client, heard: pg_auth(3)), PG_WELCOME),
    "md5": (Stage("auth", pg_hear_startup, lambda client, heard: pg_auth(5, b"salt")), PG_WELCOME),
    "scram": (
        Stage("auth", pg_hear_startup, lambda client, heard: pg_auth(10, b"SCRAM-SHA-256\0\0")),
        Stage("challenge", pg_hear, pg_scram_first),
        Stage("signature", pg_hear, pg_scram_last, pg_parameters),
    ),
}

PG_NOTIFICATION = pg_message(b"A", struct.pack("!I", 1) + b"channel\0" + b"x" * 2000 + b"\0")
PG_ROW = pg_message(b"D", struct.pack("!HI", 1, 1) + b"1")


def pg_hear_run(client):
    """Reads up to Sync; gives how many statements come before the check's own. One alone is a
    ROLLBACK, which is answered at once."""
    while True:
        statements = 0
        while (kind := pg_read(client)[0]) != b"S":
            statements += kind == b"E"
            if kind == b"X":
                return None
        if statements > PG_AROUND:
            return statements - PG_AROUND
        client.send(client.wire(PG_DONE + pg_ready()))


def nothing(client):
    return b""


PG_RUN = (
    Stage("begin", pg_hear_run, lambda client, before: PG_DONE * before, pg_notices),
    Stage(
        "columns",
        nothing,
        lambda client, heard: pg_message(b"1") + pg_message(b"2") + pg_row_description(("a", 23)),
        pg_notices,
    ),
    Stage("rows", nothing, lambda client, heard: PG_ROW * 3, lambda number, answer: PG_ROW * 100),
    Stage(
        "end",
        nothing,
        lambda client, heard: pg_message(b"C", b"SELECT 3\0") + PG_DONE + pg_ready(),
        lambda number, answer: PG_NOTIFICATION,
    ),
)
GOODBYE = Stage("goodbye", nothing, lambda client, heard: b"")


# --- MySQL ---------------------------------------------------------------------------------------


def my_hear(client):
    client.sequence, body = my_read(client)
    return body


def my_say(body):
    """A stage's bytes: one packet after the one that was heard."""
    return lambda client, heard: my_next(client, body)


def my_next(client, body):
    client.sequence += 1
    return my_packet(client.sequence, body)


OK = my_ok(0)[4:]


def my_switch(plugin, salt=b"x" * 20):
    return Stage("switch", my_hear, my_say(b"\xfe" + plugin + b"\0" + salt + b"\0"))


@functools.cache
def public_key():
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = rsa.generate_private_key(65537, 2048).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def my_public_key(client, heard):
    return my_next(client, b"\x01" + public_key())


MY_OK = Stage("welcome", my_hear, my_say(OK))
MY_LOGINS = {  # The plug-in that the greeting names, and what follows it.
    "native": (b"mysql_native_password", (MY_OK,)),
    "switch": (b"caching_sha2_password", (my_switch(b"mysql_native_password"), MY_OK)),
    "ed25519": (b"mysql_native_password", (my_switch(b"client_ed25519", b"x" * 31), MY_OK)),
    "sha2-known": (
        b"caching_sha2_password",
        (
            Stage(
                "welcome",
                my_hear,
                lambda client, heard: my_next(client, b"\x01\x03") + my_next(client, OK),
            ),
        ),
    ),
    "sha2": (
        b"caching_sha2_password",
        (
            Stage("more", my_hear, my_say(b"\x01\x04")),
            Stage("key", my_hear, my_public_key),
            MY_OK,
        ),
    ),
    "sha2-tls": (b"caching_sha2_password", (Stage("more", my_hear, my_say(b"\x01\x04")), MY_OK)),
    "sha256": (
        b"sha256_password",
        (Stage("key", my_hear, my_public_key), MY_OK),
    ),
}


def my_greeting_stage(plugin, version, tls):
    capabilities = CAPABILITIES | (CLIENT_SSL if tls else 0)
    return Stage(
        "greeting", nothing, lambda client, heard: my_greeting(version, capabilities, plugin)
    )


def my_handshake_stage():
    inner = handshake_stage()

    def hear(client):
        my_hear(client)
        inner.hear(client)

    return Stage("handshake", hear, inner.say)


def my_column(client, name=b"a"):
    text = b"\x03def\0\0\0" + bytes([len(name)]) + name + b"\0\x0c"
    return my_next(client, text + struct.pack("<HIBHBxx", 45, 11, 3, 0, 0))


def my_columns(client, heard):
    return my_next(client, b"\x01") + my_column(client) + my_next(client, b"\xfe\0\0\2\0")


def my_hear_statement(client):
    """Says OK to each SET, and that the user has no privileges; gives another statement, or None
    for the goodbye."""
    while True:
        body = my_hear(client)
        if body[0] == 1:
            return None
        if b"user_privileges" in body:
            answer = my_columns(client, body) + my_next(client, b"\xfe\0\0\2\0")
        elif body[1:].startswith(b"SET SESSION"):
            answer = my_next(client, OK)
        else:
            return body
        client.send(client.wire(answer))


def my_many_columns(number, answer):
    """First how many there are, then one after another."""
    return my_packet(number + 1, b"\x03def" * 400 if number else b"\xfc\x30\x75")


def my_results(number, answer):
    """One result after another."""
    if number == 0:
        return answer[:-2] + b"\x0a\0"
    return my_packet(1, OK[:3] + b"\x0a\0\0\0")


MY_RUN = (
    Stage(
        "columns",
        my_hear_statement,
        my_columns,
        my_many_columns,
    ),
    Stage(
        "rows",
        nothing,
        lambda client, heard: b"".join(my_next(client, b"\x011") for _ in range(3)),
        lambda number, answer: my_packet(number + 4, b"\x011"),
    ),
    Stage("end", nothing, my_say(b"\xfe\0\0\2\0"), my_results),
)


# --- A conversation ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A way to log in, to one of the prober programs."""

    scheme: str
    login: tuple  # Stages.
    run: tuple
    tls_after: str = ""  # The stage after which all is encrypted.
    query: dict = field(default_factory=dict)  # Of the URL.

    def stages(self):
        return [stage.name for stage in (*self.login, *self.run, GOODBYE)]


def _postgres_kinds():
    for name, stages in PG_LOGINS.items():
        yield name, Kind("postgres", stages, PG_RUN, query={"sslmode": "disable"})
    scram = (*PG_TLS, *PG_LOGINS["scram"])
    yield "scram-tls", Kind("postgres", scram, PG_RUN, "handshake", {"sslmode": "require"})


def _mysql_kinds():
    for name, (plugin, stages) in MY_LOGINS.items():
        tls = name.endswith("-tls")
        version = "11.4.2-MariaDB-fake" if name in ("native", "ed25519") else "9.0.0-fake"
        login = (my_greeting_stage(plugin, version, tls), *([my_handshake_stage()] if tls else []))
        yield name, Kind(
            "mysql",
            (*login, *stages),
            MY_RUN,
            "handshake" if tls else "",
            {"ssl-mode": "REQUIRED"} if tls else {},
        )


KINDS = {**dict(_postgres_kinds()), **dict(_mysql_kinds())}


class Dialogue(Fake):
    """A server that speaks one kind of dialogue. misdeed: None, or the name of a stage and what is
    done there: one of DEEDS, or a lie(client, heard, answer) in place of the answer. pace: seconds
    between two pieces of a flood."""

    def __init__(self, name, pace=0):
        self.kind = KINDS[name]
        self.pace = pace
        self._changed = threading.Condition()
        self._misdeed = None
        super().__init__(self._play_out)

    def url(self):
        query = "&".join(f"{name}={value}" for name, value in self.kind.query.items())
        return f"{self.kind.scheme}://{USER}:{PASSWORD}@127.0.0.1:{self.port}/?{query}"

    @property
    def misdeed(self):
        return self._misdeed

    @misdeed.setter
    def misdeed(self, misdeed):
        with self._changed:
            self._misdeed = misdeed
            self._changed.notify_all()

    def __exit__(self, *_):
        self.misdeed = None
        super().__exit__()

    def _play_out(self, connection):
        client = Client(connection.stream)
        for stage in self.kind.login:
            self._do(stage, client)
            if stage.name == self.kind.tls_after:
                begin_tls(client)
        while self._do(self.kind.run[0], client):
            for stage in self.kind.run[1:]:
                self._do(stage, client)
        self._do(GOODBYE, client)

    def _do(self, stage, client):
        """False if the client has said goodbye instead."""
        heard = stage.hear(client)
        if heard is None and stage.hear in (pg_hear_run, my_hear_statement):
            return False
        answer = stage.say(client, heard)
        name, deed = self._misdeed or ("", "")
        if name == stage.name and callable(deed):
            client.send(client.wire(deed(client, heard, answer)))
        elif name == stage.name:
            DEEDS[deed](self, client, stage, answer)
        else:
            client.send(client.wire(answer))
        return True

    def _wait_for_its_end(self, limit=None):
        """Until there is another misdeed, or none; at most so many seconds. True if it ended."""
        with self._changed:
            now = self._misdeed
            return self._changed.wait_for(lambda: self._misdeed != now, limit)


def _stop(server, client, stage, answer):
    server._wait_for_its_end()
    client.send(client.wire(answer))


def _half(server, client, stage, answer):
    data = client.wire(answer)
    client.send(data[: len(data) // 2])
    server._wait_for_its_end()
    client.send(data[len(data) // 2 :])


def _dribble(server, client, stage, answer):
    for byte in client.wire(answer):
        client.send(bytes([byte]))


def _cut(server, client, stage, answer):
    raise ConnectionResetError("cut")


def _cut_half(server, client, stage, answer):
    data = client.wire(answer)
    client.send(data[: len(data) // 2])
    raise ConnectionResetError("cut")


def _reset(server, client, stage, answer):
    data = client.wire(answer)
    client.send(data[: len(data) // 2])
    client.reset()
    raise ConnectionResetError("reset")


def _noise(server, client, stage, answer):
    client.send(NOISE)
    server._wait_for_its_end()
    raise ConnectionResetError("cut")


def _flood(server, client, stage, answer):
    for number in itertools.count():
        client.send(client.wire(stage.flood(number, answer)))
        if server._wait_for_its_end(server.pace):
            raise ConnectionResetError("cut")


DEEDS = {
    "stop": _stop,
    "half": _half,  # And stop.
    "dribble": _dribble,
    "cut": _cut,
    "cut-half": _cut_half,
    "reset": _reset,
    "noise": _noise,  # And stop.
    "flood": _flood,
}
