"""A loopback of its own, on which the usual ports are free whatever runs on this machine."""

import contextlib
import ctypes
import os
import socket
import socketserver
import subprocess
import threading

CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


class Loopback:
    """In a block it exists. `under` is the command that runs another command on it."""

    def __enter__(self):
        self._stack = contextlib.ExitStack()
        in_thread(self._make)
        self._stack.callback(os.close, self._namespace)
        self.under = ("nsenter", f"--net={self.path}")
        return self

    def __exit__(self, *_):
        self._stack.close()

    @property
    def path(self):
        return f"/proc/{os.getpid()}/fd/{self._namespace}"

    def run(self, function):
        """Calls it on this loopback; gives what it gives."""

        def there():
            self._enter()
            return function()

        return in_thread(there)

    def ip(self, *words):
        """Runs ip(8) there."""
        subprocess.run((*self.under, "ip", *words), check=True)

    def forward(self, port, server, host="127.0.0.1"):
        """Connections to the port there get to the server here."""
        forwarder = self.run(lambda: self._listen((host, port), (server.host, server.port)))
        threading.Thread(target=forwarder.serve_forever, daemon=True).start()
        self._stack.callback(forwarder.server_close)
        self._stack.callback(forwarder.shutdown)

    def _make(self):
        """A namespace belongs to a thread; what the thread makes stays in it when it has ended."""
        if _libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "no network namespace to be had")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        self._namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY)

    def _enter(self):
        if _libc.setns(self._namespace, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def _listen(self, address, upstream):
        forwarder = socketserver.ThreadingTCPServer(address, Forwarding)
        forwarder.daemon_threads = True
        forwarder.upstream = upstream
        return forwarder


class Forwarding(socketserver.BaseRequestHandler):
    def handle(self):
        with socket.create_connection(self.server.upstream) as upstream:
            back = threading.Thread(target=copy, args=(upstream, self.request), daemon=True)
            back.start()
            copy(self.request, upstream)
            back.join()


def copy(source, sink):
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def in_thread(function):
    """Calls it in a thread of its own; gives what it gives."""
    results, errors = [], []

    def run():
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
