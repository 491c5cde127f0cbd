"""What `cmake --install` puts where: programs that work wherever they lie, pages, a service."""

import os
import re
import subprocess

import pytest
from conftest import REPOSITORY

PAGES = {"dbhealthd.8": "man8", "dbhealthd-ask.8": "man8", "dbhealthd-check.5": "man5"}
# What mandoc says of any page whose references aren't installed on this machine.
NOT_OURS = re.compile(r"referenced manual not found|outdated mandoc\.db|lacks a?n? ?\S+ entry")
EXPOSURE_LIMIT = 20  # Tenths, of systemd-analyze's 0.0 (best) to 10.0.


@pytest.fixture(scope="module")
def installed(build_dir, tmp_path_factory):
    """An installation under a prefix of its own."""
    prefix = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", build_dir, "--prefix", prefix)
    return prefix


def run(*command, status=0, **variables):
    result = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **variables},
    )
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_the_tree(installed):
    files = {str(path.relative_to(installed)) for path in installed.glob("**/*") if path.is_file()}
    library = {file for file in files if file.startswith("share/dbhealthd/checks/")}
    assert files - library == {
        "bin/dbhealthd",
        "libexec/dbhealthd/dbhealthd-server",
        "libexec/dbhealthd/dbhealthd-peers",
        "libexec/dbhealthd/dbhealthd-postgres",
        "libexec/dbhealthd/dbhealthd-mysql",
        "libexec/dbhealthd/dbhealthd-ask",
        "lib/systemd/system/dbhealthd.service",
        "lib/systemd/system/dbhealthd@.service",
        "share/bash-completion/completions/dbhealthd",
        "share/dbhealthd/health.schema.json",
        "share/doc/dbhealthd/LICENSE",
        "share/doc/dbhealthd/README.md",
        "share/doc/dbhealthd/checks/README.md",
        "share/man/man5/dbhealthd-check.5",
        "share/man/man8/dbhealthd.8",
        "share/man/man8/dbhealthd-ask.8",
        "share/zsh/site-functions/_dbhealthd",
    }
    assert len(library) == len(list((REPOSITORY / "checks").glob("*/*.sql")))


def test_it_works_from_there(installed, server):
    """It finds its prober programs and its library by its own place alone."""
    shown = run(installed / "bin/dbhealthd", "check", DATABASE_URL=server.url())
    assert "accepting" in shown and "alive" in shown


def test_it_works_after_a_move(installed, server, tmp_path):
    moved = tmp_path / "elsewhere"
    run("cp", "-a", installed, moved)
    shown = run(moved / "bin/dbhealthd", "check", DATABASE_URL=server.url())
    assert "accepting" in shown


def test_install_puts_the_question_elsewhere(installed, tmp_path):
    """Out of the folder of programs that nobody calls by hand."""
    run(installed / "bin/dbhealthd", "install", tmp_path)
    kept = installed / "libexec/dbhealthd/dbhealthd-ask"
    assert (tmp_path / "dbhealthd-ask").read_bytes() == kept.read_bytes()


def test_folders_of_one_s_own(tmp_path):
    """A distribution's folders: the programs still find each other and the library."""
    build, root = tmp_path / "build", tmp_path / "root"
    options = ["-DCMAKE_INSTALL_PREFIX=/opt/x", "-DCMAKE_INSTALL_BINDIR=deep/er/bin"]
    options += ["-DCMAKE_INSTALL_DATADIR=data", "-DCMAKE_INSTALL_LIBEXECDIR=lib/x/programs"]
    options += ["-DDBHEALTH_TESTS=OFF", "-DCMAKE_BUILD_TYPE=Debug"]
    run("cmake", "-G", "Ninja", "-S", REPOSITORY, "-B", build, *options)
    run("cmake", "--build", build)
    run("cmake", "--install", build, DESTDIR=str(root))
    program = root / "opt/x/deep/er/bin/dbhealthd"
    shown = run(program, "check", status=1, DATABASE_URL="mysql://probe@127.0.0.1:1/")
    assert "refused" in shown and "accepting" in shown
    service = (root / "opt/x/lib/systemd/system/dbhealthd.service").read_text()
    assert "ExecStart=/opt/x/deep/er/bin/dbhealthd\n" in service


