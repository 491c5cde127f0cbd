"""A server that answers, but not what it should: whatever it says, the prober lives, and nothing
that was not said is taken for a result."""

import base64
import struct

import dialogues
import pytest
from dialogues import my_column, my_next, pg_auth, pg_parameter, pg_scram_first
from fakes import PG_DONE, pg_error, pg_message, pg_ready, pg_row_description

PATIENCE = 0.5  # Seconds for a reply that must not come.


def says(*messages):
    return lambda client, heard, answer: b"".join(messages)


def challenge(old, new):
    """The server's first message of SCRAM, changed."""
    return lambda client, heard, answer: pg_auth(11, answer[9:].replace(old, new, 1))


def signature(old, new):
    return lambda client, heard, answer: answer.replace(old, new, 1)


def sasl_final(text):
    return lambda client, heard, answer: pg_auth(12, text) + answer[-100:]


def packets(*bodies):
    return lambda client, heard, answer: b"".join(my_next(client, body) for body in bodies)


ROW = struct.pack("!HI", 1, 1) + b"1"
PG_COLUMNS = pg_message(b"1") + pg_message(b"2") + pg_row_description(("a", 23))
PG_END = pg_message(b"C", b"SELECT 3\0") + PG_DONE + pg_ready()

LIES = {  # Name: kind of dialogue, stage, what is said there.
    "no such way to log in": ("scram", "auth", says(pg_auth(99))),
    "Kerberos": ("scram", "auth", says(pg_auth(7))),
    "no mechanism": ("scram", "auth", says(pg_auth(10, b"\0"))),
    "another mechanism": ("scram", "auth", says(pg_auth(10, b"SCRAM-SHA-1024\0\0"))),
    "a list without end": ("scram", "auth", says(pg_auth(10, b"SCRAM-SHA-256"))),
    "md5 without salt": ("md5", "auth", says(pg_auth(5))),
    "a challenge at once": ("scram", "auth", says(pg_auth(11, b"r=x,s=c2FsdA==,i=4096"))),
    "success at once": ("scram", "auth", says(pg_auth(12, b"v=c2FsdA=="))),
    "another nonce": ("scram", "challenge", challenge(b"r=", b"r=x")),
    "no iterations": ("scram", "challenge", challenge(b"i=4096", b"i=0")),
    "iterations below zero": ("scram", "challenge", challenge(b"i=4096", b"i=-1")),
    "iterations in words": ("scram", "challenge", challenge(b"i=4096", b"i=many")),
    "other iterations": ("scram", "challenge", challenge(b"i=4096", b"i=50000")),
    "a salt that is none": ("scram", "challenge", challenge(b"s=", b"s=!")),
    "an empty challenge": ("scram", "challenge", says(pg_auth(11))),
    "another signature": ("scram", "signature", sasl_final(b"v=" + base64.b64encode(bytes(32)))),
    "a signature that is none": ("scram", "signature", sasl_final(b"v=!")),
    "an error for a signature": ("scram", "signature", sasl_final(b"e=other-error")),
    "no signature": ("scram", "signature", says(pg_auth(0) + pg_ready())),
    "no welcome": ("trust", "welcome", says(pg_auth(0), pg_ready())),
    "a welcome in a transaction": ("trust", "welcome", says(pg_auth(0), pg_ready(b"E"))),
    "a version that is none": (
        "trust",
        "welcome",
        says(pg_auth(0), pg_parameter("server_version", "ten"), pg_ready()),
    ),
    "rows in a welcome": ("trust", "welcome", says(pg_auth(0), pg_message(b"D", ROW), pg_ready())),
    "a row for BEGIN": ("trust", "begin", says(PG_COLUMNS, pg_message(b"D", ROW), PG_DONE)),
    "nothing for the limits": ("trust", "begin", says(PG_DONE)),
    "rows without columns": ("trust", "columns", says(pg_message(b"1"), pg_message(b"2"))),
    "more columns than there are": ("trust", "columns", says(pg_message(b"T", b"\x7f\xff"))),
    "a column too many": (
        "trust",
        "columns",
        says(PG_COLUMNS[:10], pg_row_description(("a", 23), ("b", 23))),
    ),
    "columns twice": ("trust", "columns", says(PG_COLUMNS, pg_row_description(("b", 23)))),
    "COPY": ("trust", "columns", says(pg_message(b"H", b"\0\0\0"))),
    "COPY both ways": ("trust", "columns", says(pg_message(b"W", b"\0\0\0"))),
    "an unknown message": ("trust", "columns", says(pg_message(b"y", b"what"))),
    "a login again": ("trust", "columns", says(pg_auth(3))),
    "a value longer than its row": (
        "trust",
        "rows",
        says(pg_message(b"D", struct.pack("!HI", 1, 1000) + b"1")),
    ),
    "a value of less than nothing": (
        "trust",
        "rows",
        says(pg_message(b"D", struct.pack("!Hi", 1, -2))),
    ),
    "a row of two": ("trust", "rows", says(pg_message(b"D", struct.pack("!HII", 2, 0, 0)))),
    "an error after its rows": ("trust", "end", says(pg_error("XX000"), pg_ready(b"E"))),
    "no end of the rows": ("trust", "end", says(pg_ready())),
    "an end that is none": ("trust", "end", says(pg_message(b"C", b"?\0"), PG_DONE, pg_ready())),
    "the end twice": ("trust", "end", says(PG_END, PG_END)),
    "a transaction left open": (
        "trust",
        "end",
        says(pg_message(b"C", b"SELECT 3\0"), PG_DONE, pg_ready(b"T")),
    ),
    "success and no more": ("native", "greeting", packets(b"\0\0\0\2\0\0\0")),
    "the end for a greeting": ("native", "greeting", packets(b"\xfe\0\0\2\0")),
    "an old way to log in": ("native", "welcome", packets(b"\xfe")),
    "an unknown way to log in": ("native", "welcome", packets(b"\xfenone\0xxxx\0")),
    "another way without salt": ("native", "welcome", packets(b"\xfemysql_native_password\0")),
    "more for a plug-in that asks no more": ("native", "welcome", packets(b"\x01\x04")),
    "a short success": ("native", "welcome", packets(b"\0")),
    "an empty packet": ("native", "welcome", packets(b"")),
    "an unknown state of sha2": ("sha2", "more", packets(b"\x01\x09")),
    "no key": ("sha2", "key", packets(b"\x01")),
    "a key that is none": ("sha2", "key", packets(b"\x01-----BEGIN PUBLIC KEY-----\nxxxx\n")),
    "success in place of a key": ("sha2", "key", packets(b"\0\0\0\2\0\0\0")),
    "a short nonce": ("ed25519", "switch", packets(b"\xfeclient_ed25519\0xxxx\0")),
    "no columns": ("native", "columns", packets(b"\0\0\0\2\0\0\0")),
    "columns without number": ("native", "columns", packets(b"\xfd")),
    "a column that is none": (
        "native",
        "columns",
        lambda client, heard, answer: my_next(client, b"\x01") + my_next(client, b"\x03def\xff"),
    ),
    "fewer columns than said": (
        "native",
        "columns",
        lambda client, heard, answer: my_next(client, b"\x05")
        + my_column(client)
        + my_next(client, b"\xfe\0\0\2\0"),
    ),
    "a longer value than its packet": ("native", "rows", packets(b"\xfd\xff\xff\xff1")),
    "a short row": ("native", "rows", packets(b"")),
    "an end of one byte": ("native", "end", packets(b"\xfe")),
    "an error of no number": ("native", "end", packets(b"\xff")),
    "more results, and none": ("native", "end", packets(b"\xfe\0\0\x0a\0")),
}


