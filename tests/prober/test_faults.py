"""What a real server can't be brought to show on demand, from servers that are scripts: every row of
the outcome tables, and everything that is not the protocol."""

import socket
import struct

import pytest
from fakes import (
    CAPABILITIES,
    CLIENT_SSL,
    PG_AROUND,
    PG_DONE,
    Fake,
    my_answer_run,
    my_error,
    my_greeting,
    my_hear_settings,
    my_let_in,
    my_log_in,
    my_ok,
    my_packet,
    my_read,
    pg_answer_run,
    pg_error,
    pg_log_in,
    pg_message,
    pg_read,
    pg_ready,
    pg_row_description,
    pg_startup,
)
from wire import NoReply, Verb

VERSIONS = {"mysql": "9.0.0-fake", "mariadb": "5.5.5-10.11.9-MariaDB-fake"}

# What the tables of src/prober tell apart.
SQLSTATES = {
    "not_accepting": "57P03",
    "terminated": "57P01 57P02 57P04 57P05 25P03 25P04",
    "denied": "28000 28P01",
    "saturated": "53300",
    "query_timeout": "57014 55P03",
    "server_error": "08P01 42601 25006 XX000 99999",
}
ABSENT = "3F000 42P01 42703 42704 42883"  # At login nobody but the server has named it.
SQLSTATES_AT_LOGIN = {"denied": "3D000 42501 55000", "saturated": "53200", "server_error": ABSENT}
SQLSTATES_IN_RUN = {"missing": f"3D000 {ABSENT}", "server_error": "42501 55000 53200"}

NUMBERS = {
    "not_accepting": "3032",
    "terminated": "1152 1184",
    "denied": "1044 1045 1129 1130 1251 1275 1524 1698 1820 1862",
    "saturated": "1040 1041 1135",
    "quota": "1203 1226",
    "query_timeout": "1205 1317",
    "server_error": "1064 1792 9999",
}
ABSENT_NUMBERS = "1054 1109 1115 1146 1176 1193 1273 1286 1305"
NUMBERS_AT_LOGIN = {
    "not_accepting": "1053",
    "denied": "1049 3118 3955 4150 4151",
    "tls": "3159",
    "server_error": ABSENT_NUMBERS,
}
NUMBERS_IN_RUN = {
    "mysql": {
        "terminated": "1053 3169 4031",
        "denied": "3118 3955",
        "tls": "3159",
        "query_timeout": "3024",
        "missing": f"1049 3074 {ABSENT_NUMBERS}",
        "server_error": "1617 1927 1969 4091 4150 4151",
    },
    "mariadb": {
        "terminated": "1053 1927",
        "denied": "4150 4151",
        "query_timeout": "1969",
        "missing": f"1049 1617 4091 {ABSENT_NUMBERS}",
        "server_error": "3024 3074 3118 3159 3169 3955 4031",
    },
}

postgres_only = pytest.mark.parametrize("engine", ["postgres"], indirect=True, scope="session")
mysql_only = pytest.mark.parametrize("engine", ["mariadb", "mysql"], indirect=True, scope="session")


def rows(*tables):
    return [(code, outcome) for table in tables for outcome in table for code in table[outcome].split()]


@pytest.fixture
def fake():
    """fake(script) starts a fake server."""
    started = []

    def start(script):
        started.append(Fake(script))
        return started[-1]

    yield start
    for server in started:
        server.__exit__()


@pytest.fixture
def probe_fake(probe, engine, fake):
    """probe_fake(script, params) starts a prober for a fake with that script."""

    def start(script, params=""):
        scheme = "postgres" if engine == "postgres" else "mysql"
        server = fake(script)
        return probe(f"{scheme}://probe:secret@127.0.0.1:{server.port}/{params}")

    return start


# --- the tables ----------------------------------------------------------------------------------


