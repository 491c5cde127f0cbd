"""A terminal that a program under test runs on, as one who sits before it sees it.

    with Terminal([program, "check", "--watch"], columns=80, lines=24) as terminal:
        terminal.wait_shows("CHECK")
        terminal.type("\\x03")

It knows only what dbhealthd may send; anything else fails the test."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading

import processes
from servers import wait_until

LIMIT = 30
SEQUENCE = re.compile(r"\x1b\[(\??)([\d;]*)([A-Za-z])")
WRAP = "?7"


class Terminal:
    """words is the command; words in capitals are its environment, beside PATH."""

    def __init__(self, words, columns=80, lines=24, **environment):
        self._words = [str(word) for word in words]
        self._environment = {"PATH": os.environ["PATH"], "TERM": "xterm", **environment}
        self._outside, self._inside = pty.openpty()
        self._lock = threading.Lock()
        self.wraps = True
        self.received = ""
        self._size(columns, lines)
        self.before = termios.tcgetattr(self._inside)

    def __enter__(self):
        become_first = processes.comes_first()

        def become_its_session():
            become_first()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            self._words,
            stdin=self._inside,
            stdout=self._inside,
            stderr=self._inside,
            env=self._environment,
            start_new_session=True,
            preexec_fn=become_its_session,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._inside)
        self._reader.join()
        os.close(self._outside)

    # What one does

    def type(self, keys):
        os.write(self._outside, keys.encode())

    def resize(self, columns, lines):
        with self._lock:
            self._size(columns, lines)

    # What one sees

    def shown(self):
        """The lines on the screen, without blanks at their ends."""
        with self._lock:
            return [line.rstrip() for line in self._screen]

    def wait_shows(self, pattern):
        """Waits until it matches what is on the screen."""
        wait_until(lambda: re.search(pattern, "\n".join(self.shown())), f"{pattern} shows", LIMIT)

    def wait_ends(self):
        """The exit status; all that was written has been taken in then."""
        status = self.process.wait(LIMIT)
        # What comes now is from the test itself, behind all that the program wrote.
        os.write(self._inside, b"\x1b[0m")
        wait_until(lambda: self.received.endswith("\x1b[0m"), "the rest is read")
        return status

    def is_as_before(self):
        """Whether nothing is left of what the program set."""
        return self.wraps and termios.tcgetattr(self._inside) == self.before

    # How

    def _size(self, columns, lines):
        fcntl.ioctl(self._inside, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._columns, self._lines = columns, lines
        self._screen = [""] * lines
        self._row = self._column = 0

    def _read(self):
        rest = b""
        with contextlib.suppress(OSError):  # EIO: nobody holds the other end.
            while piece := os.read(self._outside, 65536):
                rest = self._take(rest + piece)

    def _take(self, piece):
        """Takes in what came; gives back what is not whole."""
        begun = piece.rfind(b"\x1b")
        is_whole = begun < 0 or SEQUENCE.match(piece[begun:].decode(errors="replace"))
        whole = piece if is_whole else piece[:begun]
        text = whole.decode(errors="replace")
        with self._lock:
            self.received += text
            at = 0
            while at < len(text):
                sequence = SEQUENCE.match(text, at)
                if sequence:
                    self._obey(*sequence.groups())
                    at = sequence.end()
                else:
                    self._put(text[at])
                    at += 1
        return piece[len(whole) :]

    def _obey(self, private, number, letter):
        if private:
            assert private + number == WRAP, f"mode {number}"
            self.wraps = letter == "h"
        elif letter == "A":
            self._row = max(self._row - int(number), 0)
        elif letter == "K":
            self._screen[self._row] = self._screen[self._row][: self._column]
        elif letter == "J":
            self._screen[self._row] = self._screen[self._row][: self._column]
            self._screen[self._row + 1 :] = [""] * (self._lines - self._row - 1)
        else:
            assert letter == "m", f"sequence {number}{letter}"

    def _put(self, character):
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._row += 1
            if self._row == self._lines:
                self._row -= 1
                self._screen = [*self._screen[1:], ""]
        else:
            if self._column == self._columns and self.wraps:
                self._column = 0
                self._put("\n")
            self._column = min(self._column, self._columns - 1)
            line = self._screen[self._row].ljust(self._column)
            self._screen[self._row] = line[: self._column] + character + line[self._column + 1 :]
            self._column += 1
