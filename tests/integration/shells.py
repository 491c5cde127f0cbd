"""Interactive shells on a terminal, and what their completion offers.

    with Bash(variables) as shell:
        shell.offers("dbhealthd --log-level ")

A key inserts all that is offered into the line, another prints the line: so nothing is read from
what a shell draws, which it may draw in many ways."""

import contextlib
import fcntl
import os
import pty
import re
import select
import shlex
import struct
import subprocess
import termios
import time

from servers import dies_with_us

LIMIT = 20
INSERT_ALL, PRINT_LINE, CLEAR_LINE = "\x18a", "\x18p", "\x15"
LINE = re.compile(rb"LINE<<(.*?)>>", re.DOTALL)


class Shell:
    command = ()
    setup = ""

    def __init__(self, folder, **variables):
        self._folder = folder
        usual = {"PATH": os.environ["PATH"], "TERM": "dumb", "LC_ALL": "C.UTF-8"}
        self._variables = {**usual, **variables}

    def __enter__(self):
        self._outside, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 4000, 0, 0))
        mortal = dies_with_us()

        def become_its_session():
            mortal()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self._process = subprocess.Popen(
            self.command,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            cwd=self._folder,
            env=self._variables,
            start_new_session=True,
            preexec_fn=become_its_session,
        )
        os.close(inside)
        setup = self._folder / "setup"
        setup.write_text(self.setup)
        self._type(f". {setup}\n")
        self._wait_for(rb"READY\r?\n")
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        os.close(self._outside)

    def run(self, command):
        """Runs it, for what it changes in the shell."""
        self._type(f"{command}; echo READY-''AGAIN\n")
        self._wait_for(rb"READY-AGAIN\r?\n")

    def offers(self, line):
        """The words that may stand where the line ends, each whole, without what the shell puts
        behind one that can go on."""
        self._type(line + INSERT_ALL + PRINT_LINE)
        inserted = self._wait_for(LINE)[1].decode()
        self._type(CLEAR_LINE)
        kept, _, last = line.rpartition(" ")
        assert inserted.startswith(kept), f"{line!r} became {inserted!r}"
        if inserted.rstrip() == line.rstrip():
            return set()
        flag = last[: last.rfind("=") + 1]
        offered = shlex.split(inserted[len(kept) :])
        return {word.removeprefix(flag).rstrip("=,") for word in offered}

    def _type(self, text):
        os.write(self._outside, text.encode())

    def _wait_for(self, pattern):
        received = b""
        deadline = time.monotonic() + LIMIT
        while not (found := re.search(pattern, received)):
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self._outside], [], [], left)[0], received
            with contextlib.suppress(BlockingIOError):
                received += os.read(self._outside, 65536)
        return found


class Bash(Shell):
    command = ("bash", "--norc", "--noprofile", "-i")
    setup = r"""
PS1= PS2=
. /usr/share/bash-completion/bash_completion
bind 'set completion-query-items 0'
bind '"\C-xa": insert-completions'
bind -x '"\C-xp": printf "LINE<<%s>>\n" "$READLINE_LINE"'
echo READY
"""


class Zsh(Shell):
    command = ("zsh", "-f", "-i")
    setup = r"""
PS1= PS2= RPS1=
unsetopt prompt_cr prompt_sp
fpath=("$SITE_FUNCTIONS" $fpath)
autoload -Uz compinit && compinit -u -D
zle -C all-matches complete-word _generic
zstyle ':completion:all-matches::::' completer _all_matches _complete
zstyle ':completion:all-matches:*' insert yes
print-line() { print -r -- "LINE<<$BUFFER>>" }
zle -N print-line
bindkey -e
bindkey '^Xa' all-matches '^Xp' print-line '^U' kill-whole-line
print READY
"""
