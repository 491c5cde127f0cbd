"""The official images' variables as the only configuration, on real servers; and superusers, which
the image makes and the adapter warns of."""

import contextlib
import json
import signal

import faults
import pytest
import sql
from loopback import Loopback
from program import Program
from servers import PASSWORDS, wait_until

SUPERUSERS = {"postgres": "postgres", "mariadb": "root", "mysql": "root"}
ROOT_WORD = "root-secret"
WORD = PASSWORDS["app"]
REASON = "the probe user is a superuser, whom a full server still lets in"
CHANGES = {  # What makes a server one from its image, and what makes it the tests' again.
    "postgres": [
        (f"ALTER ROLE postgres PASSWORD '{ROOT_WORD}'", "ALTER ROLE postgres PASSWORD NULL"),
        ("CREATE DATABASE app", "DROP DATABASE app WITH (FORCE)"),
    ],
    "mariadb": [
        (
            f"ALTER USER root@'127.0.0.1' IDENTIFIED BY '{ROOT_WORD}'",
            "ALTER USER root@'127.0.0.1' IDENTIFIED BY ''",
        ),
    ],
    "mysql": [
        (f"CREATE USER root@'%' IDENTIFIED BY '{ROOT_WORD}'", "DROP USER root@'%'"),
        ("GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION",),
    ],
}
SETS = [  # Engine, and the variables of its image that are set.
    ("postgres", {"POSTGRES_USER": "app", "POSTGRES_PASSWORD": WORD, "POSTGRES_DB": "postgres"}),
    ("postgres", {"POSTGRES_USER": "app", "POSTGRES_PASSWORD": WORD}),  # The database is app.
    ("mariadb", {"MARIADB_USER": "app", "MARIADB_PASSWORD": WORD, "MARIADB_DATABASE": "app"}),
    ("mariadb", {"MARIADB_USER": "app", "MARIADB_PASSWORD": WORD, "MARIADB_ROOT_PASSWORD": "x"}),
    ("mariadb", {"MYSQL_USER": "app", "MYSQL_PASSWORD": WORD, "MYSQL_DATABASE": "app"}),
    ("mysql", {"MYSQL_USER": "app", "MYSQL_PASSWORD": WORD, "MYSQL_DATABASE": "app"}),
    ("mysql", {"MYSQL_USER": "app", "MYSQL_PASSWORD": WORD, "MYSQL_ROOT_PASSWORD": "x"}),
]
SUPERUSER_SETS = [
    ("postgres", {"POSTGRES_PASSWORD": ROOT_WORD}),
    ("mariadb", {"MARIADB_ROOT_PASSWORD": ROOT_WORD}),
    ("mariadb", {"MYSQL_ROOT_PASSWORD": ROOT_WORD, "MYSQL_DATABASE": "app"}),
    ("mysql", {"MYSQL_ROOT_PASSWORD": ROOT_WORD}),
]
CONTRADICTIONS = [  # Variables, and what is said of them.
    ({"POSTGRES_PASSWORD": "x", "MYSQL_ROOT_PASSWORD": "x"}, "two kinds of database"),
    (
        {"POSTGRES_PASSWORD": "x", "POSTGRES_PASSWORD_FILE": "/nonexistent"},
        "POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are both set",
    ),
    ({"MYSQL_USER_FILE": "/nonexistent", "MYSQL_PASSWORD": "x"}, "MYSQL_USER_FILE: "),
]


@pytest.fixture
def beside(build_dir, request):
    """beside(engine) makes the shared server one that its image might have set up, on its usual
    port of a loopback; gives the program as it runs there."""
    with contextlib.ExitStack() as stack:

        def start(engine):
            server = request.getfixturevalue(engine)
            stack.enter_context(as_from_image(server))
            loopback = stack.enter_context(Loopback())
            loopback.forward(5432 if engine == "postgres" else 3306, server)
            return Program(build_dir, under=loopback.under)

        yield start


@contextlib.contextmanager
def as_from_image(server):
    """The superuser has a password, and Postgres has a database app."""
    with contextlib.ExitStack() as changes:
        for change in CHANGES[server.engine]:
            changes.enter_context(faults.changed(server, *change))
        yield


def from_files(variables, folder):
    """The same with each value in a file of its own."""
    for name, value in variables.items():
        (folder / name).write_text(f"{value}\n")
    return {f"{name}_FILE": str(folder / name) for name in variables}


