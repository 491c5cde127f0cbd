"""checks/README.md, the index of the shipped checks, against the headers of their files."""

import re
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "checks"
SECTIONS = {
    "postgres": "Postgres",
    "pgbouncer": "PgBouncer",
    "mysql": "MySQL and MariaDB",
    "peers": "Peers",
}
COLUMNS = ("check", "endpoints", "description", "columns", "params", "grants", "enabled")
KEY = re.compile(r"^-- ([a-z-]+): +(.*?) *$", re.MULTILINE)
CHECKS = [path for folder in SECTIONS for path in sorted((LIBRARY / folder).glob("*.sql"))]


def index(folder):
    """The rows of an engine's table, by check."""
    text = (LIBRARY / "README.md").read_text()
    section = re.split(r"^## ", text.partition(f"\n## {SECTIONS[folder]}\n")[2], flags=re.M)[0]
    lines = [line.strip("|").split(" | ") for line in section.splitlines() if line[:3] == "| `"]
    rows = [dict(zip(COLUMNS, (cell.strip() for cell in line), strict=True)) for line in lines]
    return {row["check"].strip("`"): row for row in rows}


def header(path):
    """Each key with its values in order."""
    keys = {}
    for key, value in KEY.findall(path.read_text()):
        keys.setdefault(key, []).append(value)
    return keys


def statement(path):
    lines = path.read_text().splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))


def test_what_is_said_of_a_mysql_replica_is_one_statement():
    """Two files, for a rule is for all endpoints of its file: one that takes writes is skipped for
    readers, and judged as a replica."""
    names = ("replica-mysql", "read-only-mysql")
    assert len({statement(LIBRARY / "mysql" / f"{name}.sql") for name in names}) == 1


def quoted(names):
    return " ".join(f"`{name}`" for name in names)


def unquoted(cell):
    return re.findall(r"`([^`]+)`", cell)


def param(text):
    """`name = ${VARIABLE:-default}` as the index has it."""
    name, default = re.split(r" *= *", text, maxsplit=1)
    variable = re.fullmatch(r"\$\{(\w+):-(.*)\}", default)
    return f"`{name}` {variable[2]} (`{variable[1]}`)" if variable else f"`{name}` {default}"


@pytest.mark.parametrize("folder", SECTIONS)
def test_every_check_has_a_row_and_the_order_is_the_files(folder):
    assert list(index(folder)) == [path.stem for path in CHECKS if path.parent.name == folder]


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_row_says_what_the_header_says(path):
    row, keys = index(path.parent.name)[path.stem], header(path)
    assert row["endpoints"] == quoted(keys["endpoints"][0].split())
    assert row["description"] == keys["description"][0]
    assert row["params"] == ", ".join(param(text) for text in keys.get("param", []))
    assert row["enabled"] == keys.get("enabled", ["yes"])[0]


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_row_names_columns_and_grants_that_there_are(path):
    """All columns that are judged or become metrics, and no others than the statement's. A SHOW has
    columns that it does not name, as peers have, and what a CALL runs stands among the grants."""
    row, keys = index(path.parent.name)[path.stem], header(path)
    rules = [rule for key in ("fail", "warn", "skip") for rule in keys.get(key, [])]
    columns, judged = set(unquoted(row["columns"])), {rule.split()[0] for rule in rules}
    metrics = set(re.split(r"[, ]+", keys.get("metrics", ["no"])[0])) - {"yes", "no"}
    assert (judged - {"rows", "missing"}) | metrics <= columns
    grants = "\n".join(keys.get("grants", []))
    said = statement(path) + (grants if statement(path).startswith("CALL") else "")
    if not statement(path).startswith("SHOW") and keys.get("source") != ["peers"]:
        assert all(re.search(rf"\b{re.escape(name)}\b", said) for name in columns)
    assert bool(row["grants"]) == bool(grants)
    assert all(word in grants for word in unquoted(row["grants"]))


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_file_is_as_the_library_wants_it(path):
    """A sentence, a remark for each threshold, and a variable for each param."""
    keys, text = header(path), path.read_text()
    [description] = keys["description"]
    assert re.fullmatch(r"[A-Z].*\.", description)
    assert "param" not in keys or re.search(r"^-- # .", text, re.MULTILINE)
    for default in keys.get("param", []):
        name, variable = re.fullmatch(r"(\w+) += \$\{(\w+):-[^}]+\}", default).groups()
        assert variable == name.upper()
