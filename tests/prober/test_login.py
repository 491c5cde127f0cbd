"""What an open makes of a secret that the server refuses, on every real server: when it is shown,
when the last login that worked steps in, and what is asked in its stead. When it may be shown again
is dbhealthd's to say; here `withheld` says it."""

import contextlib
import os
import queue
import socket
import struct
import time
from pathlib import Path

import pytest
from fakes import (
    Fake,
    my_error,
    my_greeting,
    my_read,
    pg_error,
    pg_message,
    pg_read,
    pg_startup,
)
from servers import PASSWORDS, cpu_seconds, wait_until

SECRET = PASSWORDS["probe"]
POSTGRES = pytest.mark.parametrize("engine", ["postgres"], indirect=True, scope="session")
MYSQL = pytest.mark.parametrize("engine", ["mariadb", "mysql"], indirect=True, scope="session")
REFUSED = {"postgres": "28P01", "mariadb": "1045", "mysql": "1045"}


@pytest.fixture
def secret(tmp_path):
    """The password file. Each write is seen as a change, as the kernel's clock ticks slowly."""
    path = tmp_path / "password"

    def write(text):
        previous = path.stat().st_mtime_ns if path.exists() else None
        wait_until(lambda: _write(path, text) != previous, "the file's time changes")
        return path

    write(SECRET)
    return write


def _write(path, text):
    path.write_text(text)
    return path.stat().st_mtime_ns


@pytest.fixture
def prober(start, engine, server, secret, tmp_path):
    """A prober that takes its password from `secret`."""
    environment = {"DATABASE_PASSWORD_FILE": str(tmp_path / "password")}
    return start(engine, server.url(password=""), environment)


@contextlib.contextmanager
def password(server, text):
    """In the block the server knows the probe by this password."""
    set_password(server, text)
    try:
        yield
    finally:
        set_password(server, SECRET)


def set_password(server, text):
    if server.engine == "postgres":
        server.sql(f"ALTER ROLE probe PASSWORD '{text}'")
    else:
        server.sql(f"ALTER USER probe@'%' IDENTIFIED BY '{text}'")


def denials(server):
    """How many logins of the user probe the server has refused for the password."""
    if server.engine == "postgres":
        return server.log_since().count('password authentication failed for user "probe"')
    if server.engine == "mariadb":
        return server.log_since().count("Access denied for user 'probe'@")
    return server.status("Aborted_connects")  # It logs none.


def wait_denials(server, count):
    """Exactly that many; MySQL counts one after it has told us."""
    wait_until(lambda: denials(server) >= count, f"{count} denials")
    assert denials(server) == count


def seen(reply):
    return reply.outcome, reply.trial


# --- a secret that is simply wrong ---------------------------------------------------------------


def test_a_refused_secret_is_not_shown_again(prober, server, secret, engine):
    secret("wrong")
    reply = prober.open()
    assert seen(reply) == ("denied", "refused")
    assert reply.code == REFUSED[engine]
    assert reply.secret != 0
    before = server.log_mark(), denials(server)
    for _ in range(5):
        assert seen(prober.open(withheld=reply.secret)) == ("denied", "withheld")
    if engine != "mysql":
        assert denials(server) == before[1]
    assert "password authentication failed" not in server.log_since(before[0])
    assert seen(prober.open()) == ("denied", "refused")


def test_a_changed_secret_is_shown_at_once(prober, secret):
    secret("wrong")
    refused = prober.open()
    secret("wrong too")
    reply = prober.open(withheld=refused.secret)
    assert seen(reply) == ("denied", "refused")
    assert reply.secret != refused.secret
    secret(SECRET)
    assert seen(prober.open(withheld=reply.secret)) == ("ok", "none")


def test_another_secret_that_is_withheld_concerns_us_not(prober):
    assert seen(prober.open(withheld=4711)) == ("ok", "none")