def named(row):
    return "-".join((row[0], *(name.lower() for name in row[1])))


# The variables


@pytest.mark.parametrize("engine_name, variables", SETS, ids=map(named, SETS))
@pytest.mark.parametrize("in_files", (False, True), ids=("plain", "file"))
def test_the_images_variables_are_enough(beside, tmp_path, engine_name, variables, in_files):
    program = beside(engine_name)
    environment = from_files(variables, tmp_path) if in_files else variables
    ended = program.run("check", "accepting", "alive", **environment)  # Others want grants.
    assert ended.status == 0, ended.output
    assert ended.row("accepting") == ended.row("alive") == ("pass", "")


def test_they_are_enough_to_serve(beside):
    program = beside("postgres")
    with program.running("--listen", "127.0.0.1:8080", **SETS[0][1]) as serving:
        wait_until(lambda: program.run("get", "/readyz").status == 0, "it is ready")
        assert program.run("get", "/healthz").output == "ok\n"
        serving.process.send_signal(signal.SIGINT)
        assert serving.wait().status == 0


def test_a_replaced_secret_is_used_at_the_next_login(beside, tmp_path):
    program = beside("mariadb")
    variables = from_files(SETS[2][1], tmp_path)
    secret = tmp_path / "MARIADB_PASSWORD"
    with program.running("--listen", "127.0.0.1:8080", DBHEALTH_CACHE="0s", **variables):
        wait_until(lambda: program.run("get", "/readyz").status == 0, "it is ready")
        secret.write_text("another")
        shown = program.run("get", "/readyz?verbose").output
        assert "logged in with the secret before the present one" in shown
        secret.write_text(WORD)
        assert "the present one" not in program.run("get", "/readyz?verbose").output


def test_a_url_wins_over_them(build_dir, postgres):
    ended = Program(build_dir).run(
        "check", DATABASE_URL=postgres.url(), MYSQL_ROOT_PASSWORD="x", POSTGRES_PASSWORD="x"
    )
    assert ended.status == 0


@pytest.mark.parametrize("variables, said", CONTRADICTIONS)
def test_contradictions_are_told(build_dir, variables, said):
    ended = Program(build_dir).run("check", **variables)
    assert ended.status == 2
    assert said in ended.errors


# Superusers


@pytest.mark.parametrize("engine_name, variables", SUPERUSER_SETS, ids=map(named, SUPERUSER_SETS))
def test_the_images_superuser_is_a_warning(beside, tmp_path, engine_name, variables):
    program = beside(engine_name)
    for form in (variables, from_files(variables, tmp_path)):
        ended = program.run("check", **form)
        assert ended.status == 0, ended.output
        assert ended.row("accepting") == ended.row("alive") == ("warn", REASON)


def superuser_url(server, **options):
    return server.url(SUPERUSERS[server.engine], ROOT_WORD, **options)


def test_a_superusers_pass_is_a_warning_everywhere(adapter, server):
    lag = sql.check("SELECT 45 AS s", fail="s > 30", endpoints="lag")
    checks = {"lag": lag, "one": sql.check()}
    with as_from_image(server):
        a = adapter(superuser_url(server), checks=checks)
        assert a.get("/readyz").body == "ok"
        assert a.get("/readyz?verbose").body.startswith(f"[+]one warn: {REASON}\n")
        assert json.loads(a.get("/readyz?format=json").body)["status"] == "warn"
        assert a.shown("/lag")["lag"].detail == "s 45 > 30"  # Not a pass, and not warned of.
        [change] = a.transitions("one")
        assert (change["to"], change["level"], change["reason"]) == ("warn", "warn", REASON)
        assert change["outcome"] == "ok"


def test_an_override_does_not_lift_the_warning(adapter, server):
    checks = {"one": sql.check("SELECT 1 AS n", param="most = 30", fail="n > $most")}
    with as_from_image(server):
        a = adapter(superuser_url(server), checks=checks)
        assert a.shown("/readyz")["one"].verdict == "warn"
        assert a.get("/readyz?verbose&most=5").body.startswith(f"[+]one warn: {REASON}\n")
        assert a.status_of("/readyz?most=0") == 503


def test_an_ordinary_user_is_none(adapter, server):
    for user in PASSWORDS:
        a = adapter(server.url(user))
        assert a.shown("/readyz")["accepting"].verdict == "ok"