@postgres_only
@pytest.mark.parametrize("code, outcome", rows(SQLSTATES, SQLSTATES_AT_LOGIN))
def test_sqlstate_at_login(probe_fake, code, outcome):
    def script(client):
        pg_startup(client)
        client.send(pg_error(code))

    reply = probe_fake(script).open()
    assert (reply.outcome, reply.code, reply.message) == (outcome, code, "a scripted error")


@postgres_only
@pytest.mark.parametrize("code, outcome", rows(SQLSTATES, SQLSTATES_IN_RUN))
def test_sqlstate_in_run(probe_fake, code, outcome):
    def script(client):
        pg_log_in(client)
        pg_answer_run(client, pg_error(code, severity="ERROR") + pg_ready(b"E"))
        pg_answer_run(client, b"")
        client.wait_for_end()

    prober = probe_fake(script).opened()
    reply = prober.run("SELECT 1")
    assert (reply.outcome, reply.code, reply.message) == (outcome, code, "a scripted error")
    assert reply.result is None


@postgres_only
@pytest.mark.parametrize("code", SQLSTATES["terminated"].split())
@pytest.mark.parametrize("kind", [b"E", b"N"], ids=["error", "warning"])
def test_last_words(probe_fake, code, kind):
    """The server says why and ends the connection, by an error or a warning."""

    def script(client):
        pg_log_in(client)
        pg_answer_run(client, pg_error(code, kind=kind))

    prober = probe_fake(script).opened()
    reply = prober.run("SELECT 1")
    assert (reply.outcome, reply.code, reply.message) == ("terminated", code, "a scripted error")
    assert prober.run("SELECT 1").outcome == "lost" or kind == b"N"


@postgres_only
def test_a_warning_is_no_last_word_while_the_session_lives(probe_fake):
    answer = pg_error("01000", severity="WARNING", kind=b"N") + PG_DONE + PG_DONE + pg_ready()

    def script(client):
        pg_log_in(client)
        pg_answer_run(client, answer)
        pg_answer_run(client, b"")

    prober = probe_fake(script).opened()
    assert prober.run("SELECT 1").outcome == "ok"
    assert prober.run("SELECT 1").outcome == "lost"


@mysql_only
@pytest.mark.parametrize("number, outcome", rows(NUMBERS, NUMBERS_AT_LOGIN))
@pytest.mark.parametrize("stage", ["instead of a greeting", "after it"])
@pytest.mark.parametrize("mode", ["DISABLED", "REQUIRED"])
def test_number_at_login(probe_fake, engine, number, outcome, stage, mode):
    def script(client):
        if stage == "instead of a greeting":
            client.send(my_error(0, int(number), sqlstate=None))
            return
        client.send(my_greeting(VERSIONS[engine]))
        sequence, _ = my_read(client)
        client.send(my_error(sequence + 1, int(number)))

    reply = probe_fake(script, f"?ssl-mode={mode}").open()
    assert (reply.outcome, reply.code) == (outcome, number), reply
    assert reply.message.endswith("a scripted error"), reply


@mysql_only
@pytest.mark.parametrize("place", ["of the statement", "in the rows"])
def test_numbers_in_run(probe_fake, engine, place):
    rows_first = my_packet(1, b"\x01") + my_column(2, "a") + my_packet(3, b"\xfe\0\0\2\0")
    rows_first += my_packet(4, b"\x011")

    def run(number):
        def script(client):
            my_log_in(client, VERSIONS[engine])
            first = rows_first if place == "in the rows" else b""
            my_answer_run(client, first + my_error(5 if first else 1, number))
            client.wait_for_end()

        prober = probe_fake(script).opened()
        reply = prober.run("SELECT 1")
        prober.end()
        return reply

    for number, outcome in rows(NUMBERS, NUMBERS_IN_RUN[engine]):
        reply = run(int(number))
        assert (reply.outcome, reply.code, reply.result) == (outcome, number, None), reply
        assert reply.message == "a scripted error"


