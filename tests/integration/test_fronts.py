"""Poolers and proxies between the adapter and its server, real ones: the table of k8s/README.md says
what is told of each, and here each cell of it is seen."""

import contextlib
import re

import faults
import pytest
import servers
from documents import KUBERNETES, outcomes
from program import Program

QUICK = ("--timeout", "1s", "--deadline", "3s")


def pgbouncer(**settings):
    def make(server):
        pool = servers.PgBouncer(server, settings=settings)
        pool.server = server
        return pool

    return make


POSTGRES, MARIADB, MYSQL = servers.Postgres, servers.MariaDB, servers.MySQL
FRONTS = {  # Row of the table, what stands there, and before which servers.
    "pgbouncer-session": ("PgBouncer", pgbouncer(pool_mode="session"), POSTGRES),
    "pgbouncer-transaction": ("PgBouncer", pgbouncer(pool_mode="transaction"), POSTGRES),
    "pgbouncer-statement": ("PgBouncer", pgbouncer(pool_mode="statement"), POSTGRES),
    "pgbouncer-md5": ("PgBouncer without SCRAM", pgbouncer(auth_type="md5"), POSTGRES),
    "pgbouncer-plain": ("PgBouncer without SCRAM", pgbouncer(auth_type="plain"), POSTGRES),
    "pgpool": ("pgpool", servers.Pgpool, POSTGRES),
    "odyssey": ("Odyssey", servers.Odyssey, POSTGRES),
    "mysql-router": ("MySQL Router", servers.MySqlRouter, MYSQL),
    "haproxy-postgres": ("HAProxy", servers.TcpProxy, POSTGRES),
    "haproxy-mariadb": ("HAProxy", servers.TcpProxy, MARIADB),
    "haproxy-mysql": ("HAProxy", servers.TcpProxy, MYSQL),
}


def table():
    """The outcomes in each cell, by row and head."""
    text = KUBERNETES.read_text().partition("\n| in front |")[2].partition("\n\n")[0]
    head, _, *rows = [line.strip("|").split("|") for line in f"|in front |{text}".splitlines()]
    heads = [cell.strip() for cell in head[1:]]
    cells = {row[0].strip(): [re.findall(r"`(\w+)`", cell) for cell in row[1:]] for row in rows}
    return {name: dict(zip(heads, found, strict=True)) for name, found in cells.items()}


def test_the_table_has_what_is_tested():
    assert table().keys() == {row for row, *_ in FRONTS.values()}


@contextlib.contextmanager
def frozen(server):
    """All its processes, those of sessions that a pooler keeps among them."""
    server.pause_all()
    try:
        yield
    finally:
        server.resume()


STATES = {  # By the table's heads: the front's URL, and what is so meanwhile.
    "wrong password": ({"password": "wrong"}, lambda front: contextlib.nullcontext()),
    "it is frozen": ({}, frozen),
    "its server is frozen": ({}, lambda front: frozen(front.server)),
    "its server is down": ({}, lambda front: faults.down(front.server)),
}


@pytest.fixture
def told(build_dir):
    """told(url) runs the checks of /healthz and /readyz once; gives the outcome, and the statuses
    of the two endpoints."""
    program = Program(build_dir)

    def run(url):
        ended = program.run("check", "alive", "accepting", *QUICK, DATABASE_URL=url)
        (alive, detail), (accepting, _) = (ended.row(name) for name in ("alive", "accepting"))
        statuses = tuple(503 if verdict == "fail" else 200 for verdict in (alive, accepting))
        return detail.partition(":")[0] or "ok", statuses

    return run


@pytest.mark.parametrize("name", FRONTS)
def test_what_is_told_of_a_server_behind(new, told, name):
    row, kind, behind = FRONTS[name]
    front = new(kind, new(behind))
    promised = outcomes()
    assert told(front.url()) == ("ok", (200, 200))
    for state, (changes, cause) in STATES.items():
        with cause(front):
            outcome, statuses = told(front.url(**changes))
        assert outcome in table()[row][state], state
        healthz, readyz, _ = promised[outcome]
        assert statuses == (healthz, readyz), state
