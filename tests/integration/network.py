"""A network of the tests' own: two hosts with a wire between them that loses what it carries, and a
name service that answers or doesn't."""

import contextlib
import socket
import struct
import threading

from loopback import Loopback

HOSTS = ("10.77.0.1", "10.77.0.2")
CARDS = ("02:00:00:00:00:01", "02:00:00:00:00:02")
NOBODY = "02:00:00:00:00:99"
FIXED = ("nud", "permanent")


class Wire:
    """In a block there are two hosts, near and far, each a Loopback. Packets to a card that nobody
    has are lost, and nobody is told."""

    def __enter__(self):
        self._stack = contextlib.ExitStack()
        self.near = self._stack.enter_context(Loopback())
        self.far = self._stack.enter_context(Loopback())
        self.near.ip("link", "add", "card", "type", "veth", "peer", "name", "other")
        self.near.ip("link", "set", "other", "netns", self.far.path)
        self.far.ip("link", "set", "other", "name", "card")
        for host, address, card in zip((self.near, self.far), HOSTS, CARDS):
            host.ip("link", "set", "card", "address", card, "up")
            host.ip("address", "add", f"{address}/24", "dev", "card")
        self.carry()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def carry(self):
        self._send(self.near, HOSTS[1], CARDS[1])
        self._send(self.far, HOSTS[0], CARDS[0])

    @contextlib.contextmanager
    def losing(self, there=True, back=True):
        """In the block what goes from near to far is lost, or what comes back."""
        if there:
            self._send(self.near, HOSTS[1], NOBODY)
        if back:
            self._send(self.far, HOSTS[0], NOBODY)
        try:
            yield
        finally:
            self.carry()

    @staticmethod
    def _send(host, address, card):
        words = ("lladdr", card, "nud", "permanent", "dev", "card")
        host.ip("neigh", "replace", address, *words)


class Names:
    """A name service on a loopback, for IPv4. answer: a tuple of addresses, "refuse", "silent" or
    "none" for no such name."""

    CODES = {"none": 3, "refuse": 5}

    def __init__(self, loopback, answer):
        self.answer = answer
        self._socket = loopback.run(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._socket.bind(("127.0.0.1", 53))
        self._over = False

    def __enter__(self):
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over = True
        with contextlib.suppress(OSError):  # It says that there is no connection, and wakes.
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self):
        while True:
            try:
                query, client = self._socket.recvfrom(512)
            except OSError:
                return
            if self._over:
                return
            if self.answer != "silent" and len(query) > 12:
                self._socket.sendto(self._reply(query), client)

    def _reply(self, query):
        """https://www.rfc-editor.org/rfc/rfc1035#section-4"""
        question = query[12 : query.index(b"\0", 12) + 5]
        asks_for_ipv4 = question[-4:-2] == b"\0\1"
        addresses = self.answer if asks_for_ipv4 and isinstance(self.answer, tuple) else ()
        flags = 0x8180 | self.CODES.get(self.answer, 0)
        head = query[:2] + struct.pack("!HHHHH", flags, 1, len(addresses), 0, 0)
        form = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 0, 4)
        return head + question + b"".join(form + socket.inet_aton(a) for a in addresses)


def under_names(host, folder, options="timeout:1"):
    """The command that runs another on the host, with its name service."""
    (folder / "resolv.conf").write_text(f"nameserver 127.0.0.1\noptions {options}\n")
    (folder / "hosts").write_text("127.0.0.1 localhost\n")
    mounts = "".join(f"mount --bind {folder}/{f} /etc/{f} && " for f in ("resolv.conf", "hosts"))
    return (*host.under, "unshare", "--mount", "sh", "-c", f'{mounts} exec "$@"', "sh")


class Mesh:
    """In a block there are so many hosts, each a Loopback, that all reach each other through one
    switch; `addresses` are theirs. Of each direction between two the packets can be lost."""

    def __init__(self, count):
        self.addresses = [f"10.78.0.{number}" for number in range(1, count + 1)]

    def __enter__(self):
        self._stack = contextlib.ExitStack()
        self._switch = self._stack.enter_context(Loopback())
        self._switch.ip("link", "add", "bridge", "type", "bridge")
        self._switch.ip("link", "set", "bridge", "up")
        self.hosts = [self._add(number) for number in range(len(self.addresses))]
        return self

    def __exit__(self, *_):
        self._stack.close()

    def lose(self, sender, receiver):
        self.hosts[sender].ip("neigh", "replace", *self._to(receiver), "lladdr", NOBODY, *FIXED)

    def part(self, one, other):
        """Two groups of hosts reach nobody of the other."""
        for a in one:
            for b in other:
                self.lose(a, b)
                self.lose(b, a)

    def heal(self):
        for host in self.hosts:
            host.ip("neigh", "flush", "dev", "card", "nud", "permanent")

    def _to(self, receiver):
        return (self.addresses[receiver], "dev", "card")

    def _add(self, number):
        host = self._stack.enter_context(Loopback())
        port = f"port{number}"
        pair = ("type", "veth", "peer", "name", "card", "netns", host.path)
        self._switch.ip("link", "add", port, *pair)
        self._switch.ip("link", "set", port, "master", "bridge", "up")
        host.ip("link", "set", "card", "up")
        host.ip("address", "add", f"{self.addresses[number]}/24", "dev", "card")
        return host