@mysql_only
@pytest.mark.parametrize("number", ["2003", "2006", "2013", "2026", "2059"])
def test_a_server_cannot_speak_for_the_library(probe_fake, number):
    """Numbers of the client's own range, sent by a server. In place of a greeting they are no
    protocol; after one the server has answered."""

    def script(client):
        client.send(my_error(0, int(number), sqlstate=None))

    def late(client):
        client.send(my_greeting())
        sequence, _ = my_read(client)
        client.send(my_error(sequence + 1, int(number)))

    seen = [probe_fake(told).open() for told in (script, late)]
    assert [(reply.outcome, reply.code) for reply in seen] == [
        ("lost", "2027"),
        ("server_error", "2027"),
    ]


# --- not the protocol ----------------------------------------------------------------------------

GARBAGE = {
    "http": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "zeros": bytes(64),
    "ones": b"\xff" * 64,
    "text": b"hello\n",
    "mysql": my_greeting(),
    "postgres": pg_error("08P01"),
}


@pytest.mark.parametrize("words", GARBAGE)
@pytest.mark.parametrize("then", ["close", "reset"])
def test_garbage_instead_of_a_greeting(probe_fake, engine, words, then):
    """The peer speaks first, and ends: no outcome but one of a server that isn't well, and never a
    crash. The connection's end may overtake the words, so that either may be seen."""

    def script(client):
        client.send(GARBAGE[words])
        if then == "reset":
            client.reset()
        else:
            client.wait_for_end()

    for params in ("", "?sslmode=disable" if engine == "postgres" else "?ssl-mode=REQUIRED"):
        prober = probe_fake(script, params)
        prober.send(Verb.OPEN)
        try:
            reply = prober.receive(patience=0.5)
        except NoReply:
            # The library waits for the rest of what it takes for a packet; dbhealthd wouldn't.
            prober.kill()
            continue
        expected = ("server_error", "lost", "terminated") + (("refused",) if then == "reset" else ())
        assert reply.outcome in expected, reply
        if engine != "postgres" and words == "mysql":
            assert reply.outcome in ("lost", "refused"), reply


@postgres_only
@pytest.mark.parametrize("answer", [b"H", b"J", b"\x00"])
@pytest.mark.parametrize("sslmode", ["prefer", "require"])
def test_garbage_for_an_answer_about_tls(probe_fake, answer, sslmode):
    def script(client):
        client.receive(8)
        client.send(answer)
        client.wait_for_end()

    reply = probe_fake(script, f"?sslmode={sslmode}").open()
    assert reply.outcome == ("tls" if sslmode == "require" else "server_error"), reply


@postgres_only
@pytest.mark.parametrize(
    "answer, outcome",
    [
        (b"Ecould not fork new process for connection: no room\n\0", "server_error"),
        (pg_error(None), "server_error"),
        (pg_error("53300"), "saturated"),
        (pg_error("57P03", severity="ФАТАЛЬНО"), "not_accepting"),
        (pg_error("28000", "what:  53300: may be in a text"), "denied"),
        (pg_message(b"R", struct.pack("!I", 99)), "server_error"),
        (pg_message(b"R", b""), "server_error"),
        (pg_message(b"?", b"what"), "server_error"),
        (b"E\x7f\xff\xff\xffS", "lost"),
        (b"R\x00\x00\x00\x00", "server_error"),
        (b"", "lost"),
        (b"E", "lost"),
        (pg_message(b"R", struct.pack("!I", 0)), "lost"),
        (pg_message(b"R", struct.pack("!I", 0)) + pg_error("57P01"), "terminated"),
    ],
)
@pytest.mark.parametrize("sslmode", ["prefer", "disable"])
def test_answers_to_a_login(probe_fake, answer, outcome, sslmode):
    def script(client):
        pg_startup(client)
        client.send(answer)

    reply = probe_fake(script, f"?sslmode={sslmode}").open()
    assert reply.outcome == outcome, reply
    assert "\n" not in reply.message


