"""Real throw-away database servers for the tests and the demo.

Each server runs on loopback with a free port, a Unix socket and a data folder of its own, copied
from a template that is initialised once per session. A server dies with the process that started
it, whatever way that one ends, and what a killed session leaves on disk the next one removes.

Needs root, since Postgres, MariaDB and MySQL refuse to run as root and are given other accounts.
tests/install installs the servers; nothing here reaches the network.
"""

import atexit
import contextlib
import ctypes
import datetime
import fcntl
import functools
import ipaddress
import itertools
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote, urlencode

PASSWORDS = {"probe": "probe-secret", "app": "app-secret"}
MYSQL_ROOT = Path(os.environ.get("DBHEALTH_TEST_CACHE", "/var/cache/dbhealth-tests")) / "mysql-root"

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_running = []
_numbers = itertools.count(1)


def running():
    """Every server that was started and not closed yet, oldest first."""
    return list(_running)


def wait_until(condition, what, limit=10.0):
    """Polls until condition() is true and returns its value; fails after limit seconds."""
    deadline = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {limit} s: {what}")
        time.sleep(0.005)


def free_port():
    """A loopback port that nothing listens on, below the range the kernel gives to clients."""
    for _ in range(1000):
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise RuntimeError("no free port between 20000 and 32000")


# --- session folders -----------------------------------------------------------------------------


@functools.cache
def _session_folder(parent):
    """This session's folder in parent, locked while we live; removes those of dead sessions."""
    for stale in Path(parent).glob("dbhealth-*"):
        if _lock(stale):
            shutil.rmtree(stale, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="dbhealth-", dir=parent))
    folder.chmod(0o755)
    _lock(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _lock(folder):
    """Takes the folder's lock for the life of this process; false if another process holds it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


# --- certificates --------------------------------------------------------------------------------


class Certificates:
    """A certificate authority, a server certificate for 127.0.0.1 and localhost, and a second
    authority which signed nothing; all as PEM files in folder."""

    def __init__(self, folder):
        self.ca = folder / "ca.pem"
        self.other_ca = folder / "other-ca.pem"
        self.certificate = folder / "server.pem"
        self.key = folder / "server.key"
        ca, ca_key = self._issue("dbhealth test authority")
        server, server_key = self._issue("localhost", ca, ca_key)
        self._write(self.ca, ca)
        self._write(self.other_ca, self._issue("another authority")[0])
        self._write(self.certificate, server)
        self._write_key(self.key, server_key)

    @staticmethod
    def _issue(common_name, issuer=None, issuer_key=None):
        """An authority, or with an issuer a server certificate; returns it and its key."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        now = datetime.datetime.utcnow()
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer.subject if issuer else name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=not issuer, path_length=None), critical=True)
        )
        if issuer:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(issuer_key or key, hashes.SHA256()), key

    @staticmethod
    def _write(path, certificate):
        from cryptography.hazmat.primitives.serialization import Encoding

        path.write_bytes(certificate.public_bytes(Encoding.PEM))

    @staticmethod
    def _write_key(path, key):
        from cryptography.hazmat.primitives import serialization

        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


@functools.cache
def certificates():
    """This session's certificates."""
    folder = _session_folder(tempfile.gettempdir()) / "certificates"
    folder.mkdir()
    return Certificates(folder)


# --- what the kernel knows of a process ----------------------------------------------------------


def _stat(path):
    """State and parent from a /proc stat file, or None when the process has gone."""
    try:
        fields = path.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], int(fields[1])


def children(pid):
    """Process ids of pid's children, zombies left out."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        stat = _stat(folder / "stat")
        if stat and stat[1] == pid and stat[0] != "Z":
            found.append(int(folder.name))
    return found


def _stopped(pid):
    """Whether every thread of pid is stopped, or pid has gone."""
    threads = [_stat(thread / "stat") for thread in Path(f"/proc/{pid}/task").glob("[0-9]*")]
    return all(stat is None or stat[0] == "T" for stat in threads)


def _listening_sockets():
    """Inodes of all sockets that listen, as in /proc/net."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                inodes.add(fields[9])
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "00010000":
            inodes.add(fields[6])
    return inodes


