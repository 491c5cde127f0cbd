"""One suite for every driver, on every real server: what a verb does and which outcome it gives.

What a real server can't be brought to show is in test_faults.py."""

import contextlib
import socket
import threading

import pytest
from servers import MariaDB, Postgres, certificates, free_port, wait_until
from servers.versions import release
from wire import Column, NoReply, Type, Verb

ONLY_POSTGRES = pytest.mark.parametrize("engine", ["postgres"], indirect=True, scope="session")
ONLY_MYSQL = pytest.mark.parametrize("engine", ["mariadb", "mysql"], indirect=True, scope="session")

RESULT_VALUE_MAX = 4096
RESULT_COLUMNS_MAX = 64
VERSIONS = {
    "postgres": f"{release(Postgres)[0]}.",
    "mariadb": "{}.{}.".format(*release(MariaDB)),
    "mysql": "9.",
}


def texts(reply):
    """The rows of a run that must have succeeded."""
    assert reply.outcome == "ok", reply
    return reply.result.texts()


def probe_session(server):
    """The id of the one session of the user probe."""
    found = [session["id"] for session in server.sessions() if session["user"] == "probe"]
    assert len(found) <= 1, found
    return found[0] if found else None


def running_statement(server, text):
    """The id of the session that runs a statement with this text in it."""
    for session in server.sessions():
        if session["user"] != "root" and text in (session["query"] or ""):
            if session["state"] not in ("idle", "Sleep"):
                return session["id"]
    return None


# --- open ----------------------------------------------------------------------------------------


def test_open_names_the_server(probe, server, engine):
    reply = probe(server.url()).open()
    assert (reply.outcome, reply.code, reply.flavor) == ("ok", "", engine), reply
    assert reply.version.startswith(VERSIONS[engine]), reply
    assert " " not in reply.version


def test_open_through_the_unix_socket(probe, server):
    prober = probe(server.unix_url())
    assert prober.open().outcome == "ok"
    assert texts(prober.run("SELECT 1")) == [("1",)]


def test_each_open_is_a_new_session(probe, server, engine):
    prober = probe(server.url())
    own_id = "pg_backend_pid()" if engine == "postgres" else "CONNECTION_ID()"
    first = texts(prober.opened().run(f"SELECT {own_id}"))
    second = texts(prober.opened().run(f"SELECT {own_id}"))
    assert first != second
    wait_until(lambda: len([s for s in server.sessions() if s["user"] == "probe"]) == 1, "one is left")


@pytest.mark.parametrize("wrong", ["password", "user", "no password", "database"])
def test_denied(probe, server, wrong):
    urls = {
        "password": server.url(password="wrong"),
        "user": server.url("nobody", "wrong"),
        "no password": server.url(password=""),
        "database": server.url(database="nonesuch"),
    }
    reply = probe(urls[wrong]).open()
    codes = {
        "password": ("28P01", "1045"),
        "user": ("28P01", "1045"),
        "no password": ("", "1045"),
        "database": ("3D000", "1044"),
    }
    assert reply.outcome == "denied", reply
    assert reply.code in codes[wrong], reply
    assert "wrong" not in reply.message, "a password in a message"


@ONLY_POSTGRES
def test_denied_by_pg_hba(probe, engine, new_postgres):
    server = new_postgres(hba=["host all probe 127.0.0.1/32 reject"])
    reply = probe(server.url()).open()
    assert (reply.outcome, reply.code) == ("denied", "28000"), reply


@ONLY_POSTGRES
def test_denied_without_kerberos(probe, engine, new_postgres):
    """A ticket is asked for, and the message says why there is none."""
    server = new_postgres(hba=["host all probe 127.0.0.1/32 gss"])
    reply = probe(server.url()).open()
    assert (reply.outcome, reply.code) == ("denied", ""), reply
    assert "GSSAPI" in reply.message, reply


@ONLY_POSTGRES
@pytest.mark.parametrize("sslmode", ["prefer", "require", "disable"])
def test_denied_whatever_the_tls_mode(probe, new_postgres, sslmode):
    server = new_postgres(tls=True, hba=["host all probe 127.0.0.1/32 reject"])
    reply = probe(server.url(sslmode=sslmode)).open()
    assert (reply.outcome, reply.code) == ("denied", "28000"), reply