def test_the_name_of_a_secret_says_nothing_of_it(prober, secret, tmp_path):
    name = prober.opened().open().secret
    assert prober.open().secret == name
    os.utime(tmp_path / "password", ns=(1, 1))
    assert prober.open().secret != name


@pytest.mark.parametrize(
    "variable, others",
    (
        ("POSTGRES_USER_FILE", {"POSTGRES_PASSWORD": "x"}),
        ("POSTGRES_DB_FILE", {"POSTGRES_USER": "probe", "POSTGRES_PASSWORD": "x"}),
        ("MARIADB_USER_FILE", {"MARIADB_PASSWORD": "x"}),
        ("MYSQL_DATABASE_FILE", {"MYSQL_USER": "probe", "MYSQL_PASSWORD": "x"}),
    ),
)
def test_a_corrected_file_of_the_images_is_another_secret(start, tmp_path, variable, others):
    """Even with nothing listening there: so it is shown at once and no back-off is waited for."""
    file = tmp_path / "name"
    file.write_text("nobody")
    engine = "postgres" if variable.startswith("POSTGRES") else "mysql"
    prober = start(engine, environment={variable: str(file), **others})
    name = prober.open().secret
    assert prober.open().secret == name != 0
    file.write_text("somebody")
    assert prober.open().secret != name


def test_a_secret_in_the_url_is_withheld_as_well(probe, server):
    prober = probe(server.url(password="wrong"))
    refused = prober.open()
    assert seen(refused) == ("denied", "refused")
    assert seen(prober.open(withheld=refused.secret)) == ("denied", "withheld")


def test_a_url_file_that_changes_is_used_at_once(start, engine, server, tmp_path):
    file = tmp_path / "url"
    file.write_text(server.url(password="wrong"))
    prober = start(engine, environment={"DATABASE_URL_FILE": str(file)})
    refused = prober.open()
    assert seen(refused) == ("denied", "refused")
    file.write_text(server.url())
    assert seen(prober.open(withheld=refused.secret)) == ("ok", "none")


def test_what_is_not_about_the_secret(probe, server, engine):
    """A denial that a right password would get as well is asked for each time."""
    assert seen(probe(server.url(database="nonesuch")).open()) == ("denied", "none")
    if engine == "postgres":
        return
    server.sql("ALTER USER probe@'%' ACCOUNT LOCK")
    try:
        assert seen(probe(server.url()).open()) == ("denied", "none")
    finally:
        server.sql("ALTER USER probe@'%' ACCOUNT UNLOCK")


@POSTGRES
def test_a_role_that_may_not_log_in(probe, server):
    """Its code is that of a password which PAM or LDAP refuses, so it is taken for one."""
    server.sql("ALTER ROLE probe NOLOGIN")
    try:
        reply = probe(server.url()).open()
        assert (reply.code, reply.trial) == ("28000", "refused")
    finally:
        server.sql("ALTER ROLE probe LOGIN")


@POSTGRES
@pytest.mark.parametrize("sslmode", ["prefer", "disable", "require"])
def test_a_wrong_password_is_one_denial(probe, server, sslmode):
    before = denials(server)
    prober = probe(server.url(password="wrong", sslmode=sslmode))
    assert seen(prober.open()) == ("denied", "refused")
    assert denials(server) == before + 1


# By SASL a pooler has said that it is the password; its code is the same for all that ends a login.
PREFERRED = [("prefer", "require"), ("prefer", "allow")]  # Refused with TLS, libpq tries without.
POOLERS = {"scram-sha-256": "denied", "md5": "server_error", "plain": "server_error"}


