"""Running programs as a server's account, in its root folder, with a small environment."""

import ctypes
import os
import pwd
import signal
import subprocess

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)


def start(account, command, root, log, before=None, **variables):
    """Starts a server in a session of its own (so that Ctrl-C is ours alone); output goes to log.
    before is what its process does first, still as root; variables, more of its environment."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env={**ENVIRONMENT, **variables},
        start_new_session=True,
        preexec_fn=_become(account, root, before),
    )


def run(account, command, root, text=""):
    """Runs a command to its end with text as its input, and returns its output; RuntimeError with
    that when it fails."""
    result = subprocess.run(
        command,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=ENVIRONMENT,
        preexec_fn=_become(account, root),
        check=False,
    )
    if result.returncode != 0:
        raise RuntimeError(f"{command[0]} failed:\n{result.stdout}")
    return result.stdout


def own(account, path):
    """Gives a file or folder to account."""
    user = pwd.getpwnam(account)
    os.chown(path, user.pw_uid, user.pw_gid)


def dies_with_us():
    """For preexec_fn: the process that is started gets SIGKILL when the one that starts it ends."""
    parent = os.getpid()

    def become_mortal():
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return become_mortal


def _become(account, root, before=None):
    """What happens between fork and exec. The death signal comes last: a change of user clears it."""
    user = pwd.getpwnam(account)
    become_mortal = dies_with_us()

    def become():
        if before:
            before()
        if root:
            os.chroot(root)
        os.chdir("/")
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        become_mortal()

    return become
