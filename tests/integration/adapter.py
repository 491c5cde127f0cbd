"""The program under test, as a process with its log, its requests and its costs.

    adapter = Adapter(folder_of_programs, scratch, "postgres://...", checks={"alive": "SELECT 1"})
    adapter.get("/readyz?verbose").status

It listens on a free loopback port. end() sends SIGINT and wants exit status 0, no process left and
no sanitizer's report: so every test that uses the fixture is a test of the goodbye too. Nor may a
password be in its log or output: shows_no_password() is called after each test."""

import contextlib
import json
import os
import re
import signal
import subprocess

import processes
from raw_http import connect, parse_answer, read_all
from servers import dies_with_us, wait_until

ENDPOINTS = ("/healthz", "/readyz", "/startupz", "/livez")
SANITIZER_VARIABLES = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")
SANITIZER_REPORT = re.compile(r"Sanitizer|runtime error:")
SECRET = re.compile(r"\b[a-z]+-secret\b")  # Every password that is used on a real server.
LOGFMT_FIELD = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^\s"=\\]+)(?: |$)')
CHECK_LINE = re.compile(r"\[([+-])\](\S+) ([a-z]+)(?:: (.*))?")
# What is not about time must not fail on a slow machine; an empty variable is the default.
PATIENT = {"DBHEALTH_TIMEOUT": "10s", "DBHEALTH_DEADLINE": "12s"}
AS_SHIPPED = {"DBHEALTH_TIMEOUT": "", "DBHEALTH_DEADLINE": ""}
SERVER = "dbhealthd-serve"  # What the kernel keeps of the name.


class Adapter:
    """A running dbhealthd. Words in capitals are variables of its environment, beside PATH and
    PATIENT's. checks, from names to texts, are its check files; without them it is the library.

    program is the program to run in place of the one in build; under, a command to run it with;
    preexec, what the child does first; stderr and stdout, where the log and the rows go if not into
    files that lines() and output() read. Without a session of its own it is a job in ours: SIGTSTP
    stops none that no shell has."""

    def __init__(
        self,
        build,
        folder,
        url=None,
        *,
        checks=None,
        arguments=("--listen", "127.0.0.1:0"),
        program=None,
        under=(),
        preexec=None,
        stderr=None,
        stdout=None,
        session=True,
        **environment,
    ):
        self.folder = folder
        self.log_path = folder / "log"
        self.checks = folder / "checks"
        self.status = None
        if checks is not None:
            self.checks.mkdir()
            environment["DBHEALTH_CHECKS"] = str(self.checks)
            for name, text in checks.items():
                self.write_check(name, text)
        if url is not None:
            environment["DATABASE_URL"] = url
        environment = {**PATIENT, **environment}
        command = [*under, program or build / "dbhealthd", *arguments]
        self.process = _start(
            command, environment, preexec, stderr, stdout, self.log_path, session
        )
        self.pid = self.process.pid  # Of the supervisor.
        self.port = None
        self.tls = None  # The ssl.SSLContext that requests are made with.
        self._waiting = []

    def write_check(self, name, text):
        (self.checks / f"{name}.sql").write_text(text)

    # Life

    def wait_serving(self):
        """Waits until it listens and has logged all of its start; port and pid are known then."""
        wait_until(lambda: self.messages("sandboxed") or self.ended(), "the adapter serves")
        assert not self.ended(), f"ended with status {self.process.returncode}:\n{self.log_text()}"
        self.port = int(self.messages("serving")[0]["port"])
        return self

    def ended(self):
        return self.process.poll() is not None

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, limit=45):
        """Its exit status."""
        return self.process.wait(limit)

    def end(self):
        """Ends it, if it has not ended, as Ctrl-C would; see the top."""
        children = processes.children(self.pid)
        try:
            if not self.ended():
                self.signal(signal.SIGCONT)
                self.signal(signal.SIGINT)
            self.wait()
        finally:
            self.kill()
        wait_until(lambda: not any(map(processes.exists, children)), "its probers end")
        assert not SANITIZER_REPORT.search(self.log_text()), self.log_text()
        assert self.process.returncode == 0, f"exit status {self.process.returncode}"

    def shows_no_password(self):
        """To be called when it has ended."""
        assert not SECRET.search(self.log_text() + output_path(self.log_path).read_text())

    def kill(self):
        """SIGKILL, if it still runs."""
        if not self.ended():
            with contextlib.suppress(ProcessLookupError):
                self.signal(signal.SIGKILL)
            self.process.kill()
            self.process.wait()

    @property
    def agent_port(self):
        """Where agent checks are answered."""
        return int(self.messages("answering agent checks")[0]["port"])

    # Requests

    def get(self, path, method="GET", *, limit=20, **headers):
        """The answer to one request on a connection of its own."""
        with self._ask(path, method, limit, **headers) as client:
            return parse_answer(read_all(client), method=method)

    def get_later(self, path):
        """Sends a request; its answer is what the returned function waits for."""
        client = self._ask(path)
        self._waiting.append(client)  # It does not hang up if nobody wants its answer.
        return lambda: parse_answer(read_all(client))

    def _ask(self, path, method="GET", limit=20, **headers):
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        request = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}\r\n"
        client = connect(self.port, limit, tls=self.tls)
        client.sendall(request.encode())
        return client

    def status_of(self, path):
        return self.get(path).status

    def statuses(self):
        """The status of each endpoint, in the order of ENDPOINTS."""
        return tuple(self.get(path).status for path in ENDPOINTS)

    def shown(self, path):
        """The lines of checks in a verbose answer: {name: CheckLine}."""
        return check_lines(self.get(f"{path}?verbose").body)

    def wait_status(self, path, status, limit=45):
        wait_until(lambda: self.status_of(path) == status, f"{path} is {status}", limit)

    # Log

    def log_text(self):
        return self.log_path.read_text() if self.log_path.exists() else ""

    def lines(self):
        """Every whole line of the log, as a dict. A line that can't be parsed fails the test."""
        whole = self.log_text().rpartition("\n")[0]
        return [parse_line(line) for line in whole.splitlines() if line]

    def messages(self, message):
        """The log's lines of this kind."""
        if SANITIZER_REPORT.search(self.log_text()):
            return []  # end() shows it
        return [line for line in self.lines() if line["msg"] == message]

    def output(self):
        """Every whole line of standard output, likewise."""
        whole = output_path(self.log_path).read_text().rpartition("\n")[0]
        return [parse_line(line) for line in whole.splitlines() if line]

    def transitions(self, check=None):
        changes = self.messages("check changed")
        return [change for change in changes if check in (None, change["check"])]

    # Costs

    @property
    def server(self):
        """The process id of the one that serves."""
        [pid] = wait_until(self.servers, "there is a server")
        return pid

    def servers(self):
        return [pid for pid in processes.children(self.pid) if processes.name(pid) == SERVER]

    def probers(self):
        """Process ids of its probers."""
        return [pid for pid in processes.children(self.pid) if processes.name(pid) != SERVER]

    def tree(self):
        """Process ids of all of it."""
        return [self.pid, *processes.children(self.pid)]

    def descriptors(self):
        """Of the server and of the supervisor."""
        return processes.descriptors(self.server) + processes.descriptors(self.pid)

    def pss(self):
        """Memory of the process tree, in kB."""
        return sum(map(processes.pss, self.tree()))

    def own_memory(self):
        """The part of it that is no file's, in kB."""
        return sum(map(processes.own_memory, self.tree()))


