"""What each fault does to the endpoints, to the body that says why, and to the log.

A fault of the server, the network or the operator makes a database not ready. Only one that a
restart can cure makes it dead, and none of them is the adapter's own."""

import contextlib
import functools
import time
from dataclasses import dataclass, field

import documents
import faults
import processes
import pytest
import servers
import sql
from adapter import ENDPOINTS, check_lines
from servers.versions import release

pytestmark = pytest.mark.xdist_group("verdicts")  # They share the servers that they break.

WELL = (200, 200, 200, 200)
UNREADY = (200, 503, 200, 200)  # healthz, readyz, startupz, livez
DEAD = (503, 503, 503, 200)
CHECKS = ("alive", "accepting")
UNCACHED = {"DBHEALTH_CACHE": "0s"}
QUICK = {"DBHEALTH_CACHE": "0s", "DBHEALTH_TIMEOUT": "600ms"}
DEADLINE = 12  # Seconds: the adapter's in these tests, for what is not about time.
LATE = 2  # On a machine under load.


@dataclass(frozen=True)
class Fault:
    """One row: what brings it about, and what it must look like. codes: by engine, the SQLSTATE or
    error number in the log, "" for none; the engines that it is for are those with a code."""

    inject: object
    outcome: str
    stage: str
    codes: dict
    statuses: tuple = UNREADY
    options: dict = field(default_factory=dict)  # Of the URL.
    settings: dict = field(default_factory=dict)  # Of the adapter.
    statement: object = None  # Of the checks, when it isn't the library's.
    times_out: bool = False  # It takes a timeout to see.
    lasting: bool = False  # It ends some time after its cause.
    advice: str = ""  # Words that the body of readiness has.

    def verdict(self, check):
        """What the log calls it; the shipped liveness check tolerates answers."""
        return "warn" if self.statuses == UNREADY and check == "alive" else "fail"


def of(postgres=None, mariadb=None, mysql=None, pgbouncer=None):
    codes = {"postgres": postgres, "mariadb": mariadb, "mysql": mysql, "pgbouncer": pgbouncer}
    return {engine: code for engine, code in codes.items() if code is not None}


SAYS_TLS = release(servers.MariaDB) > (10, 11)  # Before, a demand for it was a wrong password.