@pytest.mark.parametrize("then", ["close", "reset"])
def test_cut_before_a_word(probe_fake, engine, then):
    def script(client):
        if then == "reset":
            client.reset()

    for params in ("", "?sslmode=disable" if engine == "postgres" else "?ssl-mode=REQUIRED"):
        reply = probe_fake(script, params).open()
        # A reset may come before the library's connect() is over, and then it asks again.
        expected = ("lost", "refused") if then == "reset" else ("lost",)
        assert reply.outcome in expected, (params, reply)


@postgres_only
@pytest.mark.parametrize(
    "answer", [b"S", b"S\x16\x03\x01", b"S\x15\x03\x03\x00\x02\x02\x28", b"SHTTP/1.1 400 Bad\r\n"]
)
def test_cut_in_a_tls_handshake(probe_fake, answer):
    """The server took part, so it answered, however it ended."""

    def script(client):
        client.receive(8)
        client.send(answer)
        client.stream.shutdown(socket.SHUT_WR)
        client.wait_for_end()

    reply = probe_fake(script, "?sslmode=require").open()
    assert reply.outcome == "tls", reply


@mysql_only
@pytest.mark.parametrize("answer", [b"", b"\x15\x03\x03\x00\x02\x02\x28", b"HTTP/1.1 400 Bad\r\n"])
@pytest.mark.parametrize("mode", ["PREFERRED", "REQUIRED", "VERIFY_IDENTITY"])
def test_cut_in_a_tls_handshake_mysql(probe_fake, engine, answer, mode):
    def script(client):
        client.send(my_greeting(VERSIONS[engine], CAPABILITIES | CLIENT_SSL))
        my_read(client)
        client.send(answer)
        client.stream.shutdown(socket.SHUT_WR)
        client.wait_for_end()

    reply = probe_fake(script, f"?ssl-mode={mode}").open()
    assert reply.outcome == "tls" or (reply.outcome == "lost" and not answer), reply


@mysql_only
@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 6, 20, 30, 40, 60])
@pytest.mark.parametrize("mode", ["DISABLED", "REQUIRED"])
def test_a_greeting_cut_short(probe_fake, length, mode):
    def script(client):
        client.send(my_greeting()[:length])

    assert probe_fake(script, f"?ssl-mode={mode}").open().outcome == "lost"


@mysql_only
@pytest.mark.parametrize("mode", ["DISABLED", "PREFERRED"])
def test_a_greeting_in_pieces(probe_fake, engine, mode):
    def script(client):
        client.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in my_greeting(VERSIONS[engine]):
            client.send(bytes([byte]))
        sequence, _ = my_read(client)
        client.send(my_ok(sequence + 1))
        my_hear_settings(client)
        client.send(my_ok(1))
        client.wait_for_end()

    assert probe_fake(script, f"?ssl-mode={mode}").open().outcome == "ok"


MALFORMED_GREETINGS = {
    "an old protocol": my_packet(0, b"\x09" + b"3.20\0" + bytes(20)),
    "a new protocol": my_packet(0, b"\xfe" + b"99\0" + bytes(60)),
    "one byte": my_packet(0, b"\x0a"),
    "no end of the version": my_packet(0, b"\x0a" + b"9" * 600),
    "a long version": my_packet(0, b"\x0a" + b"9" * 600 + b"\0" + bytes(60)),
    "only a version": my_packet(0, b"\x0a9.0.0\0"),
    "without secure connections": my_packet(0, b"\x0a5.0\0" + struct.pack("<I8sxH", 7, b"12345678", 0)),
    "nothing": my_packet(0, b""),
    "a wrong sequence number": my_packet(7, my_greeting()[4:]),
    "a lie about the scramble": my_greeting().replace(b"\x15" + bytes(10), b"\xff" + bytes(10)),
}


@mysql_only
@pytest.mark.parametrize("greeting", MALFORMED_GREETINGS)
@pytest.mark.parametrize("mode", ["DISABLED", "REQUIRED"])
def test_malformed_greetings(probe_fake, greeting, mode):
    def script(client):
        client.send(MALFORMED_GREETINGS[greeting])
        client.stream.shutdown(socket.SHUT_WR)
        client.wait_for_end()

    reply = probe_fake(script, f"?ssl-mode={mode}").open()
    assert reply.outcome in ("server_error", "lost", "denied"), reply


