"""What all servers share: the process and its log, faults, URLs and counters."""

import atexit
import contextlib
import functools
import itertools
import os
import shutil
import signal
import subprocess
import time
from urllib.parse import quote, urlencode

from . import account, disk
from .certificates import certificates
from .kernel import children, client_sockets, exists, free_port, stopped, wait_until
from .session import fast_folder, session_folder

PASSWORDS = {"probe": "probe-secret", "app": "app-secret"}

_numbers = itertools.count(1)
_running = []


def running():
    """Every server that was started and not closed yet, oldest first."""
    return list(_running)


class Server:
    """A server process on loopback, in a folder of its own.

    A subclass says how to initialise, configure and start it, and how to log in. The methods that
    it has to give stand at the end; the class methods among them serve the template too."""

    engine = None  # The name in fixtures and folders.
    version = ""  # If it is another one than that which all tests use.
    scheme = None  # Of the URL.
    database = ""  # The URL's path unless told.
    runs_as = None  # Whom the server runs as.
    root = None  # The root folder in which the server runs, if it isn't ours.
    stop_signals = {}  # By mode.

    strict_settings = {}  # For asking clients for certificates, and minding what is revoked.

    def __init__(self, tls=False):
        self.name = f"{self.engine}-{next(_numbers)}"
        self.host = "127.0.0.1"
        self.port = free_port()
        self.tls = tls
        self.process = None
        self.start_seconds = None
        self.folder = self.session_folder() / self.name
        self.folder.mkdir()
        account.own(self.runs_as, self.folder)
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.disk = None  # MiB of a disk of its own for its data.
        self.zone = "UTC"  # The time zone of its machine, as the variable TZ has it.
        self.places = None  # How many connections ordinary users may have; a subclass knows.
        self._paused = []

    def __enter__(self):
        return self if self.alive() else self.start()

    def __exit__(self, *_):
        self.close()

    # Life

    def start(self):
        """Starts the server, waits until it answers, and returns it."""
        began = time.monotonic()
        fresh = self.process is None
        if fresh:
            self._prepare()
        self.launch()
        self.wait_ready()
        if fresh:
            self._populate()
        self.start_seconds = time.monotonic() - began
        return self

    def launch(self):
        """Starts the process of a server that ran before, and does not wait."""
        with self.log.open("ab") as log:
            before = disk.mount_over(self.data, self.disk) if self.disk else None
            self.process = account.start(
                self.runs_as, self._command(), self.root, log, before, TZ=self.zone
            )
        if self not in _running:
            _running.append(self)
            atexit.register(self.close)

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
        wait_until(lambda: not any(exists(pid) for pid in orphans), f"{self.name}: children end")

    def restart(self, mode="fast"):
        """Stops the server if it runs, and starts it again on the same port and data."""
        if self.alive():
            self.stop(mode)
        return self.start()

    def close(self):
        """Ends the server in the fastest way and removes all that it left."""
        if self.alive():
            self.kill9()
        if self in _running:
            _running.remove(self)
        atexit.unregister(self.close)
        shutil.rmtree(self.folder, ignore_errors=True)

    def alive(self):
        """Whether the main process exists, be it stopped by SIGSTOP or not."""
        return self.process is not None and self.process.poll() is None

    def wait_ready(self, limit=30.0):
        """Waits until the server answers; fails at once, with its log, if it has ended."""
        wait_until(self._ready, f"{self.name} is ready", limit)

    # Faults

    def pause(self):
        """SIGSTOP to the main process: connects succeed and nothing answers. For Postgres that is
        the postmaster alone; the sessions it has already started go on."""
        self.pause_backend(self.process.pid)

    def pause_all(self):
        """SIGSTOP to the main process and then to its children."""
        self.pause()
        for pid in children(self.process.pid):
            self.pause_backend(pid)

    def pause_backend(self, pid):
        """SIGSTOP to one process of the server; returns when it has stopped."""
        os.kill(pid, signal.SIGSTOP)
        self._paused.append(pid)
        wait_until(lambda: stopped(pid), f"{self.name}: {pid} stops")

    def resume(self):
        """SIGCONT to everything that was paused."""
        while self._paused:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._paused.pop(), signal.SIGCONT)

    @contextlib.contextmanager
    def paused(self):
        """In the block the main process is stopped."""
        self.pause()
        try:
            yield self
        finally:
            self.resume()

    @contextlib.contextmanager
    def full(self, kept=0):
        """In the block every connection that an ordinary user may have is taken, so many of them by
        others who keep theirs; gives ours. A client that has just left may hold its place a little
        longer, so this fills until it has all the rest."""
        held = []
        places = self.places - kept
        try:
            wait_until(lambda: self._fill(held, places), f"{self.name} is full of our connections")
            yield held
        finally:
            for connection in held:
                connection.close()

    def _fill(self, held, places):
        """Adds connections to held until none is admitted; true once held has so many."""
        with contextlib.suppress(self.driver().OperationalError):
            while len(held) < places:
                held.append(self.connect("app"))
        return len(held) == places

    # Clients

    def url(self, user="probe", password=None, *, host=None, port=None, database=None, **params):
        """A DATABASE_URL for TCP. The password is the user's own unless told; params become the
        URL's query; user="" leaves user and password out."""
        where = f"{host or self.host}:{port or self.port}"
        return self._url(user, password, where, database, params)

    def unix_url(self, user="probe", password=None, *, database=None, **params):
        """A DATABASE_URL for the Unix socket."""
        raise NotImplementedError

    def connect(self, user="probe", password=None, *, database=None, **options):
        """A connection over TCP with the engine's Python driver, to which options go."""
        raise NotImplementedError

    def sql(self, text):
        """Runs SQL as administrator in a connection of its own; returns the rows, if any."""
        with contextlib.closing(self._admin()) as connection:
            cursor = connection.cursor()
            cursor.execute(text)
            return list(cursor.fetchall()) if cursor.description else []

    def value(self, text):
        """The first column of the first row of an administrator's query."""
        return self.sql(text)[0][0]

    def sessions(self):
        """Client sessions but for our own, as dicts: id, user, state, query."""
        return [dict(zip(("id", "user", "state", "query"), row)) for row in self._sessions()]

    def disk_full(self):
        """A block in which nothing more fits on the server's disk."""
        return disk.Filling(self)

    def connections(self):
        """How many client connections the server holds, counted from outside: right also when it
        is full or stopped. It lags behind a client's close, so wait for what is expected."""
        return client_sockets([self.process.pid])[self.process.pid]

    # Log

    def log_mark(self):
        """The end of the log, for log_since."""
        return self.log.stat().st_size if self.log.exists() else 0

    def log_since(self, mark=0):
        """What the server has logged since mark."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as stream:
            stream.seek(mark)
            return stream.read().decode(errors="replace")

    # Certificates

    def mind_certificates(self):
        """From its start on it asks clients for certificates, and takes none that its authority has
        not signed or has revoked; call it before. Who has none may log in unless told otherwise."""
        for name, file in self.strict_settings.items():
            self.settings[name] = self.inside(self.folder / file)

    @classmethod
    def inside(cls, path):
        """The path as the server sees it."""
        return path

    def use_certificate(self, certificate, key):
        """Shows another certificate, given as two files, to clients from now on."""
        self._take_file(certificate, "server.pem")
        self._take_file(key, "server.key")
        self._reload_certificates()

    # What a subclass gives

    @classmethod
    def session_folder(cls):
        """Where this session's servers of this kind have their folders."""
        return session_folder(fast_folder())

    @classmethod
    def driver(cls):
        """The Python driver; imported late, for a demo installs but one of them."""
        raise NotImplementedError

    @classmethod
    def initialise(cls, data):
        """Makes a data folder, which servers of this kind then start with a copy of."""
        raise NotImplementedError

    def _prepare(self):
        """Fills the folder before the first start."""
        raise NotImplementedError

    def _command(self):
        """The program and its arguments, as seen in its root folder."""
        raise NotImplementedError

    def _populate(self):
        """Creates users after the first start."""

    def _reload_certificates(self):
        """Has the server read its certificates anew; returns when it has."""
        raise NotImplementedError

    def _admin(self):
        """A connection as superuser in which each statement is committed at once."""
        raise NotImplementedError

    def _try_admin(self):
        """The same, and at once; None, or the driver's error, if there is no place for it."""
        return self._admin()

    def _sessions(self):
        """Rows for sessions()."""
        raise NotImplementedError

    def _answers(self):
        """Whether the server answers; it may raise the driver's OperationalError if not."""
        return self.sql("SELECT 1")

    # What a subclass uses

    def _copy_template(self):
        kind = next(k for k in type(self).__mro__ if {"initialise", "version"} & vars(k).keys())
        subprocess.run(["cp", "-a", _template(kind), self.data], check=True)

    def _copy_certificates(self):
        """Puts ca.pem, server.pem and server.key into the folder, readable by the server alone, and
        the list of what ca has revoked, as revocations.pem."""
        made = certificates()
        self._take_file(made.ca, "ca.pem")
        self._take_file(made.certificate, "server.pem")
        self._take_file(made.key, "server.key")
        self._take_file(made.revocations, "revocations.pem")

    def _take_file(self, source, name):
        copy = shutil.copy(source, self.folder / name)
        os.chmod(copy, 0o600)
        account.own(self.runs_as, copy)

    def _url(self, user, password, where, database, params):
        login = f"{quote(user)}:{quote(self._password(user, password), safe='')}@" if user else ""
        path = self.database if database is None else database
        query = f"?{urlencode(params, quote_via=quote, safe='/')}" if params else ""
        return f"{self.scheme}://{login}{where}/{quote(path)}{query}"

    @staticmethod
    def _password(user, password):
        return PASSWORDS.get(user, "") if password is None else password

    def _ready(self):
        if not self.alive():
            raise RuntimeError(f"{self.name} ended while starting:\n{self.log_since()[-4000:]}")
        try:
            return self._answers()
        except self.driver().OperationalError:
            return False


@functools.cache
def _template(kind):
    """The data folder that servers of this kind, a class, start with a copy of."""
    folder = kind.session_folder() / f"{kind.engine}{kind.version}-template"
    folder.mkdir()
    account.own(kind.runs_as, folder)
    kind.initialise(folder / "data")
    return folder / "data"
