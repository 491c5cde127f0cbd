"""The verb loop of a prober program: its socket, its signals, its end."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from servers import wait_until
from wire import Verb, encode_call

PROGRAMS = {"postgres": "postgres://u@127.0.0.1:1/", "mysql": "mysql://u@127.0.0.1:1/"}


@pytest.fixture(params=PROGRAMS)
def kind(request):
    return request.param


@pytest.fixture
def prober(start, kind):
    return start(kind, PROGRAMS[kind])


def ended(prober):
    """The exit status of a prober that ends by itself."""
    status = prober.wait(10)
    prober.kill()
    assert prober.output() == ""
    return status


def test_verbs_without_a_session(prober):
    reply = prober.run("SELECT 1")
    assert reply.outcome == "config", reply
    assert prober.close().outcome == "ok"
    assert prober.close().outcome == "ok"
    assert prober.open().outcome == "refused"
    assert prober.run("SELECT 1").outcome == "config"


def test_the_largest_statement(prober):
    assert prober.run("x" * 48 * 1024).outcome == "config"


@pytest.mark.parametrize(
    "url", [None, "", "nonsense", "http://u@127.0.0.1/", "postgres://u:p@/a/b", "mysql://h?x=1"]
)
def test_bad_urls(start, kind, url):
    reply = start(kind, url).open()
    assert reply.outcome == "config", reply
    assert "DATABASE_URL" in reply.message


def test_the_other_programs_url(start, kind):
    (other,) = [url for name, url in PROGRAMS.items() if name != kind]
    assert start(kind, other).open().outcome == "config"


def malformed():
    good = encode_call(1, Verb.RUN, 1, sql="SELECT 1")
    yield "short", good[:3]
    yield "no verb", encode_call(1, 0, 1)
    yield "unknown verb", encode_call(1, 4, 1)
    yield "cut", good[:-1]
    yield "more", good + b"x"
    yield "a flag of 2", good[:13] + b"\x02" + good[14:]
    yield "a length that lies", good[:22] + b"\xff\xff\xff\xff" + good[26:]
    yield "a NUL inside", encode_call(1, Verb.RUN, 1, sql="SELECT\0 1")
    yield "a long statement", encode_call(1, Verb.RUN, 1, sql="x" * (48 * 1024 + 1))
    yield "a long message", bytes(64 * 1024 + 1)


@pytest.mark.parametrize("message", [m for _, m in malformed()], ids=[n for n, _ in malformed()])
def test_malformed_calls(prober, message):
    prober.socket.send(message)
    assert ended(prober) == 1


def test_ends_with_its_socket(prober):
    prober.end()


def test_ends_when_its_reply_finds_nobody(start, kind, tmp_path):
    prober = start(kind, PROGRAMS[kind])
    os.kill(prober.pid, signal.SIGSTOP)
    prober.send(Verb.CLOSE)
    prober.socket.close()
    os.kill(prober.pid, signal.SIGCONT)
    assert prober.wait(10) == 0
    assert prober.output() == ""


def test_without_a_socket(program_of, kind):
    result = subprocess.run([program_of(kind)], close_fds=True, capture_output=True, timeout=10)
    assert (result.returncode, result.stdout, result.stderr) == (1, b"", b"")


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE", "SIGTSTP"])
def test_signals_that_are_not_for_us(prober, number):
    assert prober.open().outcome == "refused"
    os.kill(prober.pid, signal.Signals[number])
    assert prober.open().outcome == "refused"


def status_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines)


def test_is_confined(prober):
    prober.open()
    assert status_of(prober.pid)["NoNewPrivs"] == "1"
    limits = Path(f"/proc/{prober.pid}/limits").read_text()
    (core,) = [line.split() for line in limits.splitlines() if line.startswith("Max core file")]
    assert core[4:6] == ["0", "0"]


def test_memory_is_bounded(prober, sanitized):
    prober.open()
    limits = Path(f"/proc/{prober.pid}/limits").read_text()
    (data,) = [line.split() for line in limits.splitlines() if line.startswith("Max data size")]
    assert data[3:5] == (["unlimited"] * 2 if sanitized else [str(8 << 20)] * 2)


def test_links_its_own_library_only(program_of, kind):
    linked = subprocess.run(["ldd", program_of(kind)], capture_output=True, text=True, check=True).stdout
    assert ("libpq" in linked, "libmariadb" in linked) == (kind == "postgres", kind == "mysql")
    for foreign in ("libmicrohttpd", "libuv", "libjansson"):
        assert foreign not in linked


PARENT = """
import sys, time
sys.path.insert(0, sys.argv[1])
from wire import Prober
prober = Prober(sys.argv[2], sys.argv[3])
prober.send(1)
print(prober.pid, flush=True)
time.sleep(600)
"""


def test_dies_with_its_parent_in_mid_login(program_of, kind):
    """The login hangs, so that only the parent's death can end the prober."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = PROGRAMS[kind].replace(":1/", f":{silent.getsockname()[1]}/")
        here = str(Path(__file__).parent)
        command = [sys.executable, "-c", PARENT, here, str(program_of(kind)), url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
            pid = int(parent.stdout.readline())
            client, _ = silent.accept()
            parent.kill()
        with client:
            wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the prober dies")


def test_leaks_no_descriptor(prober):
    prober.open()
    folder = Path(f"/proc/{prober.pid}/fd")
    before = sorted(os.listdir(folder))
    for _ in range(50):
        assert prober.open().outcome == "refused"
    assert sorted(os.listdir(folder)) == before