@POSTGRES
@pytest.mark.parametrize("auth_type", POOLERS)
@pytest.mark.parametrize("sslmode, demand", [("disable", ""), ("require", "require"), *PREFERRED])
def test_a_secret_that_a_pooler_refuses(probe, server, new_pgbouncer, auth_type, sslmode, demand):
    settings = {"auth_type": auth_type}
    if demand:
        settings["client_tls_sslmode"] = demand
    pool = new_pgbouncer(server, tls=bool(demand), settings=settings)
    prober = probe(pool.url(password="wrong", sslmode=sslmode))
    refused = prober.open()
    assert (refused.code, *seen(refused)) == ("08P01", POOLERS[auth_type], "refused")
    assert seen(prober.open(withheld=refused.secret)) == ("denied", "withheld")
    assert pool.refusals() == 1


@POSTGRES
@pytest.mark.parametrize("sslmode", ["disable", "require"])
def test_a_secret_that_a_pooler_takes_before_it_fails(probe, server, new_pgbouncer, sslmode):
    """Its own, for the server behind it, is wrong. A newer one hands on what the server said."""
    pool = new_pgbouncer(server, tls=sslmode == "require", shows="wrong")
    reply = probe(pool.url(sslmode=sslmode)).open()
    outcome = {"08P01": "server_error", "28P01": "denied"}
    assert seen(reply) == (outcome[reply.code], "none")
    assert 'user "app"' in reply.message


def asked(client, *answers):
    """A server that asks for the password in clear."""
    client.send(pg_message(b"R", struct.pack("!I", 3)))
    pg_read(client)
    for answer in answers:
        client.send(answer)


PG_OK = pg_message(b"R", struct.pack("!I", 0))
SAID = {  # When, and whether that is about the secret.
    "before": (lambda client, error: client.send(error), "none"),
    "instead": (asked, "refused"),
    "after": (lambda client, error: asked(client, PG_OK, error), "none"),
    "with": (lambda client, error: asked(client, PG_OK + error), "none"),
}


@POSTGRES
@pytest.mark.parametrize("when", SAID)
@pytest.mark.parametrize("code", ("08P01", "XX000"))
def test_the_code_that_poolers_have_for_all(start, engine, when, code):
    """And a server for its own trouble, which it tells after it has taken the password."""
    told, trial = SAID[when]

    def script(client):
        pg_startup(client)
        told(client, pg_error(code))

    with Fake(script) as fake:
        prober = start(engine, f"postgres://probe:word@127.0.0.1:{fake.port}/")
        assert seen(prober.open()) == ("server_error", trial)


# --- what is asked in its stead ------------------------------------------------------------------


@pytest.fixture
def refused(probe, server):
    """A prober whose secret the server has refused, and the name of that secret."""
    prober = probe(server.url(password="wrong"))
    return prober, prober.open().secret


def test_a_server_that_is_down_is_told(start, engine, new_server, tmp_path):
    """By a prober that logs in with the former secret, and by one that has none."""
    server = new_server()
    file = tmp_path / "password"
    file.write_text(SECRET)
    environment = {"DATABASE_PASSWORD_FILE": str(file)}
    former, none = (start(engine, server.url(password=""), environment) for _ in range(2))
    former.opened()
    file.write_text("new")
    name = none.open().secret
    server.stop()
    for prober in (former, none):
        assert seen(prober.open(withheld=name)) == ("refused", "none")
    server.start()
    assert seen(none.open(withheld=name)) == ("denied", "withheld")
    assert seen(former.open(withheld=name)) == ("ok", "withheld")


def test_a_server_that_hangs_is_told(server, refused):
    prober, name = refused
    with server.paused():
        prober.send(1, withheld=name)
        with pytest.raises(AssertionError, match="no reply"):
            prober.receive(patience=0.3)
    assert prober.receive().outcome == "denied"


def test_a_unix_socket_is_asked_as_well(start, engine, server, tmp_path):
    prober = start(engine, server.unix_url(password="wrong"))
    name = prober.open().secret
    assert seen(prober.open(withheld=name)) == ("denied", "withheld")
    prober = start(engine, server.unix_url(password="wrong", **socket_at(engine, tmp_path)))
    assert prober.open(withheld=name).outcome == "refused"


def socket_at(engine, folder):
    return {"host": folder} if engine == "postgres" else {"socket": folder / "socket"}


