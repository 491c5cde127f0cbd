"""The scenes of tests/demo: a server, the adapter beside it, and what curl gets while the server is
well, stopped, and well again. Each answer is announced before it is asked for, then compared."""

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import servers

PORT = 8080
BASE = f"http://127.0.0.1:{PORT}"
LIMIT = 15.0
KINDS = {kind.engine: kind for kind in (servers.Postgres, servers.MariaDB, servers.MySQL)}

ENDPOINTS = (
    ("/healthz", "the database is alive"),
    ("/readyz", "it can serve"),
    ("/startupz", "it has come up"),
    ("/livez", "the adapter itself is well"),
    ("/readyz?verbose", "the same as /readyz, with a line per check"),
    ("/readyz/accepting", "one check alone"),
)


def main(engine, program, once):
    require_free_port()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    with contextlib.ExitStack() as stack:
        server = start_server(stack, KINDS[engine])
        adapter = start_adapter(stack, program, server)
        show = Show(adapter)
        with contextlib.suppress(KeyboardInterrupt):
            play(show, server)
            conclude(show)
            if not once:
                serve(server, adapter)
    return 0 if show.finished and not show.surprises else 1


def require_free_port():
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", PORT))
        except OSError as error:
            sys.exit(f"tests/demo: port {PORT} is taken ({error.strerror}); free it and try again")


def start_server(stack, kind):
    title(f"A throw-away {kind.__name__} on loopback")
    server = stack.enter_context(kind())
    seconds = server.start_seconds
    print(f"Process {server.process.pid} listens on 127.0.0.1:{server.port}; ready in {seconds:.1f} s.")
    return server


class Adapter:
    """dbhealthd as a user would start it; its log goes to a file of which the show prints parts."""

    def __init__(self, program, server):
        self.log = server.folder / "dbhealthd.log"
        self._shown = 0
        url = server.url()
        print(f"$ DATABASE_URL={url.replace(servers.PASSWORDS['probe'], '***')} {program}")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program],
                env={
                    "PATH": os.environ["PATH"],
                    "DATABASE_URL": url,
                    "DBHEALTH_LISTEN": f"127.0.0.1:{PORT}",
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=servers.dies_with_us(),
            )

    def stop(self):
        """SIGINT ends it without the drain that SIGTERM would begin."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def new_log_lines(self):
        """What it has logged since the last call."""
        text = self.log.read_bytes()
        lines = text[self._shown :].decode(errors="replace").splitlines()
        self._shown = len(text)
        return lines


def start_adapter(stack, program, server):
    title(f"The adapter, on port {PORT}")
    adapter = Adapter(program, server)
    stack.callback(adapter.stop)
    wait_for_status("/readyz", 200, adapter)
    return adapter


class Show:
    """Asks with curl, prints question and answer, and counts the answers that surprise."""

    def __init__(self, adapter):
        self.adapter = adapter
        self.asked = 0
        self.surprises = []
        self.finished = False

    def ask(self, path, expected, meaning):
        print(f"\n$ curl {shlex.quote(BASE + path)}")
        print(dim(f"  expected: {expected}, {meaning}"))
        status, seconds, body = curl(path)
        for line in body.splitlines():
            print(f"  {line}")
        self.judge(path, status, expected, seconds)

    def wait_for(self, path, expected, meaning):
        print(f"\n{meaning} Waiting until {path} says {expected}:")
        try:
            seconds = wait_for_status(path, expected, self.adapter)
        except TimeoutError as error:
            self.judge(path, str(error), expected, LIMIT)
            return
        self.judge(path, expected, expected, seconds)

    def judge(self, path, status, expected, seconds):
        self.asked += 1
        if status == expected:
            print(green(f"  {status} in {seconds * 1000:.0f} ms, as announced"))
        else:
            print(red(f"  {status} in {seconds * 1000:.0f} ms, NOT as announced"))
            self.surprises.append(f"{path}: {status}, expected {expected}")

    def print_log(self):
        print("\nWhat the adapter has logged meanwhile:")
        for line in self.adapter.new_log_lines():
            print(dim(f"  {line}"))


def play(show, server):
    title("All is well: every endpoint says 200")
    for path, meaning in ENDPOINTS:
        show.ask(path, 200, meaning)
    show.print_log()

    title("The server hangs: it accepts connections and answers nothing")
    print(f"$ kill -STOP {server.process.pid}")
    with server.paused():
        show.wait_for("/readyz", 503, "A result is served for 2 s, then a new one is due.")
        show.ask("/healthz", 503, "the database is not alive")
        show.ask("/readyz?verbose", 503, "it can't serve, and this is why")
        show.ask("/livez", 200, "the adapter itself is well: restarting it would cure nothing")
        show.print_log()
        title("The server goes on")
        print(f"$ kill -CONT {server.process.pid}")
    show.wait_for("/readyz", 200, "Nothing has to be restarted.")
    show.wait_for("/healthz", 200, "It's alive again, too.")
    show.ask("/healthz", 200, "the database is alive again")
    show.ask("/readyz?verbose", 200, "and can serve")
    show.print_log()


def conclude(show):
    show.finished = True
    title("Done")
    if show.surprises:
        print(red(f"{len(show.surprises)} of {show.asked} answers were not as announced:"))
        print("\n".join(f"  {surprise}" for surprise in show.surprises))
    else:
        print(green(f"All {show.asked} answers were as announced."))


def serve(server, adapter):
    pid = server.process.pid
    print(f"\nThe adapter goes on serving at {BASE}. Try, in another terminal:")
    print(f"  curl -i '{BASE}/readyz?verbose'\n  kill -STOP {pid}\n  kill -CONT {pid}")
    print("Ctrl-C ends server and adapter. The adapter's log:", flush=True)
    while adapter.process.poll() is None:
        for line in adapter.new_log_lines():
            print(dim(f"  {line}"), flush=True)
        time.sleep(0.2)
    sys.exit("tests/demo: the adapter has ended")


def curl(path):
    """Status, duration and body; status 0 if there was no answer."""
    fields = json.dumps({"status": "%{http_code}", "seconds": "%{time_total}"})
    command = ["curl", "--silent", "--noproxy", "*", "--max-time", "5", "--write-out", f"\n{fields}"]
    result = subprocess.run([*command, BASE + path], stdout=subprocess.PIPE, text=True, check=False)
    body, _, written = result.stdout.rpartition("\n")
    answer = json.loads(written)
    return int(answer["status"]), float(answer["seconds"]), body


def wait_for_status(path, expected, adapter):
    """Asks until the status is as expected; returns how many seconds that took."""
    began = time.monotonic()

    def as_expected():
        if adapter.process.poll() is not None:
            sys.exit("tests/demo: the adapter has ended:\n" + "\n".join(adapter.new_log_lines()))
        return curl(path)[0] == expected

    servers.wait_until(as_expected, f"{path} says {expected}", LIMIT)
    return time.monotonic() - began


def title(text):
    print(f"\n{paint('1', f'== {text}')}", flush=True)


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if sys.stdout.isatty() else text


def dim(text):
    return paint("2", text)


def green(text):
    return paint("32", text)


def red(text):
    return paint("31", text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]).resolve(), "--once" in sys.argv))