# --- cut and malformed in a run ------------------------------------------------------------------

PG_ROWS = pg_message(b"1") + pg_message(b"2") + pg_row_description(("a", 23))
PG_TOO_LARGE = (PG_ROWS + b"D\x7f\xff\xff\xff",)  # What it says of itself, and all there is of it.
PG_ONE_ROW = PG_ROWS + pg_message(b"D", struct.pack("!HI", 1, 1) + b"1")


@postgres_only
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"T",
        PG_ROWS,
        PG_ONE_ROW,
        PG_ONE_ROW + b"D\x00\x00",
        PG_DONE,
        *PG_TOO_LARGE,
        PG_ROWS + b"D\x00\x00\x00\x00",
        PG_ROWS + pg_message(b"D", struct.pack("!HI", 1, 0x7FFFFFFF) + b"1"),
        PG_ROWS + pg_message(b"D", struct.pack("!H", 60000)),
        pg_message(b"1") + pg_message(b"2") + pg_message(b"T", struct.pack("!H", 3) + b"a"),
        GARBAGE["http"],
    ],
)
def test_cut_in_a_run(probe_fake, answer):
    def script(client):
        pg_log_in(client)
        pg_answer_run(client, answer)

    prober = probe_fake(script).opened()
    reply = prober.run("SELECT 1")
    if answer in PG_TOO_LARGE:
        assert reply.outcome == "too_large", reply
        return
    assert reply.outcome in ("lost", "server_error"), reply
    if reply.outcome == "server_error":
        assert answer not in (b"", b"T", PG_ROWS, PG_ONE_ROW, PG_DONE)
    assert reply.result is None
    assert prober.run("SELECT 1").outcome == "lost"


def my_column(sequence, name, kind=3):
    name = name.encode()
    text = b"\x03def\0\0\0" + bytes([len(name)]) + name + b"\0"
    return my_packet(sequence, text + b"\x0c" + struct.pack("<HIBHBxx", 45, 11, kind, 0, 0))


MY_ROWS = my_packet(1, b"\x01") + my_column(2, "a") + my_packet(3, b"\xfe\0\0\2\0")
MY_TOO_LARGE = (MY_ROWS + b"\xff\xff\xff\x04" + b"1",)  # What it says of itself.


@mysql_only
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x01",
        MY_ROWS,
        MY_ROWS + my_packet(4, b"\x011"),
        my_packet(1, b"\x02") + my_column(2, "a"),
        MY_ROWS + my_packet(4, b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f1"),
        MY_ROWS + my_packet(4, b"\x051"),
        *MY_TOO_LARGE,
        my_packet(1, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff"),
        my_packet(1, b""),
        my_packet(1, b"\x01") + my_packet(2, b"\xfc\xff\xffabc"),
    ],
)
def test_cut_in_a_run_mysql(probe_fake, engine, answer):
    def script(client):
        my_log_in(client, VERSIONS[engine])
        my_answer_run(client, answer)

    prober = probe_fake(script).opened()
    reply = prober.run("SELECT 1")
    expected = ("too_large",) if answer in MY_TOO_LARGE else ("lost", "server_error")
    assert reply.outcome in expected, reply
    assert reply.result is None


@mysql_only
def test_cut_between_open_and_run(probe_fake, engine):
    prober = probe_fake(lambda client: my_log_in(client, VERSIONS[engine])).opened()
    assert prober.run("SELECT 1").outcome == "lost"
    assert prober.run("SELECT 1").outcome == "lost"


@mysql_only
@pytest.mark.parametrize(
    "last_words, code", [(b"", "2013"), (my_error(1, 1184), "1184")], ids=["silent", "said"]
)
def test_a_server_that_breaks_each_new_session(probe_fake, engine, last_words, code):
    """As one does whose init_connect fails: it has let us in, so it lives."""

    def script(client):
        my_let_in(client, VERSIONS[engine])
        my_hear_settings(client)
        client.send(last_words)

    reply = probe_fake(script).open(inspect=True)
    assert (reply.outcome, reply.code) == ("terminated", code), reply


