"""What the numbers were measured on: the machine, and the versions of all that takes part."""

import datetime
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from servers import MySQL
from servers.postgres import PROGRAMS

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = (  # What is measured, and what it is measured against.
    "libmicrohttpd12",
    "libmicrohttpd12t64",  # As Debian 13 calls it.
    "libpq5",
    "libmariadb3",
    "libuv1",
    "libuv1t64",
    "nginx",
    f"postgresql-{PROGRAMS.parent.name}",
    "mariadb-server-core",
    "prometheus-postgres-exporter",
    "prometheus-mysqld-exporter",
    "prometheus-sql-exporter",
    "prometheus-blackbox-exporter",
)


def facts():
    """From names to texts."""
    versions = {**_versions(PACKAGES), **_versions(["mysql-server-core"], MySQL.root)}
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "commit": _output(["git", "-C", ROOT, "describe", "--always", "--dirty"]).strip(),
        "machine": f"{_cpu_model()}, {len(os.sched_getaffinity(0))} cores",
        "kernel": platform.release().partition("-")[0],
        "system": _debian(),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }


def _cpu_model():
    found = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _debian():
    found = re.search(r'^PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text(), re.MULTILINE)
    return found[1] if found else platform.system()


def _versions(packages, root="/"):
    """Of the packages that are installed in that root folder."""
    form = "${Package} ${db:Status-Status} ${source:Upstream-Version}\n"
    base = Path(root, "var/lib/dpkg")
    query = ["dpkg-query", f"--admindir={base}", "--show", f"--showformat={form}", *packages]
    found = (line.split() for line in _output(query).splitlines())
    return {name: version[0] for name, status, *version in found if status == "installed"}


def _output(command):
    """What a command prints, be it unhappy or not there."""
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False
    )
    return done.stdout
