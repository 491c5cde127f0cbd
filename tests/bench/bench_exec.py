"""CPU time of a probe beside that of the programs which people run as exec probes. These are begun
anew each time, as a kubelet does it. The database's own CPU time counts nowhere."""

import contextlib
import subprocess

import measure
import servers.postgres
from bench_database import SETTINGS, url
from rows import Measured, Row, below, benchmark
from servers import PASSWORDS

REAL = str(servers.postgres.PROGRAMS)
DEBIAN = "/usr/bin"  # Where Postgres' programs are a script that looks for the real one.
POSTGRES = ("--host=127.0.0.1", "--port={port}", "--username=probe", "--dbname=postgres")
PSQL = ("--no-psqlrc", *POSTGRES, "--command=SELECT 1")
MYSQL = ("--no-defaults", "--skip-ssl", "--host=127.0.0.1", "--port={port}", "--user=probe")
PROBES = {  # By engine and by name.
    "postgres": {
        "pg_isready": (f"{REAL}/pg_isready", *POSTGRES),
        "psql": (f"{REAL}/psql", *PSQL),
        "Debian's pg_isready": (f"{DEBIAN}/pg_isready", *POSTGRES),
        "Debian's psql": (f"{DEBIAN}/psql", *PSQL),
    },
    "mariadb": {
        "mysqladmin ping": (f"{DEBIAN}/mysqladmin", *MYSQL, "ping"),
        "mariadb -e": (f"{DEBIAN}/mariadb", *MYSQL, "--execute=SELECT 1"),
    },
}
PROGRAMS = [program for programs in PROBES.values() for program in programs]

ROWS = tuple(
    Row(f"{program} {kind}", f"CPU, {words}, to {program}", below(bound))
    for program in PROGRAMS
    for kind, words, bound in (("fresh", "uncached, fresh login", 1), ("cached", "cached", 0.01))
)


@benchmark("exec-probes", ROWS)
def exec_probes(bench):
    found = {}
    for engine, programs in PROBES.items():
        samples = samples_of(bench, bench.server(engine), programs)
        for program in programs:
            for kind in ("fresh", "cached"):
                found[f"{program} {kind}"] = Measured.ratio(samples[kind], samples[program], "us")
    return found


def samples_of(bench, server, programs):
    """CPU time of a probe in us, by program, and of the adapter with fresh and cached results."""
    cached = {**SETTINGS, "DBHEALTH_CACHE": "1h"}
    with contextlib.ExitStack() as stack:
        account = stack.enter_context(measure.CpuAccount())
        fresh = stack.enter_context(bench.adapter(url(server), **SETTINGS))
        cached = stack.enter_context(bench.adapter(url(server), **cached))
        taken = {
            "fresh": per_request(bench, fresh, bench.count(50)),
            "cached": per_request(bench, cached, bench.count(2_000)),
        }
        for name, command in programs.items():
            taken[name] = per_run(bench, server, command, account)
        return bench.interleaved(8, taken)


def per_request(bench, adapter, count):
    """A connection for each request, as a kubelet has it; the client is on the same core, as the
    other programs' parents are."""
    cpu = measure.cpus()[0]

    def load():
        bench.load(adapter, requests=count, keep=False, cpu=cpu)

    return lambda: adapter.cpu(load)[0] / count / 1e3


def per_run(bench, server, command, account):
    words = [word.format(port=server.port) for word in command]
    password = PASSWORDS["probe"]
    environment = {"PATH": DEBIAN, "PGPASSWORD": password, "MYSQL_PWD": password}
    environment["PGSSLMODE"] = "disable"
    count = bench.count(10, least=2)

    def run():
        subprocess.run(
            [bench.peer("repeat"), str(count), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
            preexec_fn=measure.pinned(measure.cpus()[0], account.join),
            check=True,
        )

    return lambda: measure.cpu_of(account, run)[0] / count / 1e3
