"""A program under measurement: pinned to the server's CPU, its CPU time counted, ended with us."""

import contextlib
import socket
import subprocess

import measure
from adapter import Adapter
from servers import dies_with_us, free_port, wait_until


class Subject:
    """pid, port and costs of a program that runs."""

    def __init__(self, name, pid, port, account, adapter=None):
        self.name = name
        self.pid = pid
        self.port = port
        self.account = account
        self.adapter = adapter  # The Adapter that it is; None for peers.

    def pss(self):
        """Memory of its tree, in kB."""
        return measure.tree_pss(self.pid)

    def cpu(self, work):
        """The CPU time in ns of all its processes while work() runs, and what it gives."""
        return measure.cpu_of(self.account, work)


@contextlib.contextmanager
def adapter(build, folder, url, **options):
    """A dbhealthd that serves; options are class Adapter's."""
    folder.mkdir()
    with measure.CpuAccount() as account:
        join = measure.pinned(measure.cpus()[0], account.join)
        started = Adapter(build, folder, url, preexec=join, **options)
        try:
            started.wait_serving()
            yield Subject("dbhealthd", started.pid, started.port, account, started)
            started.end()
        finally:
            started.kill()


@contextlib.contextmanager
def program(name, command, folder, *, port=None, environment=None):
    """A peer that listens on port, a free one unless told; {port} and {folder} in the words of its
    command are filled in. Output goes to the file log in its folder."""
    folder.mkdir(exist_ok=True)
    port = port or free_port()
    words = [str(word).format(port=port, folder=folder) for word in command]
    with measure.CpuAccount() as account, (folder / "log").open("ab") as log:
        mortal = dies_with_us()
        join = measure.pinned(measure.cpus()[0], lambda: (account.join(), mortal()))
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
            preexec_fn=join,
        )
        try:
            wait_until(lambda: _listens(process, port, folder), f"{name} listens")
            yield Subject(name, process.pid, port, account)
        finally:
            process.kill()
            process.wait()


def _listens(process, port, folder):
    if process.poll() is not None:
        raise RuntimeError(f"ended:\n{(folder / 'log').read_text()[-2000:]}")
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