FAULTS = {
    "full": Fault(faults.full, "saturated", "open", of("53300", "1040", "1040")),
    "quota": Fault(faults.quota, "quota", "open", of(None, "1226", "1226")),
    "role-limit": Fault(
        faults.quota, "saturated", "open", of("53300"), advice="CONNECTION LIMIT"
    ),
    "wrong-password": Fault(  # A refused secret is shown again after 2 s.
        faults.wrong_password, "denied", "open", of("28P01", "1045", "1045"), lasting=True
    ),
    "role-without-login": Fault(  # Its code is that of some refused secrets.
        faults.locked_account, "denied", "open", of("28000"), lasting=True
    ),
    "locked-account": Fault(faults.locked_account, "denied", "open", of(None, "4151", "3118")),
    "expired-password": Fault(faults.expired_password, "denied", "open", of(mysql="1862")),
    "expired-later": Fault(faults.expired_password, "denied", "run", of(mariadb="1820")),
    "demanding-tls": Fault(
        faults.demanding_tls,
        "tls",
        "open",
        of(mariadb="3159" if SAYS_TLS else None, mysql="3159"),
        advice="ssl-mode=REQUIRED",
    ),
    "demanding-tls-unsaid": Fault(
        faults.demanding_tls,
        "denied",
        "open",
        of(mariadb=None if SAYS_TLS else "1045"),
        lasting=True,
        advice="TLS",
    ),
    "init-connect": Fault(
        faults.init_connect, "terminated", "open", of(None, "1184", "1184"), advice="init_connect"
    ),
    "unknown-database": Fault(
        faults.unknown_database,
        "denied",
        "open",
        of("3D000", "1049", "1049"),
        options={"database": faults.OTHER_DATABASE},
    ),
    "closed-database": Fault(
        faults.closed_database,
        "denied",
        "open",
        of("55000"),
        options={"database": faults.OTHER_DATABASE},
    ),
    "revoked-connect": Fault(
        faults.revoked_connect,
        "denied",
        "open",
        of("42501"),
        options={"database": faults.OTHER_DATABASE},
    ),
    "hba": Fault(faults.rejected_by_hba, "denied", "open", of("28000")),
    "kerberos": Fault(faults.wanting_kerberos, "denied", "open", of("")),
    "offline-mode": Fault(faults.offline_mode, "not_accepting", "open", of(mysql="3032")),
    "shutting-down": Fault(faults.shutting_down, "not_accepting", "open", of("57P03")),
    "recovering": Fault(
        faults.recovering, "not_accepting", "open", of("57P03"), lasting=True
    ),
    "recovering-innodb": Fault(  # It does not listen until it is done.
        faults.recovering, "refused", "open", of(None, "2002", "2002"), statuses=DEAD, lasting=True
    ),
    "slow-statement": Fault(
        faults.slow_statement,
        "query_timeout",
        "run",
        of("57014", "1969", "3024"),
        statement=sql.knob,
        times_out=True,
    ),
    "locked-table": Fault(
        faults.locked_table,
        "query_timeout",
        "run",
        of("55P03", "1969", "3024"),
        statement=sql.knob,
        times_out=True,
    ),
    "locked-catalogue": Fault(
        faults.catalogue_locked, "query_timeout", "run", of("55P03"), times_out=True
    ),
    "killed-session": Fault(
        faults.sessions_killed,
        "terminated",
        "run",
        of("57P01"),
        statement=sql.knob,
    ),
    "lost-session": Fault(  # These two just close the connection.
        faults.sessions_killed,
        "lost",
        "run",
        of(None, "2013", "2013"),
        statement=sql.knob,
        statuses=DEAD,
    ),
    "stopped": Fault(
        faults.stopped,
        "timeout",
        "open",
        of("", "", ""),
        statuses=DEAD,
        times_out=True,
        lasting=True,
    ),
    "locked-login": Fault(
        faults.login_locked,
        "timeout",
        "open",
        of(""),
        statuses=DEAD,
        times_out=True,
        lasting=True,
    ),
    "frozen-after-connect": Fault(
        faults.frozen,
        "timeout",
        "run",
        of("", "", ""),
        statuses=DEAD,
        settings={"DBHEALTH_KEEP": "liveness,main"},
        times_out=True,
        lasting=True,
    ),
    "down": Fault(
        faults.down, "refused", "open", of("", "2002", "2002", pgbouncer=""), statuses=DEAD
    ),
    "frozen-behind": Fault(
        faults.frozen_behind,
        "timeout",
        "run",
        of(pgbouncer=""),
        statuses=DEAD,
        times_out=True,
        lasting=True,
    ),
    "down-behind": Fault(
        faults.down_behind, "server_error", "run", of(pgbouncer="08P01"), lasting=True
    ),
    "pool-stopped": Fault(
        faults.stopped,
        "timeout",
        "open",
        of(pgbouncer=""),
        statuses=DEAD,
        times_out=True,
        lasting=True,
    ),
    "pool-paused": Fault(
        faults.pool_paused,
        "timeout",
        "run",
        of(pgbouncer=""),
        statuses=DEAD,
        times_out=True,
        lasting=True,
    ),
    "pool-disabled": Fault(faults.pool_disabled, "server_error", "open", of(pgbouncer="08P01")),
    "pool-full": Fault(faults.pool_full, "server_error", "open", of(pgbouncer="08P01")),
}


SHOWN_BY = {  # Outcomes that are no row above, and the test, or the file of it, that shows them.
    "ok": "test_a_fault_and_its_end",
    "failed": "test_what_a_check_finds",
    "no_row": "test_what_a_check_finds",
    "missing": "tests/integration/test_keys.py",
    "tls": "tests/integration/test_dialogues.py",
    "unreachable": "tests/integration/test_network.py",
    "crashed": "test_a_prober_killed_in_mid_query",
    "config": "test_our_own_faults",
    "too_large": "tests/integration/test_large_results.py",
    "starved": "tests/integration/test_own_part.py",
    "unknown": "tests/integration/test_cache.py",
    "skipped": "tests/integration/test_keys.py",
}


@pytest.fixture(params=("postgres", "mariadb", "mysql"))
def each_engine(request):
    return request.param


@pytest.fixture(scope="module")
def victims():
    """victims(engine) gives a server that the tests here may break."""
    kinds = {kind.engine: kind for kind in (servers.Postgres, servers.MariaDB, servers.MySQL)}
    with contextlib.ExitStack() as stack:

        @functools.cache
        def victim(engine):
            kind = kinds["postgres" if engine == "pgbouncer" else engine]
            server = stack.enter_context(kind(max_connections=10))
            faults.prepare(server)
            if engine == "pgbouncer":  # Whose connections would hold up another's shutdown.
                return stack.enter_context(servers.PgBouncer(server))
            return server

        yield victim


