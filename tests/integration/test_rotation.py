"""Secrets that change while the adapter runs: what each order of steps costs, which files are read
anew, and how often a server is shown a password that it has refused."""

import contextlib
import re
import time

import faults
import processes
import pytest
import sql
from program import Program
from servers import PASSWORDS, wait_until
from volume import Volume

SECRET = PASSWORDS["probe"]
UNCACHED = {"DBHEALTH_CACHE": "0s"}
WELL = (200, 200, 200, 200)
UNREADY = (200, 503, 200, 200)  # healthz, readyz, startupz, livez
FORMER = "logged in with the secret before the present one, which is refused for "
SCHEDULE = (2, 6, 14, 30, 62)  # Seconds after the first refusal, as k8s/README.md has it.
PROBERS = 2


def set_password(server, word, user="probe"):
    if server.engine == "postgres":
        server.sql(f"ALTER ROLE {user} PASSWORD '{word}'")
    else:
        server.sql(f"ALTER USER {user}@'%' IDENTIFIED BY '{word}'")


@pytest.fixture
def its_password(server):
    """its_password(word) is the probe's new password; the old one is back after the test."""
    with telling(server):
        yield lambda word: set_password(server, word)
        set_password(server, SECRET)


@contextlib.contextmanager
def telling(server):
    """In the block the server logs each login that it refuses."""
    if server.engine != "mysql":
        yield
        return
    with faults.changed(
        server, "SET GLOBAL log_error_verbosity = 3", "SET GLOBAL log_error_verbosity = DEFAULT"
    ):
        yield


def denials(server, user="probe"):
    """How many logins with a wrong password the server has refused."""
    if server.engine == "postgres":
        return server.log_since().count(f'password authentication failed for user "{user}"')
    return server.log_since().count(f"Access denied for user '{user}'@")


@pytest.fixture
def volume(tmp_path):
    return lambda **files: Volume(tmp_path / "volume", files)


def password_file(secrets):
    return {"DATABASE_PASSWORD_FILE": str(secrets / "password")}


# The order of the steps


def test_the_secret_first_loses_no_verdict(adapter, server, its_password, volume):
    secrets = volume(password=SECRET)
    a = adapter(server.url(password=""), **password_file(secrets), **UNCACHED)
    assert a.statuses() == WELL
    before = denials(server)
    secrets.write({"password": "new"})
    for _ in range(10):
        assert a.statuses() == WELL
    line = a.shown("/readyz")["accepting"]
    assert (line.verdict, line.fails) == ("warn", False)
    assert FORMER in line.detail and "; next try in " in line.detail
    assert denials(server) > before
    its_password("new")
    assert a.statuses() == WELL
    assert a.shown("/readyz")["accepting"].verdict == "ok"
    for check in ("alive", "accepting"):
        first, second, third = a.transitions(check)
        assert (first["to"], second["to"], third["to"]) == ("pass", "warn", "pass")
        assert second["outcome"] == "ok"
        assert second["reason"].startswith(FORMER)
        assert second[code_key(server)] in ("28P01", "1045")
        assert "probe" in second["message"]
    assert SECRET not in a.log_text()


@pytest.mark.parametrize("auth_type", ("scram-sha-256", "md5"))
def test_a_pooler_that_checks_passwords_itself(adapter, postgres, new_pgbouncer, volume, auth_type):
    """The file first, which loses no verdict; then the pooler first, and it is asked seldom."""
    secrets = volume(password=SECRET)
    pool = new_pgbouncer(postgres, settings={"auth_type": auth_type})
    a = adapter(pool.url(password=""), **password_file(secrets), **UNCACHED)
    assert a.statuses() == WELL
    secrets.write({"password": "new"})
    for _ in range(10):
        assert a.statuses() == WELL
    assert FORMER in a.shown("/readyz")["accepting"].detail
    pool.set_password("new")
    assert a.statuses() == WELL
    assert a.shown("/readyz")["accepting"].verdict == "ok"
    pool.set_password("newer")
    before = pool.refusals()
    began = time.monotonic()
    outcome = "denied" if auth_type == "scram-sha-256" else "server_error"
    for _ in range(20):
        assert a.statuses() == UNREADY
        line = a.shown("/readyz")["accepting"]
        assert line.code == outcome and "; next try in " in line.detail
    shown = sum(after < time.monotonic() - began for after in (0, *SCHEDULE))
    assert pool.refusals() - before <= 2 * shown  # The one before the present as well.
    secrets.write({"password": "newer"})
    assert a.statuses() == WELL


def code_key(server):
    return "sqlstate" if server.engine == "postgres" else "errno"


def test_the_server_first_is_mended_by_the_file(adapter, server, its_password, volume):
    secrets = volume(password=SECRET)
    a = adapter(server.url(password=""), **password_file(secrets), **UNCACHED)
    assert a.statuses() == WELL
    its_password("new")
    for _ in range(5):
        assert a.statuses() == UNREADY
    secrets.write({"password": "wrong, too"})
    assert a.statuses() == UNREADY
    secrets.write({"password": "new"})
    assert a.statuses() == WELL
    assert [line["to"] for line in a.transitions("accepting")] == ["pass", "fail", "pass"]


