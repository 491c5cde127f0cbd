"""dbhealthd-ask, the liveness probe of the database's own container: it fails if the adapter says
that the database is dead, and for nothing else. And how it gets there."""

import contextlib
import os
import socket
import stat
import subprocess
import threading

import faults
import pytest
from adapter import AS_SHIPPED
from program import Program
from servers import certificates

LIMIT = 30
DEAD = b"[-]alive failed\nhealthz check failed\n"
HEAD = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: %d\r\n\r\n"
WHOLE = HEAD % len(DEAD) + DEAD
STRANGE = {  # What somebody on the adapter's port sends before he closes, and what is said of it.
    "nothing": (b"", "no answer;"),
    "a part of the body": (WHOLE[:-1], "the answer broke off"),
    "no HTTP": (b"\x15\x03\x01\x00\x02\x02\x46", "what answers is no adapter"),
    "no length": (b"HTTP/1.1 503 OK\r\n\r\n" + DEAD, "what answers is no adapter"),
    "too much": (HEAD % (1 << 20) + bytes(1 << 20), "no whole answer came"),
    "a head without an end": (b"HTTP/1.1 503 OK\r\n" + bytes(1 << 20), "what answers is no adapter"),
    "another's 503": (HEAD % 3 + b"\x1bno", "nothing known: 503 ?no"),
    "no such path": (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "nothing known: 404"),
}
WRONG_USAGE = (("--help",), ("--port",), ("--port", "0"), ("--port", "65536"), ("--port", "8080x"))
WRONG_USAGE += (("healthz",), ("/health z",), ("/healthz\r\nA: b",), ("/healthz", "/readyz"))
WRONG_USAGE += (("/" + "x" * 2000,), ("--timeout", "1s"), ("",))


