"""What is in the image, and what it is told to run."""

import json
import re
import stat
import time

import pytest
from conftest import REPOSITORY
from pods import podman

SIZE_LIMIT = 30_000_000
OTHERS = ("server", "postgres", "mysql", "peers", "ask")
PROGRAMS = {"/usr/bin/dbhealthd", *(f"/usr/libexec/dbhealthd/dbhealthd-{name}" for name in OTHERS)}

# All that may be there. Folders need no line of their own.
EXPECTED = (
    r"/usr/bin/dbhealthd|/usr/libexec/dbhealthd/dbhealthd-(server|postgres|mysql|peers|ask)",
    r"/usr/lib(64|/[a-z0-9_-]+-linux-gnu)?/(ld-linux|lib)[a-z0-9_+.-]+\.so(\.[0-9.]+)?",
    r"/usr/lib/[a-z0-9_-]+/libmariadb3/plugin/(caching_sha2|sha256)_password\.so",
    r"/usr/lib/[a-z0-9_-]+/libmariadb3/plugin/client_ed25519\.so",
    r"/usr/share/dbhealthd/checks/(postgres|mysql|pgbouncer|peers)/[a-z-]+\.sql",
    r"/usr/share/doc/[a-z0-9+.-]+/(copyright|LICENSE)",
    r"/usr/share/common-licenses/[A-Za-z0-9.-]+",
    r"/var/lib/dpkg/status\.d/[a-z0-9+.-]+",
    r"/etc/(passwd|group|nsswitch\.conf|os-release)",
    r"/etc/ssl/certs/(ca-certificates\.crt|[0-9a-f]{8}\.[0-9])",
    r"/usr/lib/ssl/certs",
    r"/lib(64)?",
    # What podman puts into every container.
    r"/etc/(hosts|hostname|resolv\.conf|mtab)|/run/\.containerenv|/run/secrets",
)
SHARED_OBJECT = re.compile(r".*\.so(\.[0-9.]+)?$")


@pytest.fixture(scope="module")
def config(image):
    return json.loads(podman("image", "inspect", image))[0]


def test_only_what_is_expected(image_files):
    pattern = re.compile("|".join(f"(?:{line})" for line in EXPECTED))
    strange = [
        path
        for path, member in image_files.items()
        if not member.isdir() and not pattern.fullmatch(path)
    ]
    assert strange == []


def test_nothing_to_run_but_the_programs(image_files):
    """No shell, no package manager, no interpreter."""
    executable = {
        path
        for path, member in image_files.items()
        if member.isfile() and member.mode & 0o111 and not SHARED_OBJECT.match(path)
    }
    assert executable == PROGRAMS


def test_no_privileges(image_files):
    for path, member in image_files.items():
        assert not member.mode & (stat.S_ISUID | stat.S_ISGID), path
        if member.isfile():
            assert not member.mode & (stat.S_IWGRP | stat.S_IWOTH), path
            assert member.uid == 0, f"{path}: the user that runs the programs could replace it"


def test_each_library_has_its_licence(image_files):
    """And is announced to scanners under its package's name."""
    listed = [path for path in image_files if re.fullmatch(r"/var/lib/dpkg/status\.d/.+", path)]
    packages = [path for path in listed if not path.endswith(".md5sums")]
    assert len(packages) > 15
    assert sorted(listed) == sorted(packages + [f"{path}.md5sums" for path in packages])
    for package in packages:
        assert f"/usr/share/doc/{package.rsplit('/', 1)[1]}/copyright" in image_files
    assert "/usr/share/doc/dbhealthd/LICENSE" in image_files


def test_the_check_library_is_the_source(image_files):
    shipped = {path.split("/checks/")[1] for path in image_files if path.endswith(".sql")}
    checks = REPOSITORY / "checks"
    assert shipped == {str(path.relative_to(checks)) for path in checks.glob("*/*.sql")}


def test_size(image_files):
    sizes = {path: member.size for path, member in image_files.items()}
    total = sum(sizes.values())
    largest = sorted(sizes, key=sizes.get, reverse=True)[:8]
    print(f"{total / 1e6:.1f} MB:", ", ".join(f"{p} {sizes[p] / 1e6:.1f}" for p in largest))
    assert total < SIZE_LIMIT


def test_config(config):
    settings = config["Config"]
    assert settings["User"] == "65532:65532"
    assert settings["Entrypoint"] == ["/usr/bin/dbhealthd"]
    assert settings["ExposedPorts"] == {"8080/tcp": {}}
    assert settings["StopSignal"] == "SIGTERM"
    assert "DBHEALTH_LISTEN=:8080" in settings["Env"]
    assert config["Healthcheck"]["Test"] == ["CMD", "/usr/bin/dbhealthd", "get", "/livez"]
    labels = settings["Labels"]
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels["org.opencontainers.image.version"] == "for-a-test"


@pytest.mark.parametrize("user", ["65532:65532", "12345:0", "0:0"])
def test_any_user(image, user):
    """With no name for it, nothing to write to and no database: it serves, and says so."""
    flags = ["--network=none", "--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL"]
    flags += ["--security-opt=no-new-privileges", "--passwd=false", f"--user={user}"]
    flags += ["--env=DATABASE_URL=postgres://probe@127.0.0.1/", "--no-healthcheck"]
    container = podman("run", "--detach", *flags, image)
    try:
        assert _ask(container, "/livez") == (0, "ok\n")
        assert _ask(container, "/readyz")[0] == 1
        began = time.monotonic()
        podman("stop", "--time=8", container)
        state = json.loads(podman("inspect", container))[0]["State"]
        assert state["ExitCode"] == 0
        assert time.monotonic() - began < 5
    finally:
        podman("rm", "--force", "--time=0", container)


def _ask(container, path):
    """The HEALTHCHECK's command, as soon as the adapter listens."""
    for _ in range(50):
        result = podman("exec", container, "/usr/bin/dbhealthd", "get", path, check=False)
        if "no adapter answers" not in result.stderr:
            break
    return result.returncode, result.stdout


def test_names_are_looked_up(image):
    """By what is in the image: libc alone, told by its nsswitch.conf."""
    flags = ["--network=none", "--add-host=somewhere:127.0.0.1"]
    url = "--env=DATABASE_URL=mysql://probe@somewhere:1/"
    found = podman("run", "--rm", *flags, url, image, "check", check=False)
    assert found.returncode == 1
    assert "refused" in found.stdout


def test_help(image):
    shown = podman("run", "--rm", "--network=none", image, "--settings")
    assert "--drain-file" in shown
