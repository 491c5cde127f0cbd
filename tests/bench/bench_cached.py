"""Answers from the cache: CPU time a request beside a bare libmicrohttpd program and nginx, and
throughput and latency beside nginx.

Results are cached for an hour here, so that no run of a check is among what is measured; a plain
answer still says how old it is. One client alone has the server wake up for each request, as a
kubelet does; of many, it serves several each time it wakes up. With a connection per request the
load needs more CPU time than any of the servers, so throughput tells them apart less than CPU time
does; wrk gets no further."""

import contextlib

from rows import Measured, Row, at_least, at_most, benchmark

CACHE = {"DBHEALTH_CACHE": "1h"}
KEPT, FRESH = "kept connection", "connection per request"
CPU_BOUNDS = {  # By mode and peer.
    (KEPT, "bare_http"): 1.1,
    (KEPT, "nginx"): 1.2,
    (FRESH, "bare_http"): 1.1,
    (FRESH, "nginx"): 1.1,
}
CPU_REQUESTS = {(KEPT, 1): 3000, (KEPT, 32): 10_000, (FRESH, 1): 1500, (FRESH, 32): 4000}
SPEED_BOUNDS = {KEPT: 0.8, FRESH: 0.95}
SPEED_CLIENTS = (1, 32, 256)
SECONDS = 0.15  # of each sample of throughput

CPU_ROWS = [
    Row(
        f"{mode}, {clients}, {peer}",
        f"CPU, cached, {mode}, {clients} at once, to {peer}",
        at_most(bound),
    )
    for (mode, peer), bound in CPU_BOUNDS.items()
    for clients in (1, 32)
]
SPEED_ROWS = [
    Row(
        f"{mode}, {clients}, {what}",
        f"{what}, cached, {mode}, {clients} at once, {order}",
        at_least(bound),
    )
    for mode, bound in SPEED_BOUNDS.items()
    for clients in SPEED_CLIENTS
    for what, order in (("throughput", "to nginx"), ("p99", "nginx's to ours"))
]


@contextlib.contextmanager
def programs(bench, *peers):
    """Ours, with a result in its cache, and the peers; all run."""
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(bench.adapter(bench.server("postgres").url(), **CACHE))
        assert ours.adapter.status_of("/readyz") == 200
        yield [ours, *(stack.enter_context(peer) for peer in peers)]


@benchmark("cached-cpu", CPU_ROWS)
def cached_cpu(bench):
    found = {}
    with programs(bench, bench.bare_http(), bench.nginx()) as running:
        for (mode, clients), requests in CPU_REQUESTS.items():
            samples = cpu_samples(bench, running, mode == KEPT, clients, bench.count(requests))
            for peer in ("bare_http", "nginx"):
                found[f"{mode}, {clients}, {peer}"] = Measured.ratio(
                    samples["dbhealthd"], samples[peer], "us"
                )
    return found


def cpu_samples(bench, running, keep, clients, requests):
    """The CPU time in us that each program takes for a request, by its name."""

    def sampler(program):
        def load():
            return bench.load(program, connections=clients, requests=requests, keep=keep)

        return lambda: program.cpu(load)[0] / requests / 1000

    samplers = {program.name: sampler(program) for program in running}
    return bench.interleaved(16, samplers)


@benchmark("cached-speed", SPEED_ROWS)
def cached_speed(bench):
    found = {}
    with programs(bench, bench.nginx()) as running:
        for mode in SPEED_BOUNDS:
            for clients in SPEED_CLIENTS:
                loads = load_samples(bench, running, mode == KEPT, clients)
                name = f"{mode}, {clients}"
                found[f"{name}, throughput"] = throughput(loads)
                found[f"{name}, p99"] = latency(loads)
    return found


def load_samples(bench, running, keep, clients):
    """What the load tells of each program, by its name."""
    seconds = 0.02 if bench.smoke else SECONDS

    def sampler(program):
        return lambda: bench.load(program, connections=clients, seconds=seconds, keep=keep)

    return bench.interleaved(30, {each.name: sampler(each) for each in running})


def throughput(loads):
    rates = {name: [one["requests"] / one["seconds"] for one in loads[name]] for name in loads}
    return Measured.ratio(rates["dbhealthd"], rates["nginx"], "/s")


def latency(loads):
    slow = {name: [one["p99_us"] for one in loads[name]] for name in loads}
    return Measured.inverse(slow["dbhealthd"], slow["nginx"], "us")