# Manual pages


@pytest.mark.parametrize("page", PAGES)
def test_page_is_well_formed(installed, page):
    result = subprocess.run(
        ["mandoc", "-Tlint", installed / "share/man" / PAGES[page] / page],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in result.stdout.splitlines() if not NOT_OURS.search(line)]
    assert said == []


@pytest.fixture(scope="module")
def pages():
    """The pages as a reader sees them, without line breaks."""
    shown = {}
    for page in PAGES:
        text = run("mandoc", "-Tascii", "-Owidth=1000", REPOSITORY / "src/man" / page)
        shown[page] = re.sub(r"\s+", " ", re.sub(".\b", "", text))
    return shown


def test_every_setting_is_in_the_page(build_dir, pages):
    shown = run(build_dir / "dbhealthd", "--settings")
    rows = re.findall(r"^  --(.{14}) (.{8}) ", shown, re.MULTILINE)
    assert len(rows) > 8
    for flag, default in ((flag.strip(), default.strip()) for flag, default in rows):
        variable = "DBHEALTH_" + flag.upper().replace("-", "_")
        pattern = rf"--{flag} \S+, {variable} (.*?)(?= --|ENVIRONMENT)"
        entry = re.search(pattern, pages["dbhealthd.8"])
        assert entry, f"no entry for --{flag}"
        assert default in entry[1], f"--{flag}: the default is {default}"


def test_every_command_and_database_variable_is_in_the_page(build_dir, pages):
    """A command with its flags where it says how it is called, and again with what it does."""
    shown = run(build_dir / "dbhealthd", "--help")
    lines = re.findall(r"^dbhealthd (\w+) (.*)$", shown, re.MULTILINE)
    names, flags = [name for name, _ in lines], re.findall(r"--(\w+)", str(lines))
    source = (REPOSITORY / "src/man/dbhealthd.8").read_text()
    sections = dict(re.findall(r"^\.Sh (.+)\n([^\0]*?)(?=^\.Sh |\Z)", source, re.MULTILINE))
    assert len(names) > 4
    assert re.findall(r"^\.Cm (\w+)$", sections["SYNOPSIS"], re.MULTILINE) == names
    assert re.findall(r"^\.It Cm (\w+)$", sections["COMMANDS"], re.MULTILINE) == names
    assert all(f"Fl -{flag}" in sections["SYNOPSIS"] for flag in flags)
    variables = set(re.findall(r"\bDATABASE_\w+", shown))
    assert len(variables) == 3
    for name in variables:
        assert f".It Ev {name}\n" in sections["ENVIRONMENT"], name


@pytest.mark.parametrize(
    "document, first",
    [("checks/README.md", "description"), ("README.md", "ok")],
    ids=["keys", "outcomes"],
)
def test_every_key_and_outcome_is_in_the_page(pages, document, first):
    """By the documents' tables, which another test holds to the code."""
    text = (REPOSITORY / document).read_text()
    (table,) = re.findall(rf"^\| `{first}` .*?\n\n", text, re.MULTILINE | re.DOTALL)
    cells = [line.split("|")[1] for line in table.splitlines() if line]
    names = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    assert len(names) > 12
    for name in names:
        assert re.search(rf"(^|[ ,]){re.escape(name)}([ ,.]|$)", pages["dbhealthd-check.5"]), name


# The service


@pytest.fixture(scope="module", params=("dbhealthd.service", "dbhealthd@.service"))
def service(request, installed, tmp_path_factory):
    """A unit, for the program where this test has installed it."""
    text = (installed / "lib/systemd/system" / request.param).read_text()
    unit = tmp_path_factory.mktemp("units") / request.param
    unit.write_text(re.sub(r"(?m)^ExecStart=.*", f"ExecStart={installed}/bin/dbhealthd", text))
    return unit


def test_the_service_is_well_formed(service):
    said = run("systemd-analyze", "verify", "--man=no", service)
    assert service.name not in said, said


def test_the_service_is_locked_up(service):
    run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_LIMIT}", service)