@pytest.fixture
def ask(build_dir):
    """ask(words...) runs it as a container does that has nothing, not even a variable."""

    def run(*words, stdout=subprocess.PIPE):
        return subprocess.run(
            [build_dir / "dbhealthd-ask", *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            env={},
            timeout=LIMIT,
            check=False,
        )

    return run


@contextlib.contextmanager
def listening(send):
    """Calls send(client) with whoever connects, in a thread of its own; gives the port."""

    def serve():
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client, contextlib.suppress(OSError):
                    send(client)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(LIMIT)


def sender(words):
    def send(client):
        client.recv(4096)
        client.sendall(words)

    return send


def test_a_database_that_is_well(ask, adapter, server):
    well = ask("--port", adapter(server.url()).port)
    assert (well.returncode, well.stdout) == (0, b"200 ok\n")


def test_a_database_that_is_frozen(ask, adapter, postgres):
    a = adapter(postgres.url(), **AS_SHIPPED)
    with faults.frozen(postgres):
        a.wait_status("/healthz", 503)
        dead = ask("--port", a.port)
        assert dead.returncode == 1
        assert dead.stdout.startswith(b"503 [-]alive failed: timeout: the server gave no answer")
        assert dead.stdout.endswith(b"\nhealthz check failed\n")


def test_a_refusal_is_life(ask, adapter, server):
    """A restart cures no wrong password; the endpoint that is asked for decides."""
    port = adapter(server.url(password="wrong")).port
    assert ask("--port", port).returncode == 0
    ready = ask("--port", port, "/readyz")
    assert ready.returncode == 1 and b"denied" in ready.stdout


def test_nobody_there(ask, closed_port):
    nobody = ask("--port", closed_port)
    words = f"nothing known: 127.0.0.1:{closed_port}: Connection refused\n"
    assert (nobody.returncode, nobody.stdout.decode()) == (0, words)


@pytest.mark.parametrize("name", STRANGE)
def test_somebody_else_there(ask, name):
    sent, said = STRANGE[name]
    with listening(sender(sent)) as port:
        strange = ask("--port", port)
    assert strange.returncode == 0
    assert said in strange.stdout.decode()


def test_a_frozen_adapter(ask):
    """It listens, and the kernel takes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        silent = ask("--port", listener.getsockname()[1])
    assert silent.returncode == 0
    assert b"no whole answer came" in silent.stdout


def test_an_answer_that_never_ends(ask):
    """A byte at a time keeps nobody beyond the deadline."""
    over = threading.Event()

    def drip(client):
        while not over.wait(0.05):
            client.sendall(WHOLE[:1])

    with listening(drip) as port:
        dripped = ask("--port", port)
        over.set()
    assert dripped.returncode == 0


def test_an_adapter_that_serves_https(ask, adapter, postgres):
    pair = certificates()
    files = {"DBHEALTH_TLS_CERT": str(pair.certificate), "DBHEALTH_TLS_KEY": str(pair.key)}
    secure = ask("--port", adapter(postgres.url(), **files).port)
    assert secure.returncode == 0
    assert b"does it serve HTTPS?" in secure.stdout


@pytest.mark.parametrize("words", WRONG_USAGE, ids=lambda words: " ".join(words)[:20])
def test_a_typo_kills_nobody(ask, words):
    wrong = ask(*words)
    assert (wrong.returncode, b"usage: dbhealthd-ask" in wrong.stdout) == (0, True)


def test_whatever_becomes_of_its_words(ask):
    """The exit status is the answer: a reader who has gone or is full makes none of it."""
    with listening(sender(WHOLE)) as port:
        reader, writer = os.pipe()
        os.close(reader)
        assert ask("--port", port, stdout=writer).returncode == 1
        os.close(writer)
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, bytes(4096))
        os.set_blocking(writer, True)
        assert ask("--port", port, stdout=writer).returncode == 1
        with open("/dev/full", "wb") as full:
            assert ask("--port", port, stdout=full).returncode == 1
        os.close(reader)
        os.close(writer)


def test_it_needs_no_other_file(build_dir, sanitized):
    if sanitized:
        pytest.skip("a sanitizer's library is shared")
    headers = subprocess.run(
        ["readelf", "--program-headers", "--dynamic", build_dir / "dbhealthd-ask"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "INTERP" not in headers and "NEEDED" not in headers


# dbhealthd install


@pytest.fixture
def install(build_dir):
    program = Program(build_dir)
    return lambda *words: program.run("install", *words)


def test_install(install, build_dir, tmp_path):
    """For whatever user, and over what is there, which who runs it goes on with."""
    installed = tmp_path / "dbhealthd-ask"
    installed.write_text("of another version")
    with installed.open() as old:
        done = install(tmp_path)
        assert old.read() == "of another version"
    assert (done.status, done.output, done.errors) == (0, "", "")
    assert installed.read_bytes() == (build_dir / "dbhealthd-ask").read_bytes()
    assert stat.S_IMODE(installed.stat().st_mode) == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["dbhealthd-ask"]


def test_nothing_to_install_into(install, tmp_path):
    assert install(tmp_path / "none").errors == (
        f"dbhealthd: install: {tmp_path}/none: No such file or directory\n"
    )
    (tmp_path / "dbhealthd-ask").mkdir()
    taken = install(tmp_path)
    assert (taken.status, "Is a directory" in taken.errors) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["dbhealthd-ask"]
    assert install().status == install(tmp_path, tmp_path).status == 2


@pytest.fixture
def mounted(tmp_path):
    """mounted(options) mounts a volume; gives its folder."""
    volume = tmp_path / "volume"
    volume.mkdir()

    def mount(options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", volume], check=True)
        return volume

    yield mount
    subprocess.run(["umount", volume], check=True)


def test_a_full_volume(install, mounted):
    """What was there stays, and nothing is left of the attempt."""
    volume = mounted("size=16k")
    (volume / "dbhealthd-ask").write_text("old")
    full = install(volume)
    assert full.status == 2 and "No space left on device" in full.errors
    assert (volume / "dbhealthd-ask").read_text() == "old"
    assert len(list(volume.iterdir())) == 1


def test_a_volume_from_which_nothing_can_be_run(install, mounted):
    """Some runtimes take a probe that cannot be started for one that failed."""
    volume = mounted("noexec")
    refused = install(volume)
    words = "mounted noexec, so no probe could be run from it"
    assert (refused.status, refused.errors) == (2, f"dbhealthd: install: {volume}: {words}\n")
    assert list(volume.iterdir()) == []