QUERY = 3  # COM_QUERY.
REFUSED = {1193: b"wsrep", 1227: b"sql_mode", 1231: b"time_zone"}


@mysql_only
def test_settings_that_a_server_refuses_are_no_fault(probe_fake, engine):
    """It lacks some and lets nobody set others; the rest is set one by one."""
    heard = []

    def script(client):
        my_let_in(client, VERSIONS[engine])
        while True:
            _, statement = my_read(client)
            heard.append(statement)
            refused = [number for number, word in REFUSED.items() if word in statement]
            client.send(my_error(1, refused[0]) if refused else my_ok(1))

    prober = probe_fake(script)
    assert prober.open().outcome == "ok"
    prober.end()
    statements = [said for said in heard if said[0] == QUERY]
    assert statements[0].count(b"=") > 10
    assert all(statement.count(b"=") == 1 for statement in statements[1:-1])
    assert statements[1] == b"\x03SET SESSION autocommit = 1"
    assert b"read_only = 1, lock_wait_timeout = 1" in statements[-1]


def pg_statements(client):
    """The statements of a client up to its Sync."""
    found = []
    while (message := pg_read(client))[0] != b"S":
        if message[0] == b"P":
            found.append(message[1].split(b"\0")[1].decode())
        if message[0] == b"X":
            raise ConnectionResetError("the client has said goodbye")
    return found


@postgres_only
def test_settings_that_a_server_does_not_know_are_no_fault(probe_fake):
    """It is newer than we, or no Postgres. The run is tried again without, and so is each later."""
    unknown, runs = ("SET LOCAL jit = off", "SET LOCAL row_security = on"), []

    def script(client):
        pg_log_in(client)
        while True:
            statements = pg_statements(client)
            bad = [i for i, statement in enumerate(statements) if statement in unknown]
            if statements == ["ROLLBACK"]:
                client.send(PG_DONE + pg_ready())
            elif bad:
                runs.append(statements)
                client.send(PG_DONE * bad[0] + pg_error("42704", severity="ERROR") + pg_ready(b"E"))
            else:
                runs.append(statements)
                client.send(PG_DONE * len(statements) + pg_ready())

    prober = probe_fake(script).opened()
    assert prober.run("SELECT 1").outcome == "ok"
    assert [len(set(unknown) & set(run)) for run in runs] == [2, 1, 0]
    assert all(run[-2:] == ["SELECT 1", "COMMIT"] for run in runs)
    assert prober.run("SELECT 2").outcome == "ok"
    assert len(runs) == 4


@postgres_only
def test_what_a_check_does_not_know_is_its_fault(probe_fake):
    """By the same code: one try."""
    runs = []

    def script(client):
        pg_log_in(client)
        while True:
            statements = pg_statements(client)
            if statements == ["ROLLBACK"]:
                client.send(PG_DONE + pg_ready())
                continue
            runs.append(statements)
            done = PG_DONE * (len(statements) - PG_AROUND)
            client.send(done + pg_error("42704", severity="ERROR") + pg_ready(b"E"))

    reply = probe_fake(script).opened().run("SHOW nothing")
    assert (reply.outcome, reply.code, len(runs)) == ("missing", "42704", 1)


@mysql_only
def test_a_limit_that_a_server_refuses_is_one(probe_fake, engine):
    def script(client):
        my_let_in(client, VERSIONS[engine])
        while True:
            limits = b"lock_wait_timeout" in my_read(client)[1]
            client.send(my_error(1, 1193) if limits else my_ok(1))

    reply = probe_fake(script).open()
    assert (reply.outcome, reply.code) == ("server_error", "1193"), reply


