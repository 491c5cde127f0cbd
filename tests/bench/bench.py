"""What a benchmark has at hand: servers, the adapter, peers, a load, and how much to count.

    with bench.adapter(bench.server("postgres").url()) as ours:
        cpu, answers = ours.cpu(lambda: bench.load(ours, requests=bench.count(20_000)))
"""

import contextlib
import itertools
import json
import subprocess

import measure
import nginx
import servers
import subject

KINDS = {kind.engine: kind for kind in (servers.Postgres, servers.MariaDB, servers.MySQL)}
LOAD_LIMIT = 120  # s
SMOKE_PART = 100  # A smoke counts this part of what a full run does.


class Bench:
    """For one run; in a block its servers live."""

    def __init__(self, build, scratch, smoke):
        self.build = build
        self.scratch = scratch
        self.smoke = smoke
        self._servers = {}
        self._closing = contextlib.ExitStack()
        self._numbers = itertools.count(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._closing.close()

    # How much

    def interleaved(self, rounds, programs):
        """See measure.interleaved; in a smoke a single round and no warm-up."""
        if self.smoke:
            return {name: [sample()] for name, sample in programs.items()}
        return measure.interleaved(rounds, programs)

    def count(self, full, least=10):
        """How often to do something."""
        return max(full // SMOKE_PART, least) if self.smoke else full

    # Programs

    def server(self, engine):
        """The server of that engine which all benchmarks share, with TLS for who asks for it; leave
        it as it was found."""
        if engine not in self._servers:
            self._servers[engine] = self._closing.enter_context(KINDS[engine](tls=True))
        return self._servers[engine]

    def folder(self, name):
        """The path of a new folder, not made yet."""
        return self.scratch / f"{name}-{next(self._numbers)}"

    def adapter(self, url, **options):
        """A block with dbhealthd, as a Subject; options are class Adapter's."""
        return subject.adapter(self.build, self.folder("adapter"), url, **options)

    def program(self, name, command, **options):
        """A block with any other program that listens, as a Subject; see subject.program."""
        return subject.program(name, command, self.folder(name), **options)

    def bare_http(self):
        """A block with the bare libmicrohttpd program."""
        return self.program("bare_http", [self.peer("bare_http"), "{port}"])

    def nginx(self):
        """A block with nginx that answers as the adapter does."""
        folder = self.folder("nginx")
        return subject.program("nginx", nginx.COMMAND, folder, port=nginx.configure(folder))

    def peer(self, name):
        """The path of a program of tests/bench/peers."""
        return self.build / "tests" / "bench" / name

    # Load

    def load(
        self,
        server,
        *,
        connections=1,
        requests=0,
        seconds=0,
        keep=True,
        target="/readyz",
        status=200,
        cpu=None,
    ):
        """Loads a Subject, from the other CPU unless told; gives what peers/load.c prints, as a
        dict."""
        mode = "keep" if keep else "close"
        words = [server.port, connections, requests, seconds, mode, target, status]
        done = subprocess.run(
            [self.peer("load"), *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=measure.pinned(measure.cpus()[1] if cpu is None else cpu),
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"load of {server.name}: {done.stdout[:200]}{done.stderr}")
        return json.loads(done.stdout)
