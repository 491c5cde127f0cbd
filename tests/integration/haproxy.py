"""HAProxy, Debian's, as a process with its log and its runtime socket.

    proxy = HAProxy(folder, config).start()
    wait_until(lambda: proxy.up("primary") == {"db1"}, "db1 is the primary")

The configuration has a `stats socket` at HAProxy.socket_in(folder). What HAProxy thinks of its
servers is asked for there, so nobody has to sleep for as long as its checks may take."""

import csv
import socket
import subprocess

from servers import dies_with_us, wait_until

PROGRAM = "/usr/sbin/haproxy"

BEGINNING = """\
global
    stats socket {socket}
    log stdout format raw daemon

defaults
    mode tcp
    timeout connect 20s
    timeout check 20s
    timeout client 1h
    timeout server 1h
"""
BARE = BEGINNING + """
listen database
    bind 127.0.0.1:{port}
    option httpchk
    server db {server} check port {adapter} inter 200ms
"""


def bare_config(folder, port, server, adapter):
    """The least that balances one database by what the adapter says."""
    where = {"server": f"{server.host}:{server.port}", "adapter": adapter.port, "port": port}
    return BARE.format(socket=HAProxy.socket_in(folder), **where)


class HAProxy:
    def __init__(self, folder, config, under=()):
        self._under = under
        self.log = folder / "haproxy.log"
        self._config = folder / "haproxy.cfg"
        self._socket = self.socket_in(folder)
        self._config.write_text(config)
        self._process = None

    @staticmethod
    def socket_in(folder):
        return folder / "haproxy.sock"

    def start(self):
        """Starts it, as one process, and waits until it listens."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._under, PROGRAM, "-db", "-f", str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dies_with_us(),
            )
        try:
            wait_until(self._listens, "HAProxy listens")
        except BaseException:
            self.end()
            raise
        return self

    def end(self):
        self._process.kill()
        self._process.wait()

    def up(self, backend):
        """The names of the servers that get new connections."""
        return {row["svname"] for row in self._servers(backend) if row["status"].startswith("UP")}

    def unchecked(self, backend):
        """The names of those that it knows nothing of yet; they get connections all the same."""
        rows = self._servers(backend)
        return {row["svname"] for row in rows if row["check_status"].endswith("INI")}

    def states(self, backend):
        """What it thinks of each server whose agent it has asked: UP, DOWN, DRAIN, MAINT."""
        return {
            row["svname"]: row["status"].split()[0]
            for row in self._servers(backend)
            if not row["agent_status"].endswith("INI")
        }

    def weight(self, backend, server):
        return int(self._row(backend, server)["weight"])

    def downs(self, backend, server):
        """How often it has gone down, or into maintenance."""
        return int(self._row(backend, server)["chkdown"])

    def sessions(self, backend, server):
        """How many connections it has open to a server."""
        return int(self._row(backend, server)["scur"])

    def _row(self, backend, server):
        [row] = [row for row in self._servers(backend) if row["svname"] == server]
        return row

    def _servers(self, backend):
        text = self._ask("show stat").removeprefix("# ").strip()
        rows = csv.DictReader(text.splitlines())
        ours = [row for row in rows if row["pxname"] == backend]
        return [row for row in ours if row["svname"] not in ("FRONTEND", "BACKEND")]

    def _ask(self, command):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(self._socket))
            client.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: client.recv(65536), b"")).decode()

    def _listens(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"HAProxy ended while starting:\n{self.log.read_text()}")
        try:
            return self._ask("show info")
        except OSError:
            return False