def test_a_url_file_that_changes_user_and_password(adapter, server, its_password, volume):
    secrets = volume(url=server.url())
    a = adapter(None, DATABASE_URL_FILE=str(secrets / "url"), **UNCACHED)
    assert a.statuses() == WELL
    secrets.write({"url": server.url("successor", "its-secret")})
    assert a.statuses() == WELL
    assert a.shown("/readyz")["accepting"].verdict == "warn"
    create, drop = "CREATE USER successor@'%' IDENTIFIED BY 'its-secret'", "DROP USER successor@'%'"
    if server.engine == "postgres":
        create, drop = "CREATE ROLE successor LOGIN PASSWORD 'its-secret'", "DROP ROLE successor"
    with faults.changed(server, create, drop):
        wait_until(lambda: a.shown("/readyz")["accepting"].verdict == "ok", "the new user is used")
        a.get("/healthz")
    assert a.status_of("/healthz") == 200


def test_a_password_is_kept_in_the_prober_alone(adapter, server, volume):
    """Neither dbhealthd, nor what it answers, nor the fork server has ever seen it."""
    secrets = volume(password=SECRET)
    a = adapter(server.url(password=""), **password_file(secrets), **UNCACHED)
    assert a.statuses() == WELL
    secrets.write({"password": "another-secret"})
    assert a.statuses() == WELL
    a.get("/status")
    for word in (SECRET, "another-secret"):
        assert not any(processes.in_memory(pid, word) for pid in (a.pid, a.server))
    assert any(processes.in_memory(pid, SECRET) for pid in a.probers()), "or this test proves nothing"


# How often


class Watched:
    """An adapter with a wrong password."""

    def __init__(self, server, adapter):
        self.server = server
        self.earlier = denials(server)
        self.began = time.monotonic()
        self.adapter = adapter
        self.asked = 0

    def look(self):
        """No more denials than the schedule has, healthz well, and readyz saying what is next."""
        assert self.adapter.statuses() == UNREADY
        detail = self.adapter.shown("/readyz")["accepting"].detail
        assert detail.startswith("denied: ") and "; next try in " in detail, detail
        count = denials(self.server) - self.earlier
        elapsed = time.monotonic() - self.began
        due = sum(second <= elapsed for second in SCHEDULE)
        assert count <= PROBERS + due, f"{count} denials in {elapsed:.1f} s"
        self.asked += 1
        return count


def test_a_wrong_password_is_shown_seldom(adapter, postgres, mariadb, mysql):
    """Probed without a pause, till the second repetition; then the server's side is mended."""
    with contextlib.ExitStack() as stack:
        for server in (postgres, mariadb, mysql):
            stack.enter_context(telling(server))
        watched = [
            Watched(server, adapter(server.url(password="wrong"), **UNCACHED))
            for server in (postgres, mariadb, mysql)
        ]
        for each in watched:
            stack.callback(set_password, each.server, SECRET)
        wait_until(lambda: all([each.look() > PROBERS for each in watched]), "all try again", 30)
        assert min(each.asked for each in watched) > 5, "the schedule held nothing back"
        for each in watched:
            set_password(each.server, "wrong")
        for each in watched:
            wait_until(lambda each=each: each.adapter.statuses() == WELL, "it is well again", 40)


def test_liveness_is_not_made_stale(adapter, postgres):
    """A server that stops while its refusal is remembered is dead at the next probe."""
    a = adapter(postgres.url(password="wrong"), **UNCACHED, DBHEALTH_TIMEOUT="600ms")
    wait_until(lambda: next_try(a) > 5, "there is time to stop the server", 20)
    with postgres.paused():
        assert a.status_of("/healthz") == 503
        assert a.transitions("alive")[-1]["outcome"] == "timeout"
    wait_until(lambda: a.statuses() == UNREADY, "it is alive again")
    assert a.shown("/healthz")["alive"].code == "denied"


def test_a_command_shows_a_refused_password_once(build_dir, server, tmp_path):
    """However many probers it has: an account may be locked, or a host banned, for a few."""
    for name, text in {
        "alive": sql.alive(),
        "accepting": sql.check(),
        "report": sql.check(endpoints="none"),
        "broken": sql.check(fail="?"),
    }.items():
        (tmp_path / f"{name}.sql").write_text(text)
    before = denials(server)
    with telling(server):
        ended = Program(build_dir).run(
            "check", "--checks", tmp_path, DATABASE_URL=server.url("probe", "wrong")
        )
        for name in ("alive", "accepting", "report"):
            assert ended.row(name)[1].startswith("denied: "), ended.output
        wait_until(lambda: denials(server) > before, "the server has logged it")
        assert denials(server) == before + 1


def next_try(adapter):
    """Seconds until the secret is tried again."""
    detail = adapter.shown("/readyz")["accepting"].detail
    return float(re.search(r"next try in (\d+\.\d) s", detail)[1])


def test_no_account_is_locked_by_a_rotation(adapter, mysql, tmp_path):
    """Secret first, with an account that is locked after three failed logins in a row."""
    secret = tmp_path / "secret"
    secret.write_text("old")
    limit = "FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 1"
    create = f"CREATE USER frail@'%' IDENTIFIED BY 'old' {limit}"
    with faults.changed(mysql, create, "DROP USER frail@'%'"), telling(mysql):
        url = mysql.url("frail", password="")
        a = adapter(url, DATABASE_PASSWORD_FILE=str(secret), **UNCACHED)
        assert a.statuses() == WELL
        secret.write_text("new")
        wait_until(lambda: a.statuses() == WELL and denials(mysql, "frail") > PROBERS, "more tries")
        assert a.shown("/readyz")["accepting"].verdict == "warn"
        set_password(mysql, "new", "frail")
        assert a.statuses() == WELL
        assert a.shown("/readyz")["accepting"].verdict == "ok"