@pytest.mark.parametrize(
    "engine, name",
    [(engine, name) for name, fault in FAULTS.items() for engine in fault.codes],
)
def test_a_fault_and_its_end(victims, adapter, engine, name):
    fault, victim = FAULTS[name], victims(engine)
    before = victim.connections()
    settings = {**(QUICK if fault.times_out else UNCACHED), **fault.settings}
    a = adapter(victim.url(**fault.options), **settings, **checks_of(fault, victim))
    assert a.statuses() == WELL
    with fault.inject(victim):
        assert observed(a) == (fault.statuses, [fault.outcome, fault.outcome])
        for check in CHECKS:
            assert logged(a, check, engine) == expected(fault, check, engine)
        assert fault.advice in a.get("/readyz?verbose").body
    if fault.lasting:
        servers.wait_until(lambda: a.statuses() == WELL, "it is well again")
    assert a.statuses() == WELL
    assert [line["to"] for line in a.transitions("accepting")] == ["pass", "fail", "pass"]
    assert len(a.probers()) == len(CHECKS)
    servers.wait_until(lambda: not processes.zombies(a.pid), "the dead are reaped")
    a.end()
    if engine != "pgbouncer":  # What that has with its server is its own matter.
        servers.wait_until(lambda: victim.connections() <= before, "nothing is left in the server")


def observed(adapter):
    """The status of each endpoint and each check's outcome code, each endpoint asked once and
    answered in time."""
    answers = {path: answer_of(adapter, path) for path in ENDPOINTS}
    lines = {}
    for answer in answers.values():
        lines.update(check_lines(answer.body))
    statuses = tuple(answer.status for answer in answers.values())
    return statuses, [lines[check].code for check in CHECKS]


def answer_of(adapter, path):
    began = time.monotonic()
    answer = adapter.get(f"{path}?verbose")
    assert time.monotonic() - began < DEADLINE + LATE
    return answer


def checks_of(fault, server):
    if not fault.statement:
        return {}
    statement = fault.statement(server)
    return {"checks": {"alive": sql.alive(statement), "accepting": sql.check(statement)}}


def logged(adapter, check, engine):
    line = adapter.transitions(check)[-1]
    code = line.get("sqlstate" if engine in ("postgres", "pgbouncer") else "errno", "")
    return line["from"], line["to"], line["outcome"], line["stage"], code


def expected(fault, check, engine):
    return "pass", fault.verdict(check), fault.outcome, fault.stage, fault.codes[engine]


# Faults that come in mid-query, once


def test_sigkill_in_mid_query(victims, adapter, each_engine):
    """The connection breaks; then nobody listens; then all is well, each at the first probe."""
    victim = victims(each_engine)
    a = adapter(victim.url(), **UNCACHED, **checks_of(FAULTS["slow-statement"], victim))
    with faults.slow_statement(victim):
        answers = [a.get_later(path) for path in ("/healthz", "/readyz")]
        servers.wait_until(lambda: len(sql.sleeping(victim)) == 2, "both checks run")
        victim.kill9()
        for answer in answers:
            assert answer().status == 503
        assert [line["outcome"] for line in a.transitions()] == ["lost", "lost"]
        assert observed(a) == (DEAD, ["refused", "refused"])
        victim.start()
    assert observed(a) == (WELL, ["", ""])


ENDED = ("terminated", "lost")  # Postgres says so; the others do or just close the connection.


@pytest.mark.parametrize(
    "engine, mode",
    [("postgres", "fast"), ("postgres", "immediate"), ("mariadb", "fast"), ("mysql", "fast")],
)
def test_shutdown_in_mid_query(victims, adapter, engine, mode):
    """The session is ended; then nobody listens; then all is well."""
    victim = victims(engine)
    a = adapter(victim.url(), **UNCACHED, **checks_of(FAULTS["slow-statement"], victim))
    assert a.statuses() == WELL
    with faults.slow_statement(victim):
        answers = [a.get_later(path) for path in ("/healthz", "/readyz")]
        servers.wait_until(lambda: len(sql.sleeping(victim)) == 2, "both checks run")
        victim.stop(mode)
        healthz, readyz = (answer().status for answer in answers)
        outcomes = {line["outcome"] for line in a.transitions()[-2:]}
        assert outcomes <= set(ENDED[:1] if engine == "postgres" else ENDED)
        assert (healthz, readyz) == (200 if outcomes == {"terminated"} else 503, 503)
        assert observed(a) == (DEAD, ["refused", "refused"])
        victim.start()
    assert observed(a) == (WELL, ["", ""])


