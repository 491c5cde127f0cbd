"""Answers for which the database is asked each time, beside the least that a program could do: a
bare libmicrohttpd program that asks on the connection it keeps, and a client without any HTTP that
logs in, asks and leaves in a loop. Both send the same statements with the same libraries."""

import contextlib
import subprocess

import measure
from rows import Measured, Row, at_most, benchmark
from servers import PASSWORDS

CHECKS = {"accepting": "SELECT 1;\n"}
SETTINGS = {"checks": CHECKS, "DBHEALTH_CACHE": "0s", "DBHEALTH_TIMEOUT": "800ms"}
LIBRARY = {"postgres": "postgres", "mariadb": "mysql", "mysql": "mysql"}

COSTS = {"latency": ("latency", at_most(1.6)), "cpu": ("CPU", None)}  # All on one core.

KEPT_ROWS = [
    Row(f"{engine}-{cost}", f"{words}, uncached, kept login, {engine}, to the bare program", target)
    for engine in LIBRARY
    for cost, (words, target) in COSTS.items()
]


@benchmark("uncached-kept", KEPT_ROWS)
def uncached_kept(bench):
    found = {}
    for engine in LIBRARY:
        for cost, samples in kept_samples(bench, engine).items():
            found[f"{engine}-{cost}"] = Measured.ratio(samples["ours"], samples["peer"], "us")
    return found


def kept_samples(bench, engine):
    """For each cost what a request takes of it, by program. Server, client and program run on one
    core, so that the latency is the work of all of them."""
    server = bench.server(engine)
    cpu = measure.cpus()[0]
    requests = bench.count(2_000, least=20)
    with contextlib.ExitStack() as stack:
        stack.enter_context(measure.confined(server.process.pid, cpu))
        ours = stack.enter_context(bench.adapter(url(server), DBHEALTH_KEEP="main", **SETTINGS))
        peer = stack.enter_context(bare_program(bench, "kept", server))

        def per_request(program):
            def sample():
                used, done = program.cpu(lambda: bench.load(program, requests=requests, cpu=cpu))
                return done["seconds"] / requests * 1e6, used / requests / 1e3

            return sample

        programs = {"ours": per_request(ours), "peer": per_request(peer)}
        return by_cost(bench.interleaved(12, programs))


def bare_program(bench, way, server, **how):
    """A block with peers/bare_database.c."""
    command = [bench.peer(f"bare_database_{LIBRARY[server.engine]}"), "{port}", way]
    return bench.program("bare_database", command, environment=login(server, **how))


def by_cost(samples):
    """From pairs of latency and CPU time to a dict of the one and one of the other."""
    costs = {"latency": {}, "cpu": {}}
    for name, pairs in samples.items():
        costs["latency"][name], costs["cpu"][name] = map(list, zip(*pairs))
    return costs


TRUST = ("host all app 127.0.0.1/32 trust",)
LOGINS = {  # By row: the engine, whom to log in as, TLS.
    "Postgres, SCRAM": ("postgres", "probe", "disable"),
    "Postgres, SCRAM, TLS": ("postgres", "probe", "require"),
    "Postgres, trust": ("postgres", "app", "disable"),
    "MariaDB": ("mariadb", "probe", ""),
    "MySQL": ("mysql", "probe", ""),
}
WITHOUT_TARGET = ("Postgres, trust",)

FRESH_ROWS = [
    Row(name, f"CPU, uncached, fresh login, {name}, to the client alone",
        None if name in WITHOUT_TARGET else at_most(1.2))
    for name in LOGINS
]
FRESH_ROWS += [
    Row(f"{name}, bare", f"CPU, uncached, fresh login, {name}, bare program, to the client alone")
    for name in LOGINS
]


@benchmark("uncached-fresh", FRESH_ROWS)
def uncached_fresh(bench):
    found = {}
    for name, (engine, user, sslmode) in LOGINS.items():
        server = bench.server(engine)
        with trusting(server) if user == "app" else contextlib.nullcontext():
            samples = fresh_samples(bench, server, user, sslmode)
        found[name] = Measured.ratio(samples["ours"], samples["peer"], "us")
        found[f"{name}, bare"] = Measured.ratio(samples["bare"], samples["peer"], "us")
    return found


def fresh_samples(bench, server, user, sslmode):
    """CPU time of a probe in us, by program, on one core with the server; the client of the HTTP
    keeps its connection. The bare program is the least that any server of HTTP can do."""
    cpu = measure.cpus()[0]
    requests = bench.count(40)
    with contextlib.ExitStack() as stack:
        stack.enter_context(measure.confined(server.process.pid, cpu))
        ours = stack.enter_context(bench.adapter(url(server, user, sslmode), **SETTINGS))
        how = {"user": user, "sslmode": sslmode}
        bare = stack.enter_context(bare_program(bench, "fresh", server, **how))
        client = stack.enter_context(client_alone(bench, server, **how))

        def per_request(program):
            def load():
                bench.load(program, requests=requests, cpu=cpu)

            return lambda: program.cpu(load)[0] / requests / 1e3

        def per_login():
            return measure.cpu_of(client.account, lambda: client.ask(requests))[0] / requests / 1e3

        programs = {"ours": per_request(ours), "bare": per_request(bare), "peer": per_login}
        return bench.interleaved(8, programs)


class Client:
    """The minimal client of peers/login.c; ask() has it log in so many times."""

    def __init__(self, process, account):
        self.process = process
        self.account = account

    def ask(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n", "the client failed"


@contextlib.contextmanager
def client_alone(bench, server, **how):
    with measure.CpuAccount() as account:
        process = subprocess.Popen(
            [bench.peer(f"login_{LIBRARY[server.engine]}")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=login(server, **how),
            start_new_session=True,
            preexec_fn=measure.pinned(measure.cpus()[0], account.join),
            text=True,
        )
        with process:
            yield Client(process, account)
            process.stdin.close()


@contextlib.contextmanager
def trusting(server):
    """In the block a Postgres wants no password of app."""
    server.set_hba(*TRUST)
    try:
        yield
    finally:
        server.set_hba()


def url(server, user="probe", sslmode="disable"):
    params = {"sslmode": sslmode} if server.engine == "postgres" else {}
    return server.url(user, **params)


def login(server, user="probe", sslmode="disable"):
    """The environment of a peer."""
    return {
        "DATABASE_HOST": server.host,
        "DATABASE_PORT": str(server.port),
        "DATABASE_USER": user,
        "DATABASE_PASSWORD": PASSWORDS[user],
        "DATABASE_SSLMODE": sslmode,
    }