@ONLY_POSTGRES
def test_denied_to_connect_to_a_database(probe, server):
    server.sql("CREATE DATABASE closed")
    try:
        server.sql("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
        reply = probe(server.url(database="closed")).open()
        assert (reply.outcome, reply.code) == ("denied", "42501"), reply
        server.sql("ALTER DATABASE closed ALLOW_CONNECTIONS false")
        reply = probe(server.url(database="closed")).open()
        assert (reply.outcome, reply.code) == ("denied", "55000"), reply
    finally:
        server.sql("DROP DATABASE closed")


@ONLY_MYSQL
def test_denied_unknown_database(probe, server):
    server.sql("CREATE USER everything@'%' IDENTIFIED BY 'x'")
    server.sql("GRANT SELECT ON *.* TO everything@'%'")
    try:
        reply = probe(server.url("everything", "x", database="nonesuch")).open()
        assert (reply.outcome, reply.code) == ("denied", "1049"), reply
    finally:
        server.sql("DROP USER everything@'%'")


@ONLY_MYSQL
def test_denied_locked_account(probe, server, engine):
    server.sql("CREATE USER locked@'%' IDENTIFIED BY 'x' ACCOUNT LOCK")
    try:
        reply = probe(server.url("locked", "x")).open()
        assert reply.outcome == "denied", reply
        assert reply.code == {"mariadb": "4151", "mysql": "3118"}[engine]
    finally:
        server.sql("DROP USER locked@'%'")


@ONLY_MYSQL
def test_denied_expired_password(probe, server):
    server.sql("CREATE USER expired@'%' IDENTIFIED BY 'x' PASSWORD EXPIRE")
    try:
        prober = probe(server.url("expired", "x"))
        reply = prober.open()
        if reply.outcome == "ok":  # let in, to change the password and for nothing else
            reply = prober.run("SELECT 1")
        assert reply.outcome == "denied", reply
        assert reply.code in ("1820", "1862"), reply
    finally:
        server.sql("DROP USER expired@'%'")


@pytest.mark.parametrize("want", ["none", "prefer", "require"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_refused_port(probe, server, dialect, host, want):
    host = f"[{host}]" if ":" in host else host
    reply = probe(server.url(host=host, port=free_port(), **dialect.tls_params(want))).open()
    assert reply.outcome == "refused", reply
    assert "refused" in reply.message


@pytest.mark.parametrize("want", ["none", "prefer", "require"])
def test_a_name_falls_back_to_the_address_that_listens(probe, server, dialect, want):
    assert probe(server.url(host="localhost", **dialect.tls_params(want))).open().outcome == "ok"


def test_refused_socket(probe, server, tmp_path, engine):
    name = "host" if engine == "postgres" else "socket"
    reply = probe(server.unix_url(**{name: tmp_path / "s"})).open()
    assert reply.outcome == "refused", reply


def test_refused_socket_that_nobody_listens_on(probe, engine, new_server):
    server = new_server()
    url = server.unix_url()
    server.kill9()
    assert probe(url).open().outcome == "refused"


def test_socket_whose_path_is_too_long(probe, server, engine):
    name = "host" if engine == "postgres" else "socket"
    reply = probe(server.unix_url(**{name: "/" + "x" * 300})).open()
    assert reply.outcome in ("config", "refused", "server_error"), reply


def test_unreachable_name(probe, server):
    reply = probe(server.url(host="nonesuch.invalid")).open()
    assert reply.outcome == "unreachable", reply


def test_full_server(probe, server, engine, dialect):
    code = {"postgres": "53300"}.get(engine, "1040")
    with server.full():
        for want in ("none", "require"):
            reply = probe(server.url(**dialect.tls_params(want))).open()
            assert (reply.outcome, reply.code) == ("saturated", code), (want, reply)
    wait_until(lambda: server.connections() == 0, "the connections are gone")
    assert probe(server.url()).open().outcome == "ok"


@pytest.mark.parametrize("sql", ["SELECT 1", "SELECT nothing"])
def test_the_last_run_closes(probe, server, sql):
    """Whatever came of it, and politely, with no call nor reply for that."""
    mark = server.log_mark()
    prober = probe(server.url()).opened()
    assert prober.run("SELECT 1").outcome == "ok"
    assert server.connections() > 0
    prober.run(sql, last=True)
    wait_until(lambda: server.connections() == 0, "the connection is gone")
    assert prober.run("SELECT 1").outcome == "config"
    assert "unexpected EOF" not in server.log_since(mark)
    assert prober.opened().run("SELECT 1").outcome == "ok"


@ONLY_POSTGRES
def test_own_limit_of_a_role(probe, server):
    server.sql("CREATE ROLE limited LOGIN PASSWORD 'x' CONNECTION LIMIT 0")
    try:
        reply = probe(server.url("limited", "x")).open()
        assert (reply.outcome, reply.code) == ("saturated", "53300"), reply
    finally:
        server.sql("DROP ROLE limited")


@ONLY_MYSQL
@pytest.mark.parametrize("limit", ["MAX_USER_CONNECTIONS 1", "MAX_CONNECTIONS_PER_HOUR 1"])
def test_own_limit_of_a_user(probe, server, limit):
    name = limit.split()[0].lower()  # The server remembers a dropped user's counters by its name.
    server.sql(f"CREATE USER {name}@'%' IDENTIFIED BY 'x' WITH {limit}")
    try:
        url = server.url(name, "x")
        probe(url).opened()
        reply = probe(url).open()
        assert (reply.outcome, reply.code) == ("quota", "1226"), reply
    finally:
        server.sql(f"DROP USER {name}@'%'")


@ONLY_MYSQL
def test_limit_for_all_users(probe, new_server):
    server = new_server(settings={"max-user-connections": 3})  # Room for the fixture's own.
    for _ in range(3):
        probe(server.url()).opened()
    reply = probe(server.url()).open()
    assert (reply.outcome, reply.code) == ("quota", "1203"), reply


# --- TLS -----------------------------------------------------------------------------------------


def uses_tls(prober, engine):
    """Whether the open session is encrypted, as the server sees it."""
    if engine == "postgres":
        sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        return texts(prober.run(sql)) == [("true",)]
    (row,) = texts(prober.run("SHOW SESSION STATUS LIKE 'Ssl_cipher'"))
    return row[1] != ""


@pytest.mark.parametrize(
    "want, encrypted",
    [("none", False), ("prefer", True), ("require", True), ("verify", True), ("verify-ca", True)],
)
def test_tls(probe, server, dialect, engine, want, encrypted):
    params = dialect.tls_params(want, certificates().ca)
    prober = probe(server.url(**params)).opened()
    assert uses_tls(prober, engine) == encrypted


@ONLY_MYSQL
def test_no_tls_unless_asked(session, engine):
    assert not uses_tls(session, engine)


@ONLY_MYSQL
def test_an_authority_alone_asks_for_verification(probe, server):
    ca = certificates()
    assert probe(server.url(**{"ssl-ca": ca.ca})).open().outcome == "ok"
    assert probe(server.url(**{"ssl-ca": ca.other_ca})).open().outcome == "tls"


@pytest.mark.parametrize("want", ["verify", "verify-ca"])
def test_tls_wrong_authority(probe, server, dialect, want):
    reply = probe(server.url(**dialect.tls_params(want, certificates().other_ca))).open()
    assert reply.outcome == "tls", reply


def test_tls_wrong_name(probe, dialect, new_server):
    """The certificate is for 127.0.0.1 and localhost, not for a second loopback address."""
    server = new_server(tls=True, settings=dialect.listen_everywhere)
    ca = certificates().ca
    url = server.url(host="127.0.0.2", **dialect.tls_params("verify", ca))
    assert probe(url).open().outcome == "tls"
    assert probe(server.url(host="127.0.0.2", **dialect.tls_params("require"))).open().outcome == "ok"


def test_tls_that_the_server_lacks(probe, new_server, dialect):
    server = new_server()
    ca = certificates().ca
    for want in ("require", "verify", "verify-ca"):
        reply = probe(server.url(**dialect.tls_params(want, ca))).open()
        assert reply.outcome == "tls", (want, reply)
    assert probe(server.url(**dialect.tls_params("prefer"))).open().outcome == "ok"


class Wiretap:
    """A relay before a server which keeps all that clients send."""

    def __init__(self, port):
        self.heard = b""
        self._upstream = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._upstream)
                for ends in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._relay, args=ends, daemon=True).start()

    def _relay(self, source, sink, is_client):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_client:
                    self.heard += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("tls", [True, False], ids=["tls", "no tls"])
def test_the_password_is_never_sent_in_clear(probe, new_server, dialect, tls):
    """Connector/C would, for a server that has no TLS when told to use it. MySQL forgets each time
    that it knows the password, and so has it shown."""
    server = new_server(tls=tls)
    for want in ("none", "prefer", "require", "verify", "verify-ca"):
        if server.engine == "mysql":
            server.sql("FLUSH PRIVILEGES")
        wiretap = Wiretap(server.port)
        params = dialect.tls_params(want, certificates().ca)
        reply = probe(server.url(port=wiretap.port, **params)).open()
        assert reply.outcome == ("ok" if tls or want in ("none", "prefer") else "tls"), reply
        assert wiretap.heard or reply.outcome == "tls", "the relay heard nothing"
        assert b"probe-secret" not in wiretap.heard


def test_tls_our_own_mistakes(probe, server, dialect, tmp_path):
    reply = probe(server.url(**dialect.tls_params("bad"))).open()
    assert reply.outcome == "config", reply
    reply = probe(server.url(**dialect.tls_params("verify", tmp_path / "absent.pem"))).open()
    assert reply.outcome == "config", reply
    assert "absent" not in reply.message


def test_tls_works_again_in_the_same_process(start, engine, server, dialect, tmp_path):
    """OpenSSL keeps a failure in a queue of its own, where the next connection finds it."""
    file = tmp_path / "url"
    good = server.url(**dialect.tls_params("verify", certificates().ca))
    bad = server.url(**dialect.tls_params("verify", certificates().other_ca))
    prober = start(engine, environment={"DATABASE_URL_FILE": str(file)})
    for url, outcome in ((good, "ok"), (bad, "tls"), (good, "ok"), (bad, "tls"), (good, "ok")):
        file.write_text(url)
        reply = prober.open()
        assert reply.outcome == outcome, reply
    assert texts(prober.run("SELECT 1")) == [("1",)]


# --- run: results --------------------------------------------------------------------------------


def test_types(session, dialect):
    expressions = ", ".join(f"{sql} AS c{i}" for i, (sql, _, _) in enumerate(dialect.types))
    reply = session.run(f"SELECT {expressions}")
    (row,) = texts(reply) and reply.result.rows
    for (sql, kind, text), value in zip(dialect.types, row, strict=True):
        assert (value.type, value.text.decode()) == (kind, text), sql


def test_what_a_column_holds(session, dialect):
    expressions = ", ".join(f"{sql} AS c{i}" for i, (sql, _) in enumerate(dialect.columns))
    reply = session.run(f"SELECT {expressions}")
    assert reply.outcome == "ok", reply
    for (sql, column), found in zip(dialect.columns, reply.result.types, strict=True):
        assert found == column, sql
    assert session.run(f"SELECT {expressions} FROM (SELECT 1 AS one) AS o WHERE one = 2").result.types


@ONLY_MYSQL
def test_types_of_columns(probe, server, engine):
    columns = "b BIT(10), y YEAR, d DECIMAL(65, 3), f FLOAT, t TINYINT, j JSON, l BLOB"
    server.sql(f"CREATE TABLE app.types ({columns})")
    try:
        server.sql("INSERT INTO app.types VALUES (b'1100000001', 2024, 1.5, 2.5, 3, '{}', 'b')")
        reply = probe(server.url("app")).opened().run("SELECT * FROM app.types")
        assert texts(reply) == [("769", "2024", "1.500", "2.5", "3", "{}", "b")]
        kinds = [value.type for value in reply.result.rows[0]]
        assert kinds == [Type.NUMBER] * 5 + [Type.STRING] * 2
        json = Column.DOCUMENT if engine == "mysql" else Column.PLAIN
        assert reply.result.types == [Column.PLAIN] * 5 + [json, Column.PLAIN]
    finally:
        server.sql("DROP TABLE app.types")


def test_null_is_not_empty(session):
    assert texts(session.run("SELECT NULL AS a, '' AS b, 0 AS c")) == [(None, "", "0")]


def test_column_names(session, engine):
    quote = '"' if engine == "postgres" else "`"
    name = "x" * 60 + "é"
    reply = session.run(f"SELECT 1 AS Mixed, 2 AS {quote}{name}{quote}, 3 AS {quote}a b{quote}")
    assert texts(reply) == [("1", "2", "3")]
    first, second, third = reply.result.columns
    assert (first.lower(), second, third) == ("mixed", name, "a b")


@pytest.mark.parametrize("character", "xé界")
def test_the_longest_column_names(session, engine, character):
    """Those of MySQL and MariaDB have 64 characters, and aliases 256, but they send fewer."""
    quote = '"' if engine == "postgres" else "`"
    names = 64 * character, 256 * character
    statement = "SELECT *, 2 AS {0}{2}{0} FROM (SELECT 1 AS {0}{1}{0}) AS t".format(quote, *names)
    reply = session.run(statement)
    sent = {"postgres": 63, "mariadb": 255, "mysql": 256}[engine]  # Bytes.
    expected = [name.encode()[:sent].decode(errors="ignore") for name in names]
    assert (reply.result.columns, texts(reply)) == (expected, [("1", "2")])


@pytest.mark.parametrize("kept", [0, 1, 7])
def test_row_limit(session, dialect, kept):
    reply = session.run(dialect.rows.format(count=1000), max_rows=kept)
    assert texts(reply) == [(str(n + 1),) for n in range(kept)]
    assert (reply.result.row_count, reply.result.cut) == (1000, False)


def test_no_row(session):
    reply = session.run("SELECT 1 AS a FROM (SELECT 1) AS t WHERE 1 = 0")
    assert texts(reply) == []
    assert (reply.result.row_count, reply.result.columns) == (0, ["a"])


def test_a_long_value_is_cut(session):
    reply = session.run(f"SELECT REPEAT('x', {RESULT_VALUE_MAX}), REPEAT('x', {RESULT_VALUE_MAX + 1})")
    (row,) = texts(reply) and reply.result.rows
    assert [len(value.text) for value in row] == [RESULT_VALUE_MAX] * 2
    assert [value.cut for value in row] == [False, True]


def test_rows_that_do_not_fit_are_counted(session, dialect):
    rows = dialect.rows.format(count=100)
    reply = session.run(f"SELECT REPEAT('x', 2000) FROM ({rows}) AS r", max_rows=100)
    assert reply.outcome == "ok", reply
    assert (reply.result.row_count, reply.result.cut) == (100, True)
    assert 10 < len(reply.result.rows) < 40


def test_columns_that_do_not_fit_are_left_out(session):
    reply = session.run("SELECT " + ", ".join(f"{i} AS c{i}" for i in range(100)))
    assert texts(reply) == [tuple(str(i) for i in range(RESULT_COLUMNS_MAX))]
    assert reply.result.cut


def test_many_rows_cost_no_memory(session, dialect, sanitized):
    count = 1_000_000
    session.run(dialect.rows.format(count=1000))
    before = session.memory()
    reply = session.run(dialect.rows.format(count=count), limit=60_000)
    assert reply.outcome == "ok", reply
    assert reply.result.row_count == count
    if not sanitized:
        assert session.memory() - before < 1024, "KiB more than before"


@pytest.mark.parametrize("want", ["none", "require"])
def test_a_row_that_is_too_large(probe, server, dialect, generous, sanitized, want):
    """The 100 MB would be more than a container of a few dozen MB has."""
    prober = probe(server.url(**dialect.tls_params(want))).opened()
    assert prober.run("SELECT REPEAT('x', 1000000)", limit=60_000).result.rows[0][0].cut
    prober.peak()
    for length in (1_100_000, 3_000_000, 100_000_000):
        before = prober.opened().peak()
        reply = prober.run(f"SELECT 1, REPEAT('x', {length})", limit=60_000)
        assert (reply.outcome, reply.result) == ("too_large", None), (length, reply)
        assert sanitized or prober.peak() - before < 8 * 1024, "KiB"
    assert texts(prober.opened().run("SELECT 1")) == [("1",)]


def test_columns_that_are_too_large_together(probe, server, generous):
    prober = probe(server.url()).opened()
    columns = ", ".join(f"REPEAT('x', 100000) AS c{i}" for i in range(50))
    reply = prober.run(f"SELECT {columns}", limit=60_000)
    assert reply.outcome == "too_large", reply


def test_a_later_row_that_is_too_large(probe, server, generous):
    prober = probe(server.url()).opened()
    sql = "SELECT REPEAT('x', n) FROM (SELECT 1 AS n UNION ALL SELECT 5000000) AS two ORDER BY n"
    reply = prober.run(sql, limit=60_000)
    assert (reply.outcome, reply.result) == ("too_large", None), reply


def test_a_prober_is_small(session, sanitized):
    for _ in range(200):
        assert session.run("SELECT 1").outcome == "ok"
    if not sanitized:
        assert session.memory() < 4096, "KiB"


def test_statement_without_result(session):
    reply = session.run("SET @a = 1" if session_is_mysql(session) else "LISTEN a")
    assert texts(reply) == []
    assert (reply.result.row_count, reply.result.columns) == (0, [])


def session_is_mysql(session):
    return session.program.endswith("mysql")


def test_only_a_comment(session):
    reply = session.run("-- nothing\n")
    assert reply.outcome in ("ok", "server_error"), reply
    assert texts(session.run("SELECT 1")) == [("1",)]


def test_trailing_semicolon_and_comments(session):
    assert texts(session.run("/* a */ SELECT 1; -- the end\n")) == [("1",)]


# --- run: errors ---------------------------------------------------------------------------------


def test_syntax_error(session, engine):
    reply = session.run("SELEC 1")
    assert reply.outcome == "server_error", reply
    assert reply.code == ("42601" if engine == "postgres" else "1064")
    assert "SELEC" in reply.message
    assert reply.result is None
    assert texts(session.run("SELECT 1")) == [("1",)]


def test_error_after_some_rows(session, dialect, engine):
    """The error comes when rows were sent already; none of them may be taken for the result."""
    rows = dialect.rows.format(count=100_000)
    sql = f"SELECT 1 / (99999 - n) FROM ({rows}) AS r"
    if engine != "postgres":  # Division by zero is NULL there.
        sql = f"SELECT CASE WHEN n = 99999 THEN (SELECT 1 UNION SELECT 2) ELSE n END FROM ({rows}) AS r"
    reply = session.run(sql, limit=30_000)
    assert reply.outcome == "server_error", reply
    assert reply.code == ("22012" if engine == "postgres" else "1242")
    assert reply.result is None
    assert texts(session.run("SELECT 1")) == [("1",)]


def test_statement_limit(session, dialect):
    reply = session.run(dialect.slow, limit=50)
    assert reply.outcome == "query_timeout", reply
    assert reply.code in ("57014", "1969", "3024")
    assert texts(session.run("SELECT 1", limit=20_000)) == [("1",)]


def test_statement_limit_is_each_calls_own(session, dialect):
    assert session.run(dialect.slow, limit=1).outcome == "query_timeout"
    slow_enough = dialect.slow.replace("600", "0.05")
    assert session.run(slow_enough, limit=30_000).outcome == "ok"
    assert session.run(dialect.slow, limit=50).outcome == "query_timeout"


def test_lock_limit(probe, server, table):
    prober = probe(server.url("app")).opened()
    with contextlib.closing(server.connect("app")) as holder:
        cursor = holder.cursor()
        cursor.execute(f"UPDATE {table} SET i = 2")
        reply = prober.run(f"UPDATE {table} SET i = 3", read_only=False, limit=200)
        assert reply.outcome == "query_timeout", reply
        assert reply.code in ("55P03", "1205", "1969"), reply
        holder.rollback()
    assert texts(prober.run(f"SELECT i FROM {table}")) == [("1",)]


def test_lock_on_a_table(probe, server, table):
    """A reader that waits for a change of the table's definition."""
    prober = probe(server.url("app")).opened()
    with contextlib.closing(server.connect("app")) as holder:
        cursor = holder.cursor()
        lock = "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE"
        cursor.execute((lock if server.engine == "postgres" else "LOCK TABLES {} WRITE").format(table))
        reply = prober.run(f"SELECT i FROM {table}", limit=200)
        assert reply.outcome == "query_timeout", reply
    assert texts(prober.run(f"SELECT i FROM {table}", limit=20_000)) == [("1",)]


def test_read_only(probe, server, table, dialect):
    prober = probe(server.url("app")).opened()
    for statement in (f"INSERT INTO {table} VALUES (2)", f"DELETE FROM {table}", "DROP TABLE app.t"):
        reply = prober.run(statement)
        assert (reply.outcome, reply.code) == ("server_error", dialect.read_only_code), reply
    assert server.value(f"SELECT count(*) FROM {table}") == 1


def test_writes_when_allowed_and_not_after(probe, server, table, dialect):
    prober = probe(server.url("app")).opened()
    assert texts(prober.run(f"INSERT INTO {table} VALUES (2)", read_only=False)) == []
    assert server.value(f"SELECT count(*) FROM {table}") == 2
    assert prober.run(f"DELETE FROM {table}").code == dialect.read_only_code
    assert prober.run(f"DELETE FROM {table}", read_only=False).outcome == "ok"
    assert server.value(f"SELECT count(*) FROM {table}") == 0


def test_how_long_a_write_took(session):
    """A column for that is filled, of runs that may write alone."""
    sql = "SELECT 1 AS a, NULL AS write_seconds"
    assert texts(session.run(sql)) == [("1", None)]
    reply = session.run(sql, read_only=False)
    assert reply.result.rows[0][1].type == Type.NUMBER
    assert 0 < float(texts(reply)[0][1]) < 60
    for other in ("SELECT 7 AS write_seconds", "SELECT NULL AS b", "SELECT 1 AS a WHERE 1 = 0"):
        assert texts(session.run(other, read_only=False)) in ([("7",)], [(None,)], [])


@ONLY_POSTGRES
def test_the_commit_counts_in_how_long_a_write_took(probe, server):
    """A trigger at the transaction's end takes its time."""
    body = "BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END"
    server.sql(
        "CREATE TABLE app.slow (i int); ALTER TABLE app.slow OWNER TO app;"
        f" CREATE FUNCTION app.rest() RETURNS trigger LANGUAGE plpgsql AS '{body}';"
        " CREATE CONSTRAINT TRIGGER rest AFTER INSERT ON app.slow DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION app.rest()"
    )
    try:
        prober = probe(server.url("app")).opened()
        sql = "INSERT INTO app.slow VALUES (1) RETURNING NULL::numeric AS write_seconds"
        reply = prober.run(sql, read_only=False, limit=30_000)
        assert float(texts(reply)[0][0]) >= 0.2
    finally:
        server.sql("DROP TABLE app.slow; DROP FUNCTION app.rest")


@ONLY_POSTGRES
def test_error_at_commit(probe, server):
    server.sql("CREATE TABLE app.u (i int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    try:
        server.sql("ALTER TABLE app.u OWNER TO app")
        prober = probe(server.url("app")).opened()
        reply = prober.run("INSERT INTO app.u VALUES (1), (1) RETURNING i", read_only=False)
        assert (reply.outcome, reply.code) == ("server_error", "23505"), reply
        assert reply.result is None
        assert texts(prober.run("SELECT count(*) FROM app.u")) == [("0",)]
    finally:
        server.sql("DROP TABLE app.u")


@pytest.mark.parametrize("read_only", [True, False])
def test_second_statement(probe, server, table, dialect, read_only):
    prober = probe(server.url("app")).opened()
    reply = prober.run(f"SELECT 1; DELETE FROM {table}", read_only=read_only)
    assert (reply.outcome, reply.code) == ("server_error", dialect.second_statement_code), reply
    assert server.value(f"SELECT count(*) FROM {table}") == 1


@pytest.mark.parametrize("statement", ["COMMIT", "ROLLBACK", "BEGIN", "START TRANSACTION READ WRITE"])
def test_statements_about_transactions_change_nothing(probe, server, table, dialect, statement):
    prober = probe(server.url("app")).opened()
    prober.run(statement)
    assert prober.run(f"DELETE FROM {table}").code == dialect.read_only_code
    prober.run(statement, read_only=False)
    holding = "SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid() AND mode <> 'ExclusiveLock'"
    if server.engine == "postgres":
        assert server.value(holding) == 0
    assert prober.run(f"UPDATE {table} SET i = 7", read_only=False).outcome == "ok"
    assert server.value(f"SELECT i FROM {table}") == 7, "committed at once"


@ONLY_MYSQL
def test_what_a_statement_left_behind_is_undone(probe, server, table):
    prober = probe(server.url("app")).opened()
    assert prober.run("SET autocommit = 0", read_only=False).outcome == "ok"
    assert prober.run(f"UPDATE {table} SET i = 7", read_only=False).outcome == "ok"
    assert server.value(f"SELECT i FROM {table}") == 7, "committed at once"


# What a statement does to its session, and what tells that nothing of it is left.
WORK_MEM_IS_OURS = (
    "SELECT count(*) FROM pg_settings WHERE name = 'work_mem' AND source = 'session'"
)
TRACES = {
    "postgres": (
        ("SELECT pg_advisory_lock(42)", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"),
        ("SET work_mem = '1MB'", WORK_MEM_IS_OURS),
        ("SELECT set_config('work_mem', '1MB', false)", WORK_MEM_IS_OURS),
        ("LISTEN anything", "SELECT count(*) FROM pg_listening_channels()"),
        ("PREPARE p AS SELECT 1", "SELECT count(*) FROM pg_prepared_statements"),
        ("CREATE TEMP TABLE x (i int)", "SELECT count(*) FROM pg_class WHERE relname = 'x'"),
    ),
    "mysql": (
        ("SELECT GET_LOCK('dbhealth', 0)", "SELECT IS_USED_LOCK('dbhealth') IS NOT NULL"),
        ("DO get_lock('dbhealth', 0)", "SELECT IS_USED_LOCK('dbhealth') IS NOT NULL"),
        ("SET SESSION sql_mode = 'ANSI'", "SELECT @@SESSION.sql_mode LIKE '%ANSI%'"),
        ("SET @trace = 1", "SELECT @trace IS NOT NULL"),
        ("SET NAMES latin1", "SELECT LENGTH('ü') <> 2"),
        ("LOCK TABLES app.t WRITE", "SELECT COUNT(*) FROM app.other"),
        ("CREATE TEMPORARY TABLE app.x (i int)", "SELECT 0"),
    ),
}
BOTH_WAYS = [(family, *trace) for family, traces in TRACES.items() for trace in traces]


@pytest.mark.parametrize("read_only", (False, True))
@pytest.mark.parametrize(
    "family, statement, left", BOTH_WAYS, ids=[f"{row[0]}-{row[1]}" for row in BOTH_WAYS]
)
def test_a_kept_session_is_as_new(probe, server, table, family, statement, left, read_only):
    """Whatever the run before did to it; of those that are refused there is nothing to be seen."""
    if (server.engine == "postgres") != (family == "postgres"):
        pytest.skip("the other family's")
    server.sql("CREATE TABLE app.other (i int)")
    try:
        prober = probe(server.url("app")).opened()
        for _ in range(2):
            reply = prober.run(statement, read_only=read_only)
            assert read_only or reply.outcome == "ok", reply
            assert texts(prober.run(left)) == [("0",)]
        assert texts(prober.run("SELECT 'grün'")) == [("grün",)]
        with contextlib.closing(server.connect("app")) as other:
            cursor = other.cursor()
            cursor.execute(
                "SET lock_timeout = 1000" if family == "postgres" else "SET lock_wait_timeout = 1"
            )
            cursor.execute(f"SELECT i FROM {table}")
    finally:
        server.sql("DROP TABLE app.other")


@ONLY_MYSQL
def test_sessions_commit_whatever_the_servers_default(probe, new_server):
    server = new_server(settings={"autocommit": "0"})
    prober = probe(server.url("app")).opened()
    server.sql("CREATE TABLE app.t (i int)")
    assert texts(prober.run("SELECT count(*) FROM app.t")) == [("0",)]
    with contextlib.closing(server.connect("app")) as application:
        application.cursor().execute("INSERT INTO app.t VALUES (1)")
        application.commit()
    assert texts(prober.run("SELECT count(*) FROM app.t")) == [("1",)]


@ONLY_MYSQL
def test_several_results(probe, server, table):
    body = f"BEGIN SELECT 1 AS a; SELECT 2 AS b, 3 AS c; UPDATE {table} SET i = 9; END"
    server.sql(f"CREATE PROCEDURE app.several() {body}")
    try:
        prober = probe(server.url("app")).opened()
        reply = prober.run("CALL app.several()", read_only=False)
        assert (reply.result.columns, texts(reply)) == (["a"], [("1",)])
        assert texts(prober.run(f"SELECT i FROM {table}")) == [("9",)]
        reply = prober.run("CALL app.several()")
        assert (reply.outcome, reply.code) == ("server_error", "1792"), reply
        assert reply.result is None
        assert texts(prober.run("SELECT 1")) == [("1",)]
    finally:
        server.sql("DROP PROCEDURE app.several")


@ONLY_MYSQL
def test_no_file_of_ours_is_sent(probe, new_server, tmp_path):
    server = new_server(settings={"local-infile": "1"})
    server.sql("CREATE TABLE app.files (line text)")
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    prober = probe(server.url("app")).opened()
    reply = prober.run(f"LOAD DATA LOCAL INFILE '{secret}' INTO TABLE app.files", read_only=False)
    assert reply.outcome == "server_error", reply
    assert server.value("SELECT count(*) FROM app.files") == 0


@ONLY_POSTGRES
@pytest.mark.parametrize(
    "copy", ["COPY (SELECT generate_series(1, 100000)) TO STDOUT", "COPY app.t FROM STDIN"]
)
def test_copy(probe, server, table, copy):
    prober = probe(server.url("app")).opened()
    reply = prober.run(copy, read_only=False)
    assert reply.outcome == "config", reply
    assert "COPY" in reply.message
    assert texts(prober.run(f"SELECT count(*) FROM {table}")) == [("1",)]


@ONLY_POSTGRES
def test_notices_and_notifications(session):
    block = "DO $$ BEGIN RAISE NOTICE 'heard'; RAISE WARNING 'heard'; NOTIFY n, 'heard'; END $$"
    assert session.run("LISTEN n").outcome == "ok"
    for _ in range(3):
        assert texts(session.run(block)) == []
    assert texts(session.run("SELECT 1")) == [("1",)]


@ONLY_POSTGRES
def test_a_run_has_its_own_settings(session):
    names = ("statement_timeout", "lock_timeout", "search_path", "transaction_isolation")
    sql = "SELECT " + ", ".join(f"current_setting('{name}')" for name in names)
    expected = ("1600ms", "1400ms", "pg_catalog, pg_temp", "read committed")
    assert texts(session.run(sql, limit=1600)) == [expected]


def test_a_superuser_is_told(probe, server, engine):
    administrator = server.unix_url("postgres" if engine == "postgres" else "root", "")
    assert probe(administrator).open(inspect=True).superuser
    assert not probe(server.url()).open(inspect=True).superuser


# --- the session ends ----------------------------------------------------------------------------


def test_killed_in_mid_query(session, server, dialect, engine):
    session.send(Verb.RUN, dialect.slow, limit=60_000)
    victim = wait_until(lambda: running_statement(server, "(600)"), "the statement runs")
    server.sql(dialect.kill.format(id=victim))
    reply = session.receive()
    # MySQL and MariaDB close the socket and send nothing; their numbers for it are seen from a fake.
    expected = ("terminated", "57P01") if engine == "postgres" else ("lost", "2013")
    assert (reply.outcome, reply.code) == expected, reply
    reply = session.run("SELECT 1")
    assert reply.outcome == "lost", reply
    assert texts(session.opened().run("SELECT 1")) == [("1",)]


def test_killed_while_idle(session, server, dialect, engine):
    session.run("SELECT 1")
    victim = probe_session(server)
    server.sql(dialect.kill.format(id=victim))
    wait_until(lambda: probe_session(server) is None, "the session has ended")
    reply = session.run("SELECT 1")
    # MySQL and MariaDB end an idle session without a word, or with one that the client's own
    # goodbye crosses.
    assert reply.outcome in ("terminated", "lost"), reply
    if engine == "postgres":
        assert (reply.outcome, reply.code) == ("terminated", "57P01"), reply
    assert session.run("SELECT 1").outcome == "lost"


def test_server_killed_in_mid_query(probe, new_server, dialect):
    for want in ("none", "require"):
        server = new_server(tls=True)
        prober = probe(server.url(**dialect.tls_params(want))).opened()
        prober.send(Verb.RUN, dialect.slow, limit=60_000)
        wait_until(lambda: running_statement(server, "(600)"), "the statement runs")
        server.kill9()
        reply = prober.receive()
        assert reply.outcome == "lost", (want, reply)
        assert prober.run("SELECT 1").outcome == "lost"
        assert prober.open().outcome == "refused"


def test_server_stopped_in_mid_query(probe, new_server, dialect, engine):
    server = new_server()
    prober = probe(server.url()).opened()
    prober.send(Verb.RUN, dialect.slow, limit=60_000)
    wait_until(lambda: running_statement(server, "(600)"), "the statement runs")
    server.stop("fast")
    reply = prober.receive()
    assert reply.outcome in ("terminated", "lost"), reply
    print(engine, reply)


@ONLY_POSTGRES
def test_immediate_shutdown_in_mid_query(probe, new_postgres, dialect):
    server = new_postgres()
    prober = probe(server.url()).opened()
    prober.send(Verb.RUN, dialect.slow, limit=60_000)
    wait_until(lambda: running_statement(server, "(600)"), "the statement runs")
    server.stop("immediate")
    reply = prober.receive()
    assert (reply.outcome, reply.code) == ("terminated", "57P01"), reply


@ONLY_POSTGRES
def test_another_session_crashed(probe, new_postgres, dialect):
    import os
    import signal

    server = new_postgres()
    prober = probe(server.url()).opened()
    prober.send(Verb.RUN, dialect.slow, limit=60_000)
    wait_until(lambda: running_statement(server, "(600)"), "the statement runs")
    with contextlib.closing(server.connect("app")) as other:
        os.kill(other.get_backend_pid(), signal.SIGKILL)
        reply = prober.receive()
    assert (reply.outcome, reply.code) == ("terminated", "57P02"), reply


@ONLY_POSTGRES
def test_database_dropped(probe, server, dialect):
    server.sql("CREATE DATABASE doomed")
    prober = probe(server.url(database="doomed")).opened()
    prober.send(Verb.RUN, dialect.slow, limit=60_000)
    wait_until(lambda: running_statement(server, "(600)"), "the statement runs")
    server.sql("DROP DATABASE doomed WITH (FORCE)")
    assert prober.receive().outcome == "terminated"


@ONLY_POSTGRES
def test_idle_session_timeout(probe, server):
    server.sql("CREATE ROLE idler LOGIN PASSWORD 'x'")
    try:
        server.sql("ALTER ROLE idler SET idle_session_timeout = '20ms'")
        prober = probe(server.url("idler", "x"))
        prober.open()
        wait_until(lambda: not [s for s in server.sessions() if s["user"] == "idler"], "it has ended")
        reply = prober.run("SELECT 1")
        assert (reply.outcome, reply.code) == ("terminated", "57P05"), reply
    finally:
        server.sql("DROP ROLE idler")


@ONLY_MYSQL
def test_idle_session_timeout_mysql(probe, new_server, engine):
    server = new_server(settings={"wait-timeout": "1"})
    prober = probe(server.url()).opened()
    wait_until(lambda: probe_session(server) is None, "the session has ended")
    reply = prober.run("SELECT 1")
    expected = {"mysql": ("terminated", "4031"), "mariadb": ("lost", "2013")}
    assert reply.outcome in (expected[engine][0], "lost"), reply


@pytest.mark.parametrize("want", ["none", "prefer", "require"])
def test_stopped_server(probe, server, dialect, want):
    prober = probe(server.url(**dialect.tls_params(want)))
    with server.paused():
        prober.send(Verb.OPEN)
        with pytest.raises(NoReply):
            prober.receive(patience=0.3)
    assert prober.receive().outcome == "ok"
    assert texts(prober.run("SELECT 1")) == [("1",)]


def test_stopped_session(probe, server):
    prober = probe(server.url()).opened()
    server.pause_all()
    prober.send(Verb.RUN, "SELECT 1", limit=30_000)
    with pytest.raises(NoReply):
        prober.receive(patience=0.3)
    server.resume()
    assert texts(prober.receive()) == [("1",)]


# --- not accepting -------------------------------------------------------------------------------


@ONLY_POSTGRES
def test_recovering(probe, new_postgres):
    server = new_postgres(recovering=True)
    reply = probe(server.url()).open()
    assert (reply.outcome, reply.code) == ("not_accepting", "57P03"), reply


@ONLY_POSTGRES
def test_shutting_down(probe, new_postgres):
    server = new_postgres()
    with contextlib.closing(server.connect("app")):
        server.stop("smart", wait=False)
        prober = probe(server.url())
        reply = wait_until(lambda: (r := prober.open()).outcome != "ok" and r, "it turns us away")
        assert (reply.outcome, reply.code) == ("not_accepting", "57P03"), reply


@pytest.mark.parametrize("engine", ["mysql"], indirect=True, scope="session")
def test_offline_mode(probe, new_server):
    server = new_server()
    prober = probe(server.url()).opened()
    server.sql("SET GLOBAL offline_mode = ON")
    reply = probe(server.url()).open()
    assert (reply.outcome, reply.code) == ("not_accepting", "3032"), reply
    assert prober.run("SELECT 1").outcome in ("not_accepting", "terminated", "lost")


def test_restarted_server(probe, new_server):
    server = new_server()
    prober = probe(server.url()).opened()
    server.stop("fast")
    assert prober.open().outcome == "refused"
    server.start()
    assert prober.open().outcome == "ok"


# --- secrets and the environment -----------------------------------------------------------------


def test_rotated_password_file(start, engine, server, tmp_path):
    file = tmp_path / "password"
    environment = {"DATABASE_PASSWORD_FILE": str(file)}
    prober = start(engine, server.url(password="old"), environment)
    assert prober.open().outcome == "config", "no file yet"
    for password, outcome, trial in (
        ("wrong", "denied", "refused"),
        ("probe-secret", "ok", "none"),
        ("wrong\n", "ok", "refused"),  # The former one steps in: see test_login.py.
        ("probe-secret\n", "ok", "none"),
    ):
        file.write_text(password)
        reply = prober.open()
        assert (reply.outcome, reply.trial) == (outcome, trial), reply
    file.unlink()
    reply = prober.open()
    assert reply.outcome == "config"
    assert "DATABASE_PASSWORD_FILE" in reply.message
    assert prober.run("SELECT 1").outcome == "config", "the earlier session is closed"


POSTGRES_VARIABLES = {
    "PGHOST": "192.0.2.1",
    "PGHOSTADDR": "192.0.2.1",
    "PGPORT": "1",
    "PGUSER": "other",
    "PGDATABASE": "other",
    "PGSSLMODE": "verify-full",
    "PGSSLROOTCERT": "/nonexistent/ca.pem",
    "PGSERVICE": "other",
    "PGOPTIONS": "-c work_mem=nonsense",
    "PGCLIENTENCODING": "nonsense",
    "PGTZ": "nonsense",
    "PGDATESTYLE": "nonsense",
    "PGREQUIREPEER": "other",
    "PGTARGETSESSIONATTRS": "nonsense",
    "PGCHANNELBINDING": "require",
    "PGAPPNAME": "other",
    "PG": "x",
    "PG" + "X" * 500: "x",
}
MYSQL_VARIABLES = {
    "MYSQL_HOST": "192.0.2.1",
    "MYSQL_TCP_PORT": "1",
    "MYSQL_UNIX_PORT": "/nonexistent",
    "MARIADB_PLUGIN_DIR": "/nonexistent",
    "LIBMYSQL_PLUGINS": "nonsense",
}


def test_the_environment_is_ignored(start, engine, server, tmp_path):
    (tmp_path / ".my.cnf").write_text("[client]\nhost=192.0.2.1\nport=1\n")
    (tmp_path / ".pg_service.conf").write_text("[other]\nhost=192.0.2.1\n")
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").write_text("nonsense")
    environment = {**POSTGRES_VARIABLES, **MYSQL_VARIABLES, "HOME": str(tmp_path)}
    for params in ({}, {"sslmode": "require"} if engine == "postgres" else {"ssl-mode": "REQUIRED"}):
        reply = start(engine, server.url(**params), environment).open()
        assert reply.outcome == "ok", reply


def test_no_password_comes_from_elsewhere(start, engine, server, tmp_path):
    environment = {"HOME": str(tmp_path), "PGPASSWORD": "probe-secret", "MYSQL_PWD": "probe-secret"}
    environment["PGPASSFILE"] = str(tmp_path / ".pgpass")
    (tmp_path / ".pgpass").write_text("*:*:*:*:probe-secret\n")
    (tmp_path / ".pgpass").chmod(0o600)
    (tmp_path / ".my.cnf").write_text("[client]\npassword=probe-secret\n")
    reply = start(engine, server.url(password=""), environment).open()
    assert reply.outcome == "denied", reply


@ONLY_POSTGRES
def test_the_application_name(probe, server):
    names = "SELECT current_setting('application_name')"
    assert texts(probe(server.url()).opened().run(names)) == [("dbhealthd",)]
    assert texts(probe(server.url(application_name="other")).opened().run(names)) == [("other",)]


# --- a good guest --------------------------------------------------------------------------------


@ONLY_MYSQL
@pytest.mark.parametrize("want", ["none", "require"])
def test_goodbye_is_polite(probe, server, dialect, want):
    wait_until(lambda: server.connections() == 0, "other tests' connections are gone")
    counters = ("Aborted_clients", "Aborted_connects")
    before = [server.status(name) for name in counters]
    url = server.url(**dialect.tls_params(want))
    closed = probe(url).opened()
    closed.run("SELECT 1")
    closed.run("SELEC 1")
    assert closed.close().outcome == "ok"
    reopened = probe(url).opened().opened()
    ended = probe(url).opened()
    ended.run("SELECT 1")
    ended.end()
    reopened.end()
    closed.end()
    wait_until(lambda: server.connections() == 0, "the connections are gone")
    assert [server.status(name) for name in counters] == before


@ONLY_POSTGRES
@pytest.mark.parametrize("want", ["none", "require"])
def test_goodbye_is_polite_postgres(probe, server, dialect, want):
    wait_until(lambda: server.connections() == 0, "the sessions of earlier tests have ended")
    mark = server.log_mark()
    url = server.url(**dialect.tls_params(want))
    closed = probe(url).opened()
    closed.run("SELECT 1")
    closed.run("SELEC 1")
    assert closed.close().outcome == "ok"
    probe(url).opened().opened().end()
    ended = probe(url).opened()
    ended.run("SELECT 1")
    ended.end()
    wait_until(lambda: server.log_since(mark).count("disconnection") == 4, "four goodbyes are logged")
    log = server.log_since(mark)
    for sign in ("unexpected EOF", "could not receive", "could not send", "WARNING", "Broken pipe"):
        assert sign not in log


@ONLY_POSTGRES
def test_nothing_stays_behind_a_pooler(probe, server, table, new_pgbouncer):
    pooler = new_pgbouncer(server, pool_size=1)
    prober = probe(pooler.url()).opened()
    shown = ("statement_timeout", "lock_timeout", "search_path", "default_transaction_read_only")
    shown += ("idle_in_transaction_session_timeout", "transaction_read_only")

    def settings():
        with contextlib.closing(pooler.connect("app")) as application:
            application.autocommit = True
            cursor = application.cursor()
            cursor.execute(f"INSERT INTO {table} VALUES (5)")
            values = []
            for name in shown:
                cursor.execute(f"SHOW {name}")
                values.append(cursor.fetchone()[0])
            return values

    before = settings()
    for _ in range(30):
        assert texts(prober.run("SELECT 1", limit=1000)) == [("1",)]
        assert prober.run("SELECT 1 / 0").code == "22012"
        assert prober.run("SELECT pg_sleep(600)", limit=20).outcome == "query_timeout"
        assert prober.run(f"DELETE FROM {table}").code == "25006"
    assert settings() == before
    assert probe(pooler.url()).open().outcome == "ok"


def test_an_abandoned_run_ends_on_the_server(probe, new_server, dialect):
    """dbhealthd kills a prober whose run doesn't answer; the server then ends the statement by the
    limit that it was told."""
    server = new_server()
    prober = probe(server.url()).opened()
    prober.send(Verb.RUN, dialect.slow, limit=1500)
    wait_until(lambda: running_statement(server, "(600)"), "the statement runs")
    prober.kill()
    wait_until(lambda: not running_statement(server, "(600)"), "the server ends it", limit=30)


def test_probers_do_not_share_anything(probe, server):
    probers = [probe(server.url()).opened() for _ in range(5)]
    replies = []
    threads = [
        threading.Thread(target=lambda p=p, i=i: replies.append((i, p.run(f"SELECT {i}"))))
        for i, p in enumerate(probers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((i, texts(reply)) for i, reply in replies) == [(i, [(str(i),)]) for i in range(5)]