def test_sigstop_in_mid_query(victims, adapter, each_engine):
    """A server that stops in mid-query costs its prober once it is asked anew, and recovery needs
    nothing from us."""
    victim = victims(each_engine)
    a = adapter(victim.url(), **QUICK, **checks_of(FAULTS["slow-statement"], victim))
    assert a.statuses() == WELL
    old = a.probers()
    with faults.slow_statement(victim):
        answer = a.get_later("/readyz")
        servers.wait_until(lambda: sql.sleeping(victim), "the check runs")
        victim.pause_all()
        assert answer().status == 503
        assert logged(a, "accepting", each_engine) == ("pass", "fail", "timeout", "run", "")
        servers.wait_until(
            lambda: a.status_of("/readyz") == 503 and not set(old) <= set(a.probers()),
            "its prober is killed",
        )
        victim.resume()
    servers.wait_until(lambda: a.statuses() == WELL, "it is well again")


def test_a_recovering_postgres_is_alive(adapter, new_postgres):
    standby = new_postgres(recovering=True)
    a = adapter(standby.url(), **UNCACHED)
    assert observed(a) == (UNREADY, ["not_accepting", "not_accepting"])
    line = a.transitions("accepting")[-1]
    assert (line["sqlstate"], line["stage"]) == ("57P03", "open")


# What is no fault

LOCKS = {  # Those of a backup, and of a migration of other tables.
    "postgres": ("SELECT pg_backup_start('test', true)", "BEGIN; LOCK TABLE app.knob"),
    "mariadb": ("FLUSH TABLES WITH READ LOCK", "LOCK TABLES mysql.global_priv WRITE"),
    "mysql": ("FLUSH TABLES WITH READ LOCK", "LOCK INSTANCE FOR BACKUP"),
}


@pytest.mark.parametrize("engine, lock", [(e, lock) for e in LOCKS for lock in LOCKS[e]])
def test_locks_that_do_not_matter(victims, adapter, engine, lock):
    victim = victims(engine)
    with contextlib.closing(victim._admin()) as holder:
        holder.cursor().execute(lock)
        a = adapter(victim.url(), **UNCACHED)
        assert observed(a) == (WELL, ["", ""])
        holder.rollback()


# Ports without a server, for each engine's prober


GREETINGS = {
    "ssh": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    "http": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "noise": bytes(range(255, 0, -1)) * 16,
    "zeros": bytes(4096),
    "hangs-up": None,
    "silent": b"",
}
GREETED = {"server_error": UNREADY, "lost": DEAD, "timeout": DEAD, "tls": UNREADY}


@pytest.mark.parametrize("scheme", ("postgres", "mysql"))
@pytest.mark.parametrize("greeting", GREETINGS)
def test_a_port_with_something_else(start_adapter, scheme, greeting):
    def greet(connection):
        if GREETINGS[greeting] is None:
            connection.close()
        else:
            connection.sendall(GREETINGS[greeting])

    with faults.listening(greet) as port:
        a = start_adapter(f"{scheme}://probe:word@127.0.0.1:{port}/", **QUICK).wait_serving()
        statuses, codes = observed(a)
        assert codes[0] == codes[1]
        assert statuses == GREETED[codes[0]]
        assert codes[0] == {"hangs-up": "lost", "silent": "timeout"}.get(greeting, codes[0])
        assert not a.messages("prober failed")
        a.end()


# Our own faults: they never fail liveness, and startup only at first


def bad_checks(text):
    return {"checks": {"alive": text, "accepting": text}}


OWN_FAULTS = {  # Name: what the adapter is given, and what its log's problem, or its message, has.
    "no-url": ({"url": None}, "DATABASE_URL: not set"),
    "bad-scheme": ({"url": "ftp://probe:word@127.0.0.1/"}, "DATABASE_URL: the scheme is unknown"),
    "bad-port": ({"url": "postgres://probe:word@127.0.0.1:99999/"}, "DATABASE_URL: the port"),
    "bad-parameter": ({"url": "mysql://probe:word@127.0.0.1/?word=1"}, "DATABASE_URL: parameter 1"),
    "two-urls": ({"DATABASE_URL_FILE": "/dev/null"}, "are both set"),
    "no-url-file": ({"url": None, "DATABASE_URL_FILE": "/tmp/nonexistent"}, "/tmp/nonexistent"),
    "no-password-file": ({"DATABASE_PASSWORD_FILE": "/tmp/nonexistent"}, "/tmp/nonexistent"),
    "no-folder": ({"DBHEALTH_CHECKS": "/nonexistent"}, "cannot read folder /nonexistent"),
    "no-checks": ({"checks": {}}, "no .sql file"),
    "bad-key": (bad_checks("-- endpoint: readyz\nSELECT 1"), "accepting.sql:1:4: unknown key"),
    "bad-rule": (bad_checks("-- fail: 1 > n\nSELECT 1"), "accepting.sql:1:"),
    "no-statement": (bad_checks("-- endpoints: readyz healthz\n"), "no SQL statement"),
}


