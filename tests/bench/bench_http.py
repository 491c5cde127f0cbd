"""Answers from the cache: CPU time per request beside a bare libmicrohttpd program and nginx, and
throughput and latency beside nginx.

The adapter's results are cached for an hour here, so that no run of a check disturbs; the answer
carries its Age, and nginx answers with the same headers and body."""

import contextlib

import measure
from rows import Measured, Row, at_most, benchmark

CACHE = {"DBHEALTH_CACHE": "1h"}
MODES = {"keep": "kept connection", "close": "connection per request"}
BARE = ("external",)

CPU_ROWS = tuple(
    Row(f"{mode}-{clients}-{peer}", f"CPU per cached /readyz, {words}, {clients} clients / {peer}",
        at_most(bound))
    for mode, words in MODES.items()
    for clients in (1, 32)
    for peer, bound in (("bare_http", 1.1), ("nginx", {"keep": 1.2, "close": 1.1}[mode]))
)


@contextlib.contextmanager
def ours_and_peers(bench):
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(bench.adapter(bench.server("postgres").url(), **CACHE))
        peers = [stack.enter_context(bench.bare_http(*BARE)), stack.enter_context(bench.nginx())]
        assert ours.adapter.get("/readyz").status == 200
        yield [ours, *peers]


@benchmark("cached-cpu", CPU_ROWS)
def cached_cpu(bench):
    found = {}
    with ours_and_peers(bench) as programs:
        for mode in MODES:
            for clients in (1, 32):
                samples = cpu_samples(bench, programs, mode == "keep", clients)
                for peer in ("bare_http", "nginx"):
                    found[f"{mode}-{clients}-{peer}"] = Measured.ratio(
                        samples["dbhealthd"], samples[peer], "us"
                    )
    return found


def cpu_samples(bench, programs, keep, clients):
    requests = bench.count(20_000 if keep else 8_000)

    def per_request(program):
        def sample():
            cpu, _ = program.cpu(
                lambda: bench.load(program, connections=clients, requests=requests, keep=keep)
            )
            return cpu / requests / 1000

        return sample

    return measure.interleaved(bench.rounds(12), {p.name: per_request(p) for p in programs})
