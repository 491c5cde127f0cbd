"""From the start of the program to its first answers."""

import subprocess

import measure
from bench_database import url
from rows import Measured, Row, at_most, benchmark
from servers import free_port

ENGINES = ("postgres", "mariadb", "mysql")
ROWS = (
    Row("livez", "from exec to the first /livez", at_most(10, "ms")),
    *(
        Row(engine, f"from exec to the first true /readyz, {engine}", at_most(50, "ms"))
        for engine in ENGINES
    ),
)


@benchmark("start", ROWS)
def start(bench):
    starts = bench.count(60, least=5)
    found = {"livez": measured(bench, "postgres", "/livez", starts)}
    for engine in ENGINES:
        found[engine] = measured(bench, engine, "/readyz", starts)
    return found


def measured(bench, engine, target, starts):
    """By peers/start.c, which loses no time between the program's answer and its own look."""
    port = free_port()
    cpu, load_cpu = measure.cpus()
    words = [starts, cpu, port, target, bench.build / "dbhealthd", f"--listen=127.0.0.1:{port}"]
    log = bench.folder("start-log")
    with log.open("wb") as stream:
        done = subprocess.run(
            [bench.peer("start"), *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=stream,
            env={"DATABASE_URL": url(bench.server(engine))},
            start_new_session=True,
            preexec_fn=measure.pinned(load_cpu),
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(log.read_text()[-2000:])
    return Measured.of([int(line) / 1e3 for line in done.stdout.split()], "ms")
