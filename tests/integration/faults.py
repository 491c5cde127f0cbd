"""Faults of servers, as context managers: in the block the fault is there, after it no more."""

import contextlib
import ctypes
import os
import select
import signal
import socket
import threading

import sql
from processes import children, command_line
from servers import PASSWORDS, wait_until

OTHER_DATABASE = "other"
AT_FDCWD = -100
FAN_CLOEXEC, FAN_CLASS_CONTENT, FAN_MARK_ADD = 0x1, 0x4, 0x1  # <linux/fanotify.h>
FAN_OPEN_PERM, FAN_ONDIR = 0x10000, 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def prepare(server):
    """Makes what the faults work on: a second database that probe may use, and app.knob, a table of
    one row with a number of seconds, which `sql.knob` sleeps for."""
    server.sql(f"CREATE DATABASE {OTHER_DATABASE}")
    server.sql("CREATE TABLE app.knob (seconds int)")
    server.sql("INSERT INTO app.knob VALUES (0)")
    if server.engine == "postgres":
        server.sql("ALTER TABLE app.knob OWNER TO app")
        server.sql("GRANT SELECT ON app.knob TO probe")
    else:
        server.sql(f"GRANT SELECT ON {OTHER_DATABASE}.* TO probe@'%'")
        server.sql("GRANT SELECT ON app.knob TO probe@'%'")


# Logins


@contextlib.contextmanager
def full(server):
    with server.full():
        yield
    wait_until(lambda: admits(server, "app"), "the server has room again")


@contextlib.contextmanager
def quota(server):
    """The limit of the probe's own account is reached."""
    if server.engine == "postgres":
        limit = "ALTER ROLE probe CONNECTION LIMIT"
        with changed(server, f"{limit} 0", f"{limit} -1"):
            yield
        return
    limit = "ALTER USER probe@'%' WITH MAX_USER_CONNECTIONS"
    with changed(server, f"{limit} 1", f"{limit} 0"):
        taken = wait_until(lambda: admitted(server, "probe"), "the only place is ours")
        with contextlib.closing(taken):
            yield


def wrong_password(server):
    if server.engine == "postgres":
        change = "ALTER ROLE probe PASSWORD '{}'"
    else:
        change = "ALTER USER probe@'%' IDENTIFIED BY '{}'"
    return changed(server, change.format("another"), change.format(PASSWORDS["probe"]))


def locked_account(server):
    if server.engine == "postgres":
        return changed(server, "ALTER ROLE probe NOLOGIN", "ALTER ROLE probe LOGIN")
    lock = "ALTER USER probe@'%' ACCOUNT"
    return changed(server, f"{lock} LOCK", f"{lock} UNLOCK")


def expired_password(server):
    """MySQL lets such a user in and then refuses each statement, if the client can cope."""
    change = f"ALTER USER probe@'%' IDENTIFIED BY '{PASSWORDS['probe']}'"
    return changed(server, "ALTER USER probe@'%' PASSWORD EXPIRE", change)


def unknown_database(server):
    """The database of the adapter's URL, OTHER_DATABASE, is gone."""
    grant = f"GRANT SELECT ON {OTHER_DATABASE}.* TO probe@'%'"
    drop, create = f"DROP DATABASE {OTHER_DATABASE}", f"CREATE DATABASE {OTHER_DATABASE}"
    if server.engine == "postgres":
        return changed(server, f"{drop} WITH (FORCE)", create)
    return changed(server, drop, create, grant)


def closed_database(server):
    allow = f"ALTER DATABASE {OTHER_DATABASE} ALLOW_CONNECTIONS"
    return changed(server, f"{allow} false", f"{allow} true")


def revoked_connect(server):
    connect = f"CONNECT ON DATABASE {OTHER_DATABASE}"
    return changed(server, f"REVOKE {connect} FROM PUBLIC", f"GRANT {connect} TO PUBLIC")


def rejected_by_hba(server):
    return logging_in_by(server, "reject")


def wanting_kerberos(server):
    return logging_in_by(server, "gss")


@contextlib.contextmanager
def logging_in_by(server, method):
    server.set_hba(f"host all probe all {method}")
    try:
        yield
    finally:
        server.set_hba()


def offline_mode(server):
    return changed(server, "SET GLOBAL offline_mode = 1", "SET GLOBAL offline_mode = 0")


def init_connect(server):
    """It fails, for all but administrators."""
    change = "SET GLOBAL init_connect ="
    return changed(server, f"{change} 'INSERT INTO nosuch.t VALUES (1)'", f"{change} ''")


def demanding_tls(server):
    change = "SET GLOBAL require_secure_transport ="
    return changed(server, f"{change} ON", f"{change} OFF")


def login_locked(server):
    """Logins wait for a lock."""
    return catalogue_locked(server, "pg_authid")


@contextlib.contextmanager
def catalogue_locked(server, table="pg_type"):
    """As by VACUUM FULL. Statements wait for the lock, and with some tables logins do."""
    with contextlib.closing(server._admin()) as connection:
        connection.autocommit = False
        connection.cursor().execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


# The server as a whole


@contextlib.contextmanager
def stopped(server):
    """SIGSTOP."""
    with server.paused():
        yield


@contextlib.contextmanager
def frozen(server):
    """SIGSTOP of the sessions too."""
    server.pause_all()
    try:
        yield
    finally:
        server.resume()