def old(version, heard, unknown):
    """A server that knows no variable whose name contains one of these."""

    def script(client):
        my_let_in(client, version)
        while True:
            said = my_read(client)[1]
            heard.append(said)
            refused = any(name in said for name in unknown)
            client.send(my_error(1, 1193) if refused else my_ok(1))

    return script


@pytest.mark.parametrize("engine", ["mysql"], indirect=True, scope="session")
def test_an_old_server_has_no_limit_for_statements(probe_fake, engine):
    """MySQL 5.6. All else that it is told it knows."""
    heard = []
    script = old("5.6.51-log", heard, [b"max_execution_time", b"transaction_", b"cte_"])
    prober = probe_fake(script).opened()
    assert prober.run("SELECT 1").outcome == "ok"
    assert any(b"tx_read_only" in said and b"lock_wait_timeout" in said for said in heard)
    assert not any(b"max_execution_time" in said for said in heard)


@pytest.mark.parametrize("engine", ["mariadb", "mysql"], indirect=True, scope="session")
def test_a_server_that_is_too_old_is_told_of(probe_fake, engine):
    version = "5.5.62" + "-MariaDB" * (engine == "mariadb")
    reply = probe_fake(old(version, [], [b"tx_read_only"])).open()
    assert (reply.outcome, reply.code) == ("server_error", "1193"), reply
    assert reply.message.startswith("the server is older than any that is supported: 5.5.62")


@pytest.mark.parametrize("engine", ["mysql"], indirect=True, scope="session")
@pytest.mark.parametrize(
    "version, told", [("8.0.36-28.1", True), ("8.0.36-28", False), ("9.7.4-2", False), ("8.4.0", False)]
)
def test_galera_within_mysql(probe_fake, engine, version, told):
    """Percona's and Codership's."""
    heard = []

    def script(client):
        my_let_in(client, version)
        while True:
            heard.append(my_read(client)[1][1:])
            client.send(my_error(1, 1193) if b"wsrep" in heard[-1] else my_ok(1))

    prober = probe_fake(script)
    assert prober.open().outcome == "ok"
    prober.end()
    assert (b"SET SESSION wsrep_sync_wait = 0" in heard) == told


@postgres_only
def test_cut_between_open_and_run_postgres(probe_fake):
    prober = probe_fake(pg_log_in).opened()
    assert prober.run("SELECT 1").outcome == "lost"
    assert prober.run("SELECT 1").outcome == "lost"


# --- hostile servers -----------------------------------------------------------------------------


@mysql_only
@pytest.mark.parametrize("moment", ["statement", "setting"])
def test_a_server_cannot_ask_for_a_file(probe_fake, engine, tmp_path, moment):
    """LOAD DATA LOCAL is the server's request: any statement may be answered with it."""
    secret = tmp_path / "secret"
    secret.write_text("a line of a file\n")
    heard = []

    def script(client):
        my_let_in(client, VERSIONS[engine])
        my_hear_settings(client)
        request = my_packet(1, b"\xfb" + str(secret).encode())
        if moment == "statement":
            client.send(my_ok(1))
            my_answer_run(client, request)
        else:
            client.send(request)
        heard.append(client.receive(4))
        client.stream.shutdown(socket.SHUT_WR)
        heard.append(client.wait_for_end())

    prober = probe_fake(script)
    reply = prober.open()
    if moment == "statement":
        assert reply.outcome == "ok", reply
        reply = prober.run("SELECT 1")
    prober.end()
    at_the_first_statement = ("terminated",) if moment == "setting" else ()
    assert reply.outcome in ("server_error", "lost", *at_the_first_statement), reply
    assert b"a line" not in b"".join(heard)