def client_sockets(pid):
    """Inodes of the sockets that pid holds and doesn't listen on: its clients' connections.

    Asks the kernel, so it works for a server that is full or stopped; and it still counts a
    connection whose client has gone."""
    inodes = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                target = os.readlink(entry.path)
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
    return inodes - _listening_sockets()


# --- servers -------------------------------------------------------------------------------------


class Server:
    """What all servers share: the process, its log, faults, URLs. Starting it is start()'s job.

    A subclass gives the command, the data folder and the way to log in as administrator."""

    engine = None
    scheme = None
    account = None
    database = ""
    root = None
    stop_signals = {}

    def __init__(self, tls=False):
        self.name = f"{self.engine}-{next(_numbers)}"
        self.port = free_port()
        self.host = "127.0.0.1"
        self.tls = tls
        self.process = None
        self.start_seconds = None
        self.folder = self._make_folder()
        self.log = self.folder / "log"
        self._paused = []
        self._fresh = True

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # Life

    def start(self):
        """Starts the server, waits until it answers, and returns it."""
        began = time.monotonic()
        if self._fresh:
            self._prepare()
        self._launch()
        self.wait_ready()
        if self._fresh:
            self._populate()
            self._fresh = False
        self.start_seconds = time.monotonic() - began
        return self

    def stop(self, mode="fast", wait=True):
        """Asks the server to end, by the mode's signal; waits until it has ended."""
        self.resume()
        self.process.send_signal(self.stop_signals[mode])
        if wait:
            self.process.wait(30)

    def kill9(self):
        """SIGKILL to the main process; returns when that and its children are gone."""
        orphans = children(self.process.pid)
        self.process.kill()
        self.process.wait(10)
        self.resume()
        wait_until(lambda: not any(_alive(pid) for pid in orphans), f"{self.name}: children end")

    def restart(self, mode="fast"):
        """Stops the server if it runs and starts it again on the same port and data."""
        if self.alive():
            self.stop(mode)
        return self.start()

    def close(self):
        """Ends the server in the fastest way and removes all that it left."""
        if self.alive():
            self.kill9()
        if self in _running:
            _running.remove(self)
        shutil.rmtree(self.folder, ignore_errors=True)

    def alive(self):
        """Whether the main process runs, stopped by a signal or not."""
        return self.process is not None and self.process.poll() is None

    def wait_ready(self, limit=30.0):
        """Waits until the server answers; fails at once, with its log, if it has ended."""
        wait_until(self._ready, f"{self.name} is ready", limit)

    # Faults

    def pause(self):
        """SIGSTOP to the main process: connects succeed and nothing answers. For Postgres that is
        the postmaster alone; sessions it already started go on."""
        self._pause(self.process.pid)

    def pause_all(self):
        """SIGSTOP to the main process and to all its children."""
        self.pause()
        for pid in children(self.process.pid):
            self._pause(pid)

    def pause_backend(self, pid):
        """SIGSTOP to one of the server's children."""
        self._pause(pid)

    def resume(self):
        """SIGCONT to everything that was paused."""
        while self._paused:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._paused.pop(), signal.SIGCONT)

    @contextlib.contextmanager
    def paused(self):
        """The server is stopped in the block, and continued after it."""
        self.pause()
        try:
            yield self
        finally:
            self.resume()

    @contextlib.contextmanager
    def full(self):
        """In the block every connection that an ordinary user may have is taken."""
        held = []
        try:
            with contextlib.suppress(self.driver().OperationalError):
                while len(held) < 1000:
                    held.append(self.connect("app"))
            yield held
        finally:
            for connection in held:
                connection.close()

    # Clients

    def url(self, user="probe", password=None, *, host=None, port=None, database=None, **params):
        """A DATABASE_URL for this server; user="" leaves user and password out."""
        login = f"{quote(user)}:{quote(self._password(user, password), safe='')}@" if user else ""
        where = f"{host or self.host}:{port or self.port}"
        path = self.database if database is None else database
        return f"{self.scheme}://{login}{where}/{quote(path)}{_query(params)}"

    def sql(self, text):
        """Runs SQL as administrator in a connection of its own; returns the rows, if any."""
        connection = self._admin()
        try:
            cursor = connection.cursor()
            cursor.execute(text)
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def value(self, text):
        """The first column of the first row of an administrator's query."""
        return self.sql(text)[0][0]

    def connections(self):
        """How many client connections the server holds, counted from outside."""
        return len(self._client_sockets())

    # Log

    def log_mark(self):
        """A place in the log, for log_since."""
        return self.log.stat().st_size if self.log.exists() else 0

    def log_since(self, mark=0):
        """What the server has logged since mark."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as stream:
            stream.seek(mark)
            return stream.read().decode(errors="replace")

    # For subclasses

    def _make_folder(self):
        parent = _session_folder(tempfile.gettempdir())
        folder = parent / self.name
        folder.mkdir(mode=0o755)
        self._own(folder)
        return folder

    def _prepare(self):
        """Fills the folder before the first start."""
        raise NotImplementedError

    def _command(self):
        """The program and its arguments, as seen from inside the root folder."""
        raise NotImplementedError

    def _populate(self):
        """Creates users after the first start."""

    def _client_sockets(self):
        return client_sockets(self.process.pid)

    def _ready(self):
        if not self.alive():
            raise RuntimeError(f"{self.name} ended while starting:\n{self.log_since()[-4000:]}")
        try:
            return self._answers()
        except self.driver().OperationalError:
            return False

    def _answers(self):
        return self.sql("SELECT 1")

    # Within this class

    def _launch(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                start_new_session=True,
                preexec_fn=_become(self.account, self.root),
            )
        if self not in _running:
            _running.append(self)

    def _pause(self, pid):
        os.kill(pid, signal.SIGSTOP)
        self._paused.append(pid)
        wait_until(lambda: _stopped(pid), f"{self.name}: {pid} stops")

    def _password(self, user, password):
        return PASSWORDS.get(user, "") if password is None else password

    def _own(self, *paths):
        """Gives files and folders to the server's account."""
        for path in paths:
            user = pwd.getpwnam(self.account)
            os.chown(path, user.pw_uid, user.pw_gid)

    def _copy_certificates(self):
        """Puts the certificate where the server may read it."""
        made = certificates()
        for source in (made.ca, made.certificate, made.key):
            copy = shutil.copy(source, self.folder)
            os.chmod(copy, 0o600)
            self._own(copy)

    def _copy_template(self, template):
        subprocess.run(["cp", "-a", template, self.folder / "data"], check=True)


def _alive(pid):
    stat = _stat(Path(f"/proc/{pid}/stat"))
    return stat is not None and stat[0] != "Z"


def _query(params):
    return f"?{urlencode(params, quote_via=quote, safe='/')}" if params else ""


def _become(account, root=None):
    """What a server's process does between fork and exec: enter its root folder, become its
    account, and die when we die. The last comes after the change of user, which would undo it."""
    user = pwd.getpwnam(account)
    parent = os.getpid()

    def become():
        if root:
            os.chroot(root)
        os.chdir("/")
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return become


def _run_as(account, command, root=None, **options):
    """Runs a set-up command as account; its output is the error if it fails."""
    result = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_become(account, root),
        check=False,
        **options,
    )
    if result.returncode != 0:
        raise RuntimeError(f"{command[0]} failed:\n{result.stdout}")


@functools.cache
def _template(engine):
    """A freshly initialised data folder of the engine (a class), to copy from."""
    folder = engine.session_folder() / f"{engine.engine}-template"
    folder.mkdir()
    os.chown(folder, pwd.getpwnam(engine.account).pw_uid, -1)
    engine.initialise(folder / "data")
    return folder / "data"
