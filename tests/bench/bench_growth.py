"""What grows with the number of checks and of open connections, and what must not.

All sizes run at the same time and take turns, so that each ratio is of rounds. Checks are as small
as can be, and their results cached for an hour."""

import contextlib

from raw_http import connect, read_answer
from rows import Measured, Row, at_most, benchmark
from samples import bend, median, slope
from servers import wait_until

CACHE = {"DBHEALTH_CACHE": "1h"}
CHECKS = (1, 10, 100, 1000)
CONNECTIONS = (1, 100, 5000)
CLIENTS = 32
REQUESTS = {True: 15_000, False: 5000}  # of a sample: on kept connections, and without
REQUEST = b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

CHECK_ROWS = [
    *(
        Row(f"cpu, {count}", f"CPU, cached, {count:,} checks to 1", at_most(1.1))
        for count in CHECKS[1:]
    ),
    Row("memory", "memory a check", at_most(4, "kB")),
    Row("start", "CPU until it serves: for each check above 100, to one below", at_most(1.5)),
]
CONNECTION_ROWS = [
    Row(f"{mode}, {count}", f"CPU, cached, {mode}, {count:,} open to 1", at_most(1.2))
    for mode in ("kept connection", "connection per request")
    for count in CONNECTIONS[1:]
]


def many(count):
    """Check files, from names to texts."""
    return {f"check-{number:04}": "SELECT 1" for number in range(count)}


@contextlib.contextmanager
def adapters(bench, sizes, checks_of):
    """One for each size, with results in its cache; from sizes to Subjects."""
    url = bench.server("postgres").url()
    with contextlib.ExitStack() as stack:
        running = {
            size: stack.enter_context(bench.adapter(url, checks=checks_of(size), **CACHE))
            for size in sizes
        }
        for subject in running.values():
            subject.adapter.wait_status("/readyz", 200)
        yield running


def cpu_samples(bench, running, keep):
    """The CPU time in us for a request, by size."""
    requests = bench.count(REQUESTS[keep])

    def sampler(subject):
        def load():
            return bench.load(subject, connections=CLIENTS, requests=requests, keep=keep)

        return lambda: subject.cpu(load)[0] / requests / 1000

    samplers = {size: sampler(subject) for size, subject in running.items()}
    return bench.interleaved(10, samplers)


@benchmark("growth-checks", CHECK_ROWS)
def growth_checks(bench):
    starts = start_samples(bench)
    with adapters(bench, CHECKS, many) as running:
        memory = [(count, subject.pss()) for count, subject in running.items()]
        cpu = cpu_samples(bench, running, True)
    return {
        **{f"cpu, {count}": Measured.ratio(cpu[count], cpu[1], "us") for count in CHECKS[1:]},
        "memory": Measured(slope(memory), "kB"),
        "start": bend_of(starts),
    }


def start_samples(bench):
    """The CPU time in ms from exec until it serves, by the number of checks."""
    url = bench.server("postgres").url()

    def sampler(count):
        def sample():
            with bench.adapter(url, checks=many(count)) as subject:
                return subject.account.nanoseconds() / 1e6

        return sample

    return bench.interleaved(6, {count: sampler(count) for count in CHECKS})


def bend_of(starts):
    rounds = zip(*(starts[count] for count in CHECKS))
    bends = [bend(list(zip(CHECKS, one))) for one in rounds]
    ends = [f"{median(starts[count]):.1f} ms" for count in (CHECKS[0], CHECKS[-1])]
    return Measured(median(bends), ours=" ".join((ends[0], "to", ends[1])), samples=bends)


@benchmark("growth-connections", CONNECTION_ROWS)
def growth_connections(bench):
    found = {}
    with adapters(bench, CONNECTIONS, lambda _: many(1)) as running:
        for mode, keep in (("kept connection", True), ("connection per request", False)):
            with contextlib.ExitStack() as stack:
                for count, subject in running.items():
                    stack.enter_context(idle(subject, count - 1))
                cpu = cpu_samples(bench, running, keep)
            for count in CONNECTIONS[1:]:
                found[f"{mode}, {count}"] = Measured.ratio(cpu[count], cpu[1], "us")
    return found


@contextlib.contextmanager
def idle(subject, count):
    """In the block so many connections are open that have been answered once; all still are at its
    end, for the adapter keeps such for a minute."""
    before = subject.adapter.descriptors()
    clients = []
    try:
        for _ in range(count):
            clients.append(connect(subject.port))
            clients[-1].sendall(REQUEST)
            assert read_answer(clients[-1]).status == 200
        yield
        assert subject.adapter.descriptors() >= before + count, "idle connections were closed"
    finally:
        for client in clients:
            client.close()
    wait_until(lambda: subject.adapter.descriptors() <= before, "the connections close", 30)
