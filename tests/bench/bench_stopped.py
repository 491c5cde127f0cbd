"""Answers while the server is stopped: 200 clients ask at the same moment, and no result is cached.

The checks' timeout is the deadline itself, so that all are due in the same moment: with the
timeout as shipped they would have been answered 100 ms earlier. The server goes on after each
round, or it would be known to be silent, and everyone answered at once."""

from rows import Measured, Row, at_least, at_most, benchmark

CLIENTS = 200
DEADLINE_MS = 900
ROUNDS = 10
ENGINES = ("postgres", "mariadb")
TIMES = {
    "DBHEALTH_CACHE": "0s",
    "DBHEALTH_TIMEOUT": f"{DEADLINE_MS}ms",
    "DBHEALTH_DEADLINE": f"{DEADLINE_MS}ms",
}
ROWS = [
    row
    for engine in ENGINES
    for row in (
        Row(f"{engine}, part", f"answers by deadline + 10 ms, {engine} stopped",
            at_least(99.9, "%")),
        Row(f"{engine}, worst", f"latest answer after the deadline, {engine} stopped",
            at_most(50, "ms")),
    )
]


@benchmark("stopped", ROWS)
def stopped(bench):
    found = {}
    for engine in ENGINES:
        late = lateness(bench, bench.server(engine))
        in_time = sum(ms <= 10 for ms in late)
        answers = f"{len(late):,} answers"
        found[f"{engine}, part"] = Measured(100 * in_time / len(late), "%", ours=answers)
        found[f"{engine}, worst"] = Measured(max(late), "ms", ours=answers)
    return found


def lateness(bench, server):
    """How many ms after the deadline each answer came."""
    latencies = []
    with bench.adapter(server.url(), **TIMES) as ours:
        for _ in range(1 if bench.smoke else ROUNDS):
            ours.adapter.wait_status("/readyz", 200)
            with server.paused():
                done = bench.load(
                    ours, connections=CLIENTS, requests=CLIENTS, keep=False, status=503
                )
            latencies += done["latencies_us"]
    return [microseconds / 1000 - DEADLINE_MS for microseconds in latencies]