class CheckLine:
    """A check's line in a body: fails (its sign), verdict, detail and code, which begins it."""

    def __init__(self, sign, verdict, detail):
        self.fails = sign == "-"
        self.verdict = verdict
        self.detail = detail or ""
        self.code = self.detail.partition(":")[0]

    def __repr__(self):
        return f"[{'-' if self.fails else '+'}] {self.verdict}: {self.detail}"


def check_lines(body):
    found = (CHECK_LINE.fullmatch(line) for line in body.splitlines())
    return {match[2]: CheckLine(match[1], match[3], match[4]) for match in found if match}


def parse_line(line):
    """A line of the log in either form."""
    if line.startswith("{"):
        return json.loads(line)
    fields = LOGFMT_FIELD.findall(line)
    assert "".join(LOGFMT_FIELD.split(line)[::3]) == "", f"not logfmt: {line!r}"
    return {key: _unquoted(value) for key, value in fields}


def _unquoted(value):
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def output_path(log_path):
    """Where standard output goes."""
    return log_path.with_name(f"{log_path.name}-output")


def _start(command, environment, preexec, stderr, stdout, log_path, session):
    variables = {name: os.environ[name] for name in SANITIZER_VARIABLES if name in os.environ}
    become_first = processes.comes_first() if session else dies_with_us()

    def prepare():
        become_first()
        if preexec:
            preexec()

    with log_path.open("ab") as log, output_path(log_path).open("ab") as output:
        return subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output if stdout is None else stdout,
            stderr=log if stderr is None else stderr,
            env={"PATH": os.environ["PATH"], **variables, **environment},
            start_new_session=session,
            process_group=None if session else 0,
            preexec_fn=prepare,
        )
