"""What the numbers were measured on: the machine, and the versions of all that takes part."""

import datetime
import os
import platform
import re
import subprocess
from pathlib import Path

PACKAGES = (  # What is measured, and what it is measured against.
    "libmicrohttpd12",
    "libpq5",
    "libmariadb3",
    "libuv1",
    "nginx",
    "postgresql-15",
    "mariadb-server-core",
    "prometheus-postgres-exporter",
    "prometheus-mysqld-exporter",
    "prometheus-sql-exporter",
    "prometheus-blackbox-exporter",
)


def facts():
    """From names to texts."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "machine": f"{_cpu_model()}, {len(os.sched_getaffinity(0))} cores",
        "kernel": platform.release().partition("-")[0],
        "system": _debian(),
        "versions": ", ".join(f"{name} {version}" for name, version in _versions().items()),
    }


def _cpu_model():
    found = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _debian():
    found = re.search(r'^PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text(), re.MULTILINE)
    return found[1] if found else platform.system()


def _versions():
    """Of the packages that are installed."""
    form = "${Package} ${source:Upstream-Version} ${db:Status-Status}\n"
    done = subprocess.run(
        ["dpkg-query", "--show", f"--showformat={form}", *PACKAGES],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    found = (line.split() for line in done.stdout.splitlines())
    return {name: version for name, version, status in found if status == "installed"}
