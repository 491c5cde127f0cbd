"""What the database server sees of many requests: one run of each check in a cache window, counted
by the server itself."""

from rows import Measured, Row, benchmark, exactly
from sql import Counter, check

CHECKS = 3
CLIENTS = 200
CACHE = {"DBHEALTH_CACHE": "1h"}
ENGINES = ("postgres", "mariadb", "mysql")
ROWS = [
    Row(engine, f"runs a check for 10,000 requests in one cache window, {engine}", exactly(1))
    for engine in ENGINES
]


@benchmark("runs", ROWS)
def runs(bench):
    return {engine: runs_on(bench, bench.server(engine)) for engine in ENGINES}


def runs_on(bench, server):
    """All requests come at once, from the first on, when nothing is in the cache yet."""
    with Counter(server) as counter:
        counting = check(counter.taking(), writes="yes")
        checks = {f"counting-{number}": counting for number in range(CHECKS)}
        with bench.adapter(server.url(), checks=checks, **CACHE) as ours:
            done = bench.load(ours, connections=CLIENTS, requests=bench.count(10_000, CLIENTS))
            shown = ours.adapter.shown("/readyz").items()
            assert {name: line.verdict for name, line in shown} == dict.fromkeys(checks, "ok")
        requests = f"{done['requests']:,} requests"
        return Measured(counter.value() / CHECKS, ours=requests)