def test_a_full_server_is_told(server, refused):
    """Unless its last place, for administrators, is free: then it asks for the password."""
    prober, name = refused
    with server.full():
        with contextlib.ExitStack() as more:
            with contextlib.suppress(server.driver().Error):
                for connection in iter(server._try_admin, None):
                    more.enter_context(contextlib.closing(connection))
            assert seen(prober.open(withheld=name)) == ("saturated", "none")
    wait_until(lambda: prober.open(withheld=name).trial == "withheld", "there is room again")


@MYSQL
@pytest.mark.parametrize(
    "answer, outcome, code",
    [
        (b"", "lost", "2013"),
        (my_error(0, 1040, sqlstate=None), "saturated", "1040"),
        (my_error(0, 1040), "saturated", "1040"),
        (my_error(0, 1129, ""), "denied", "1129"),
        (my_error(0, 1053, "\x1b[31m" + "x" * 5000), "not_accepting", "1053"),
        (my_greeting(), "denied", ""),
        (b"\xff" * 6, "lost", "2013"),
        (b"\xff\xff\xff\xff\xff\xff\xff", "server_error", "65535"),
        (my_error(0, 2003, "Can't connect to remote MySQL server", None), "lost", "2027"),
        (my_error(0, 2999), "lost", "2027"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "lost", "2027"),
    ],
    ids=[
        *("nothing", "full", "full-with-state", "blocked", "shutdown", "greeting", "short", "bare"),
        *("router", "clients-number", "ssh"),
    ],
)
def test_what_comes_instead_of_a_greeting(start, engine, answer, outcome, code):
    def script(client):
        client.send(answer)

    with Fake(script) as fake:
        prober = start(engine, f"{engine}://probe:wrong@127.0.0.1:{fake.port}/")
        name = prober.open().secret
        reply = prober.open(withheld=name)
        assert (reply.outcome, reply.code) == (outcome, code), reply
        assert all(character.isprintable() for character in reply.message), reply


@MYSQL
@pytest.mark.parametrize("family", ["tcp", "unix"])
def test_a_greeting_that_comes_byte_by_byte(start, engine, family, tmp_path):
    """The prober sleeps between two of them."""
    wanted = queue.SimpleQueue()

    def script(client):
        if fake.clients > 1:
            for byte in my_greeting():
                wanted.get(timeout=20)
                client.send(bytes([byte]))

    path = tmp_path / "socket" if family == "unix" else None
    with Fake(script, path) as fake:
        place = "localhost/?socket=" + str(path) if path else f"127.0.0.1:{fake.port}/"
        prober = start(engine, f"{engine}://probe:wrong@{place}")
        name = prober.open().secret
        prober.send(1, withheld=name)
        wait_until(lambda: fake.clients == 2, "it connects")
        for _ in my_greeting():
            wait_until(lambda: is_asleep(prober), "it sleeps")
            wanted.put(True)
        assert seen(prober.receive()) == ("denied", "withheld")


def is_asleep(prober):
    """It uses no CPU for a while."""
    before = cpu_seconds(prober.pid)
    time.sleep(0.02)
    return cpu_seconds(prober.pid) == before


@MYSQL
def test_a_server_elsewhere_is_not_asked(start, engine):
    """Connections that end before the login would in the end have it shut this machine out."""
    with socket.create_server(("0.0.0.0", 0)) as listener:
        address = _own_address()
        if address is None:
            pytest.skip("this machine has no address but the loopback one")
        port = listener.getsockname()[1]
        prober = start(engine, f"{engine}://probe:wrong@{address}:{port}/")
        prober.send(1)
        listener.accept()[0].close()
        name = prober.receive().secret
        assert seen(prober.open(withheld=name)) == ("denied", "withheld")
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