@mysql_only
@pytest.mark.parametrize("plugin", [b"mysql_clear_password", b"dialog", b"mysql_old_password"])
@pytest.mark.parametrize("moment", ["greeting", "switch"])
@pytest.mark.parametrize("mode", ["DISABLED", "PREFERRED", "REQUIRED"])
def test_a_server_cannot_ask_for_the_password(probe_fake, engine, plugin, moment, mode):
    heard = []

    def script(client):
        if moment == "greeting":
            client.send(my_greeting(VERSIONS[engine], plugin=plugin))
            sequence, body = my_read(client)
        else:
            client.send(my_greeting(VERSIONS[engine]))
            sequence, body = my_read(client)
        heard.append(body)
        client.send(my_packet(sequence + 1, b"\xfe" + plugin + b"\0" + b"x" * 20 + b"\0"))
        client.stream.shutdown(socket.SHUT_WR)
        heard.append(client.wait_for_end())

    prober = probe_fake(script, f"?ssl-mode={mode}")
    reply = prober.open()
    prober.end()
    assert reply.outcome in ("denied", "lost", "tls", "server_error"), reply
    assert b"secret" not in b"".join(heard), heard


@mysql_only
def test_an_unknown_plugin(probe_fake, engine):
    def script(client):
        client.send(my_greeting(VERSIONS[engine]))
        sequence, _ = my_read(client)
        client.send(my_packet(sequence + 1, b"\xfenonesuch\0" + b"x" * 20 + b"\0"))
        client.stream.shutdown(socket.SHUT_WR)
        client.wait_for_end()

    reply = probe_fake(script).open()
    assert reply.outcome == "denied", reply


@mysql_only
def test_a_public_key_that_is_none(probe_fake, engine):
    def script(client):
        client.send(my_greeting(VERSIONS[engine], plugin=b"caching_sha2_password"))
        sequence, _ = my_read(client)
        client.send(my_packet(sequence + 1, b"\x01\x04"))
        sequence, _ = my_read(client)
        client.send(my_packet(sequence + 1, b"\x01not a key"))
        client.wait_for_end()

    reply = probe_fake(script).open()
    assert reply.outcome in ("denied", "server_error"), reply


@pytest.mark.parametrize(
    "text",
    [b"two\nlines\r\n", b"\x1b[31mred\x07", b"bad utf-8 \xff\xfe", b"x" * 100_000, b"", b"%s%n"],
    ids=["lines", "escapes", "bytes", "long", "empty", "format"],
)
def test_hostile_texts(probe_fake, engine, text):
    def script(client):
        if engine == "postgres":
            pg_startup(client)
            client.send(pg_error("57P03", text))
        else:
            client.send(my_greeting(VERSIONS[engine]))
            sequence, _ = my_read(client)
            client.send(my_error(sequence + 1, 3032, text))

    reply = probe_fake(script).open()
    too_long = engine == "postgres" and len(text) > 30_000  # For libpq, not a message any more.
    assert reply.outcome == ("server_error" if too_long else "not_accepting"), reply
    assert len(reply.message) < 1024
    assert all(character.isprintable() for character in reply.message), repr(reply.message)


@pytest.mark.parametrize("version", ["", "x" * 300, "1\n2", "\x1b[31m"])
def test_hostile_versions(probe_fake, engine, version):
    def script(client):
        if engine == "postgres":
            pg_startup(client)
            client.send(
                pg_message(b"R", struct.pack("!I", 0))
                + pg_message(b"S", f"server_version\0{version}\0".encode())
                + pg_ready()
            )
        else:
            my_log_in(client, version)
        client.wait_for_end()

    reply = probe_fake(script).open()
    assert reply.outcome == "ok", reply
    assert all(character.isprintable() for character in reply.version), repr(reply.version)


@postgres_only
@pytest.mark.parametrize("name", ["", "x" * 5000, "a\nb"])
def test_hostile_columns(probe_fake, name):
    answer = pg_message(b"1") + pg_message(b"2") + pg_row_description((name, 25))
    answer += pg_message(b"D", struct.pack("!HI", 1, 1) + b"1") + pg_message(b"C", b"SELECT 1\0")

    def script(client):
        pg_log_in(client)
        pg_answer_run(client, answer + PG_DONE + pg_ready())
        client.wait_for_end()

    reply = probe_fake(script).opened().run("SELECT 1")
    assert reply.outcome == "ok", reply
    assert reply.result.columns == [name[:256]]