OTHERWISE = {  # What is not `server_error`.
    # The libraries make something of it, or don't mind.
    "no signature": "ok",
    "no welcome": "ok",
    "a welcome in a transaction": "ok",
    "a version that is none": "ok",
    "columns twice": "ok",
    "a value of less than nothing": "ok",
    "an end that is none": "ok",
    "the end twice": "ok",
    "a transaction left open": "ok",
    "no columns": "ok",
    # They wait for what they take to be due: dbhealthd doesn't.
    "a row for BEGIN": None,
    "nothing for the limits": None,
    "no end of the rows": None,
    "an end of one byte": None,
    "more results, and none": None,
    # A check cannot have it.
    "COPY": "config",
    "COPY both ways": "config",
    # A way to log in that is not ours.
    "Kerberos": "denied",
    "the end for a greeting": "denied",
    "an old way to log in": "denied",
    "an unknown way to log in": "denied",
    # Connector/C takes an empty packet for the connection's end.
    "more for a plug-in that asks no more": "lost",
    "an empty packet": "lost",
    "a short row": "lost",
}


@pytest.mark.parametrize("name", LIES)
def test_lies(start, name):
    kind, stage, lie = LIES[name]
    with dialogues.Dialogue(kind) as server:
        prober = start(server.kind.scheme, server.url())
        server.misdeed = (stage, lie)
        expected = OTHERWISE.get(name, "server_error")
        assert prober.outcome(20 if expected else PATIENCE) == expected
        prober.kill()
