"""Real Prometheus and blackbox exporter, on loopback, each with a folder of its own."""

import contextlib
import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import yaml
from servers import dies_with_us, free_port, wait_until

LIMIT = 30


class Daemon:
    """A program that serves HTTP. In a block it runs; its log is the file `log` in its folder."""

    READY = "/-/ready"

    def __init__(self, folder, program, config):
        self.folder = folder
        self.program = program
        self.config = config
        self.port = free_port()

    def flags(self):
        return ()

    def __enter__(self):
        config = self.folder / "config.yaml"
        config.write_text(yaml.safe_dump(self.config))
        command = [
            self.program,
            f"--config.file={config}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            *self.flags(),
        ]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=dies_with_us(),
            )
        try:
            wait_until(self.is_ready, f"{self.program} serves", LIMIT)
        except BaseException:
            self.__exit__()
            print((self.folder / "log").read_text())
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def is_ready(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with contextlib.suppress(OSError):
            return self.get(self.READY) is not None
        return False

    def get(self, path, **query):
        url = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=LIMIT) as answer:
            return answer.read().decode()


class Prometheus(Daemon):
    """Scrapes as the configuration says."""

    def __init__(self, folder, config):
        super().__init__(folder, "prometheus", config)

    def flags(self):
        return (f"--storage.tsdb.path={self.folder / 'data'}", "--log.level=warn")

    def query(self, expression):
        """The result as a list of (labels, value)."""
        answer = json.loads(self.get("/api/v1/query", query=expression))
        assert answer["status"] == "success", answer
        return [(found["metric"], float(found["value"][1])) for found in answer["data"]["result"]]

    def value(self, expression):
        """The only value; None if there is none."""
        found = self.query(expression)
        assert len(found) <= 1, found
        return found[0][1] if found else None

    def rules(self):
        groups = json.loads(self.get("/api/v1/rules"))["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


class Blackbox(Daemon):
    """Probes what it is asked to, as its usual module http_2xx does."""

    READY = "/-/healthy"

    def __init__(self, folder):
        config = {"modules": {"http_2xx": {"prober": "http", "timeout": "20s"}}}
        super().__init__(folder, "prometheus-blackbox-exporter", config)

    def probe(self, target):
        """The text of its metrics."""
        return self.get("/probe", module="http_2xx", target=target)
