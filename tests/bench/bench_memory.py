"""Memory of the idle process tree (PSS: what is shared, divided among its sharers) beside
exporters', and the CPU time of a scrape of theirs.

Beside a database of the same system the adapter shares pages of libraries with it. In a container,
the first of its image on a machine, it shares them with nobody: that is measured with an image's
files that no other process has. An exporter is one file, which is nobody else's in either case."""

import exporters
from image import image
from rows import Measured, Row, at_most, benchmark
from servers import wait_until

CLIENTS = 200
SCRAPES = 20
TARGETS = {  # By row: the engine, what the URL says of TLS, and the most MB.
    "postgres, SCRAM": ("postgres", {"sslmode": "disable"}, 9),
    "postgres, TLS": ("postgres", {"sslmode": "require"}, 9),
    "mariadb": ("mariadb", {}, 9),
    "mariadb, TLS": ("mariadb", {"ssl-mode": "REQUIRED"}, 9),
    "mysql": ("mysql", {}, 9),
    "mysql, TLS": ("mysql", {"ssl-mode": "REQUIRED"}, 9),
}
ALONE = ("postgres, SCRAM", "mariadb")
TO_EXPORTER = ("postgres, SCRAM", "postgres, TLS")
MOMENTS = {"probed": "after probes", "waited": f"after {CLIENTS} clients that waited"}

ROWS = [
    Row(f"{name}, {moment}", f"memory, {name}, {words}", at_most(most, "MB"))
    for name, (_, _, most) in TARGETS.items()
    for moment, words in MOMENTS.items()
]
ROWS += [
    Row(f"{name}, exporter", f"memory, {name}, to postgres_exporter", at_most(0.65))
    for name in TO_EXPORTER
]
ROWS += [Row(f"{name}, alone", f"memory, {name}, libraries all its own") for name in ALONE]
ROWS += [Row(f"{name}, memory", f"memory, {name}, after scrapes") for name in exporters.ALL]
ROWS += [Row(f"{name}, cpu", f"CPU per scrape, {name}") for name in exporters.ALL]


@benchmark("memory", ROWS)
def memory(bench):
    found = {}
    for name in TARGETS:
        for moment, samples in samples_of(bench, name).items():
            found[f"{name}, {moment}"] = Measured.of(samples, "MB")
    for name in ALONE:
        samples = samples_of(bench, name, image(bench))
        found[f"{name}, alone"] = Measured.of(samples["waited"], "MB")
    for name, start in exporters.ALL.items():
        found.update(costs_of(bench, name, start))
    theirs = found["postgres_exporter, memory"]
    for name in TO_EXPORTER:
        ours = found[f"{name}, waited"]
        ratio = ours.value / theirs.value
        found[f"{name}, exporter"] = Measured(ratio, ours=ours.ours, peer=theirs.ours)
    return found


def samples_of(bench, name, files=None):
    """Memory in MB, a list for each moment; of the build's own programs, or an image's."""
    engine, params, _ = TARGETS[name]
    options = {"program": files.program, **files.environment()} if files else {}
    rounds = 1 if bench.smoke else 3
    pairs = [moments(bench, bench.server(engine), params, options) for _ in range(rounds)]
    return dict(zip(MOMENTS, zip(*pairs)))


def moments(bench, server, params, options):
    """Memory after probes and after clients that waited."""
    times = {"DBHEALTH_CACHE": "0s", "DBHEALTH_TIMEOUT": "", "DBHEALTH_DEADLINE": ""}
    with bench.adapter(server.url(**params), **times, **options) as ours:
        probe(bench, ours)
        probed = ours.pss()
        with server.paused():
            bench.load(ours, connections=CLIENTS, requests=CLIENTS, keep=False, status=503)
        wait_until(lambda: ours.adapter.statuses() == (200,) * 4, "it is well again")
        probe(bench, ours)
        return probed / 1024, ours.pss() / 1024


def probe(bench, ours):
    for target in ("/healthz", "/readyz"):
        bench.load(ours, requests=bench.count(50, least=2), keep=False, target=target)


def costs_of(bench, name, start):
    scrapes = 2 if bench.smoke else SCRAPES
    with start(bench) as program:
        cpu, _ = program.cpu(lambda: [exporters.scrape(program) for _ in range(scrapes)])
        memory = Measured.of([program.pss() / 1024], "MB")
    return {f"{name}, memory": memory, f"{name}, cpu": Measured.of([cpu / scrapes / 1e3], "us")}
