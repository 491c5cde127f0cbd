"""dbhealthd as a command that ends by itself, as a shell, a script or a terminal would run it.

    program = Program(folder_of_programs)
    program.run("check", "alive", DATABASE_URL="postgres://...").status

Words in capitals are variables of its environment, which has no others than PATH. Whatever it ends
in, it must leave no process behind, show no password and no sanitizer's report."""

import contextlib
import os
import pty
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import processes
from adapter import SANITIZER_REPORT, SANITIZER_VARIABLES, SECRET
from servers import wait_until

LIMIT = 30
SESSION_FIELD = 3  # In a stat file of /proc, counted from behind the name.
COLOUR = re.compile(r"\033\[\d*m")


@dataclass
class Ended:
    status: int
    output: str
    errors: str = ""

    @property
    def lines(self):
        return self.output.splitlines()

    def row(self, name):
        """A line of the table of `check`: verdict and detail."""
        [row] = [line for line in self.lines if line.startswith(f"{name} ")]
        return re.fullmatch(r"\S+ +(\S+) +\d+ ms  (.*)", COLOUR.sub("", row)).groups()


class Program:
    """under is a command to run it with."""

    def __init__(self, build, under=()):
        self.command = (*under, build / "dbhealthd")

    def run(self, *words, cwd=None, stdout=None, **environment):
        """Runs it to its end, its output in pipes, or where stdout says."""
        process = self._start(words, stdout or subprocess.PIPE, subprocess.PIPE, environment, cwd)
        with ending(process):
            output, errors = process.communicate(timeout=LIMIT)
        return self._ended(process, output or "", errors)

    def run_with_closed(self, *descriptors, words, **environment):
        """Runs it to its end with some of its standard descriptors closed; gives its status."""
        process = self._start(
            words,
            subprocess.DEVNULL,
            subprocess.DEVNULL,
            environment,
            preexec=lambda: [os.close(descriptor) for descriptor in descriptors],
        )
        with ending(process):
            return process.wait(LIMIT)

    def on_terminal(self, *words, **environment):
        """Runs it to its end with a terminal for its output; what came stands in `output`."""
        terminal, inside = pty.openpty()
        process = self._start(words, inside, inside, environment)
        os.close(inside)
        with ending(process), os.fdopen(terminal, "rb") as screen:
            shown = b"".join(_pieces(screen))
            process.wait(LIMIT)
        return self._ended(process, shown.decode().replace("\r\n", "\n"), "")

    @contextlib.contextmanager
    def running(self, *words, **environment):
        """In the block it runs, or has ended by itself; gives a Running."""
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            process = self._start(words, output, errors, environment)
            with ending(process):
                yield Running(self, process, output, errors)

    def _start(self, words, stdout, stderr, environment, cwd=None, preexec=None):
        become_first = processes.comes_first()
        variables = {name: os.environ[name] for name in SANITIZER_VARIABLES if name in os.environ}
        return subprocess.Popen(
            [str(word) for word in (*self.command, *words)],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env={"PATH": os.environ["PATH"], **variables, **environment},
            start_new_session=True,
            preexec_fn=lambda: (become_first(), preexec and preexec()),
            text=True,
        )

    def _ended(self, process, output, errors):
        wait_until(lambda: not in_session(process.pid), "its probers end")
        assert not SANITIZER_REPORT.search(output + errors), output + errors
        assert not SECRET.search(output + errors)
        return Ended(process.returncode, output, errors)


class Running:
    def __init__(self, program, process, output, errors):
        self._program = program
        self.process = process
        self._output = output
        self._errors = errors

    def output(self):
        return _whole(self._output)

    def wait(self):
        """Its end."""
        self.process.wait(LIMIT)
        return self._program._ended(self.process, self.output(), _whole(self._errors))

    def wait_shows(self, words):
        wait_until(lambda: words in self.output(), f"it says {words!r}")


@contextlib.contextmanager
def ending(process):
    """Kills the process if the block leaves it."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def in_session(leader):
    """Process ids of the session, those left out that ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[SESSION_FIELD]) == leader and processes.exists(int(folder.name)):
                found.append(int(folder.name))
    return found


def _pieces(screen):
    with contextlib.suppress(OSError):  # EIO: nobody holds the other end.
        while piece := screen.read1():
            yield piece


def _whole(stream):
    return os.pread(stream.fileno(), 1 << 20, 0).decode()