@contextlib.contextmanager
def recovering(server):
    """A crash, and then recovery that takes as long as the block."""
    if server.engine == "postgres":
        server.sql("CREATE TABLE app.churn AS SELECT generate_series(1, 300000) AS i")
    server.kill9()
    try:
        server.launch()
        pid = wait_until(lambda: _recoverer(server), "recovery begins")
        os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
        server.wait_ready()
        server.sql("DROP TABLE IF EXISTS app.churn")


def _recoverer(server):
    """The process that recovers: of MySQL, the server itself, which does not listen yet."""
    if server.engine != "postgres":
        return server.process.pid
    for pid in children(server.process.pid):
        if b"startup" in command_line(pid):
            return pid
    return None


@contextlib.contextmanager
def down(server):
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextlib.contextmanager
def shutting_down(server):
    """Postgres waits for a session to end."""
    try:
        with contextlib.closing(server.connect("app")):
            server.stop("smart", wait=False)
            wait_until(lambda: not admits(server, "probe"), "logins are refused")
            yield
    finally:
        server.process.wait(45)
        server.start()


# Statements


def slow_statement(server):
    return changed(server, "UPDATE app.knob SET seconds = 60", "UPDATE app.knob SET seconds = 0")


@contextlib.contextmanager
def locked_table(server):
    lock = {"postgres": "LOCK TABLE app.knob"}.get(server.engine, "LOCK TABLES app.knob WRITE")
    with contextlib.closing(server.connect("app")) as connection:
        connection.cursor().execute(lock)
        yield


@contextlib.contextmanager
def sessions_killed(server):
    """Each session of probe is ended once it runs a statement that sleeps."""
    over = threading.Event()

    def kill_all():
        while not over.wait(0.01):
            for session in sql.sleeping(server):
                sql.kill(server, session)

    killer = threading.Thread(target=kill_all, daemon=True)
    with slow_statement(server):
        killer.start()
        try:
            yield
        finally:
            over.set()
            killer.join()


# A pool in front of the server


@contextlib.contextmanager
def frozen_behind(pool):
    with frozen(pool.postgres):
        yield


@contextlib.contextmanager
def down_behind(pool):
    """The pool has noticed: the one who had it notice waits, and who asks from then on is told."""
    mark = pool.log_mark()
    with asking(pool) as ask, down(pool.postgres):
        ask()
        wait_until(lambda: "connect failed" in pool.log_since(mark), "the pool notices")
        yield


@contextlib.contextmanager
def asking(server):
    """Gives a function that starts a query, whose end nobody waits for."""
    with contextlib.closing(server.connect("app")) as connection:

        def ask():
            with contextlib.suppress(server.driver().Error):
                connection.cursor().execute("SELECT 1")

        thread = threading.Thread(target=ask, daemon=True)
        try:
            yield thread.start
        finally:
            with socket.socket(fileno=os.dup(connection.fileno())) as stream:
                stream.shutdown(socket.SHUT_RDWR)
            thread.join()


def pool_paused(pool):
    return changed(pool, "PAUSE", "RESUME")


def pool_disabled(pool):
    return changed(pool, "DISABLE postgres", "ENABLE postgres")


@contextlib.contextmanager
def pool_full(pool):
    limit = "SET max_client_conn ="
    with contextlib.closing(pool.connect("app")), changed(pool, f"{limit} 1", f"{limit} 100"):
        yield


# Ports without a server


@contextlib.contextmanager
def listening(greet):
    """A port on which greet(connection) is called for each that connects; gives its number."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_greet_all, args=(listener, greet), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _greet_all(listener, greet):
    with contextlib.ExitStack() as held, contextlib.suppress(OSError):
        while True:
            connection = held.enter_context(listener.accept()[0])
            with contextlib.suppress(OSError):
                greet(connection)


# Files


@contextlib.contextmanager
def hung(folder):
    """As on a file system of another machine that is gone: whoever opens the folder waits for the
    block's end. Gives a function that waits until someone does."""
    group = _libc.fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, os.O_RDONLY)
    marked = _libc.fanotify_mark(
        group, FAN_MARK_ADD, ctypes.c_uint64(FAN_OPEN_PERM | FAN_ONDIR), AT_FDCWD, bytes(folder)
    )
    if marked != 0:
        raise OSError(ctypes.get_errno(), "fanotify")

    def wait():
        assert select.select([group], [], [], 20)[0], "nobody opens the folder"

    try:
        yield wait
    finally:
        os.close(group)


# What they are made of


@contextlib.contextmanager
def changed(server, change, *back):
    server.sql(change)
    try:
        yield
    finally:
        for statement in back:
            server.sql(statement)


def admitted(server, user):
    """A connection, or None if the server refuses it."""
    try:
        return server.connect(user)
    except server.driver().OperationalError:
        return None


def admits(server, user):
    connection = admitted(server, user)
    if connection:
        connection.close()
    return connection is not None


# A server that stops in mid-query, as often as one likes

STALL = "/* stall */"


@contextlib.contextmanager
def stalling_port(server):
    """A port that leads to the server. A connection stalls for good once its client sends STALL."""

    def serve(client):
        upstream = socket.create_connection((server.host, server.port))
        for pair in ((client, upstream), (upstream, client)):
            threading.Thread(target=_copy, args=pair, daemon=True).start()

    with listening(serve) as port:
        yield port


def _copy(source, sink):
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            if STALL.encode() in piece:
                while source.recv(65536):
                    pass
                break
            sink.sendall(piece)
    for connection in (source, sink):
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