def test_our_own_faults(adapter, mariadb):
    """All at once, for startup forgives them only after 5 s."""
    adapters = {}
    for name, (options, words) in OWN_FAULTS.items():
        a = adapters[name] = adapter(**{"url": mariadb.url(), **UNCACHED, **options})
        startup = a.get("/startupz?verbose")  # Some of the files are of no check of startupz.
        assert (name, startup.status) == (name, 503 if "unknown: config" in startup.body else 200)
        assert (name, a.status_of("/healthz")) == (name, 200)
        assert (name, a.status_of("/livez")) == (name, 200)
        assert (name, a.status_of("/readyz")) == (name, 503)
        assert config_lines(a), name
        assert any(words in str(line) for line in a.lines()), (name, a.log_text())
        assert "word@" not in a.log_text()
    for name, a in adapters.items():
        a.wait_status("/startupz", 200)
        assert (name, a.statuses()) == (name, UNREADY)


def config_lines(adapter):
    lines = adapter.shown("/readyz").values()
    return [line for line in lines if line.code == "config" and line.fails]


def test_a_broken_check_concerns_its_endpoints_alone(adapter, postgres):
    checks = {
        "alive": sql.alive(),
        "accepting": sql.check(),
        "broken": sql.check(endpoints="replica", fail="lag >"),
    }
    a = adapter(postgres.url(), checks=checks)
    assert a.statuses() == WELL
    assert a.shown("/replica")["broken"].code == "config"
    assert a.status_of("/replica") == 503


def test_a_prober_killed_by_hand_costs_one_probe_at_most(adapter, server):
    a = adapter(server.url(), **UNCACHED)
    for _ in range(20):
        assert a.statuses() == WELL
        for pid in a.probers():
            processes.kill(pid)
        assert a.status_of("/healthz") == 200
        a.get("/readyz")


def test_a_prober_killed_in_mid_query(victims, adapter, each_engine):
    victim = victims(each_engine)
    a = adapter(victim.url(), **UNCACHED, **checks_of(FAULTS["slow-statement"], victim))
    with faults.slow_statement(victim):
        answers = [a.get_later(path) for path in ("/healthz", "/readyz")]
        servers.wait_until(lambda: len(sql.sleeping(victim)) == 2, "both checks run")
        for pid in a.probers():
            processes.kill(pid)
        assert [answer().status for answer in answers] == [200, 503]
        assert {line["outcome"] for line in a.transitions()} == {"crashed"}
        for session in sql.sleeping(victim):
            sql.kill(victim, session)
    assert observed(a) == (WELL, ["", ""])


def test_the_password_file_is_read_at_each_login(adapter, tmp_path, server):
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    url = server.url(password="")
    a = adapter(url, DATABASE_PASSWORD_FILE=str(secret), **UNCACHED)
    assert observed(a) == (UNREADY, ["denied", "denied"])
    secret.write_text(f"{servers.PASSWORDS['probe']}\n")
    assert a.statuses() == WELL
    secret.unlink()
    assert a.statuses()[:2] == UNREADY[:2]
    assert a.transitions("accepting")[-1]["outcome"] == "config"
    secret.write_text(servers.PASSWORDS["probe"])
    assert a.statuses() == WELL


# What a check finds itself


@pytest.mark.parametrize(
    "outcome, text", [("failed", "SELECT 0"), ("no_row", "SELECT 1 WHERE 1 = 0")]
)
def test_what_a_check_finds(adapter, postgres, outcome, text):
    checks = {"alive": sql.check(text, endpoints="healthz startupz"), "accepting": sql.check(text)}
    a = adapter(postgres.url(), checks=checks, **UNCACHED)
    assert observed(a)[0] == DEAD
    assert {line["outcome"] for line in a.transitions()} == {outcome}


# The documents


def test_the_front_page_says_what_the_faults_show():
    """And each of its outcomes is shown, by a row of the table or by the tests named."""
    promised = documents.outcomes()
    shown = {}
    for name, fault in FAULTS.items():
        assert fault.statuses[:3] == promised[fault.outcome], name
        shown.setdefault(fault.outcome, name)
    assert shown.keys() | SHOWN_BY.keys() == promised.keys()
    for outcome, test in SHOWN_BY.items():
        assert test in globals() or f'"{outcome}"' in (documents.REPOSITORY / test).read_text()