def _own_address():
    """An address of this machine that is not loopback; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))
        return probe.getsockname()[0]
    return None


# --- the last login that worked ------------------------------------------------------------------


def test_the_former_password_steps_in(prober, server, secret, engine):
    """Secret first, then ALTER USER: each open succeeds, and the new one is refused but once."""
    prober.opened()
    secret("new")
    before = denials(server)
    reply = prober.open()
    assert seen(reply) == ("ok", "refused")
    assert reply.code == REFUSED[engine]
    assert "new" not in reply.message
    assert reply.flavor == engine
    assert prober.run("SELECT 1").outcome == "ok"
    for _ in range(3):
        assert seen(prober.open(withheld=reply.secret)) == ("ok", "withheld")
    assert prober.run("SELECT 1").outcome == "ok"
    wait_denials(server, before + 1)
    with password(server, "new"):
        assert seen(prober.open(withheld=reply.secret)) == ("ok", "none"), "at the next open"
        wait_denials(server, before + 2)
        assert seen(prober.open()) == ("ok", "none")
        set_password(server, SECRET)
        assert seen(prober.open()) == ("denied", "refused"), "the former one is forgotten"


def test_a_former_password_that_is_refused_is_forgotten(prober, server, secret):
    prober.opened()
    secret("new")
    with password(server, "something else"):
        before = denials(server)
        refused = prober.open()
        assert seen(refused) == ("denied", "refused")
        wait_denials(server, before + 2)
        assert seen(prober.open()) == ("denied", "refused")
        wait_denials(server, before + 3)
    assert seen(prober.open()) == ("denied", "refused"), "tried once"


def test_no_former_login_in_a_new_process(prober, start, engine, server, secret, tmp_path):
    prober.opened()
    environment = {"DATABASE_PASSWORD_FILE": str(secret("new"))}
    other = start(engine, server.url(password=""), environment)
    assert seen(other.open()) == ("denied", "refused")
    assert seen(prober.open()) == ("ok", "refused")


def test_the_former_user_steps_in(start, engine, server, tmp_path):
    file = tmp_path / "url"
    file.write_text(server.url())
    prober = start(engine, environment={"DATABASE_URL_FILE": str(file)}).opened()
    file.write_text(server.url("successor", "its-secret"))
    assert seen(prober.open()) == ("ok", "refused")


def test_a_former_password_is_for_its_own_server(start, engine, server, tmp_path):
    """Not even a server on another port is shown it."""

    def script(client):
        if engine == "postgres":
            pg_startup(client)
            client.send(pg_error("28P01"))
        else:
            client.send(my_greeting())
            my_read(client)
            client.send(my_error(2, 1045))

    file = tmp_path / "url"
    file.write_text(server.url())
    prober = start(engine, environment={"DATABASE_URL_FILE": str(file)}).opened()
    with Fake(script) as fake:
        file.write_text(server.url(password="new", port=fake.port))
        assert seen(prober.open()) == ("denied", "refused")
        assert fake.clients == 1


def test_a_replaced_password_is_wiped(prober, server, secret):
    """From the prober's memory, once the server takes the new one."""
    marker = f"former-{time.monotonic_ns()}"
    with password(server, marker):
        secret(marker)
        prober.opened()
        assert in_memory(prober, marker), "it is kept, or this test proves nothing"
        secret(SECRET)
        assert seen(prober.open()) == ("ok", "refused")
    assert seen(prober.open()) == ("ok", "none")
    prober.close()
    assert not in_memory(prober, marker)


def in_memory(prober, text):
    """Whether the text is in the prober's heap or stack."""
    process = Path(f"/proc/{prober.pid}")
    with open(process / "maps") as maps, open(process / "mem", "rb", 0) as memory:
        for line in maps:
            place, access = line.split()[:2]
            if access.startswith("rw"):
                start, end = (int(word, 16) for word in place.split("-"))
                with contextlib.suppress(OSError, OverflowError):
                    memory.seek(start)
                    if text.encode() in memory.read(min(end - start, 1 << 26)):
                        return True
    return False
