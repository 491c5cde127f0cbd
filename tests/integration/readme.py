"""The README's own examples, for tests that run them."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(language=""):
    """The README's fenced blocks in that language."""
    text = (REPOSITORY / "README.md").read_text()
    return [body for name, body in BLOCK.findall(text) if name == language]


def outcomes():
    """What the README promises of each outcome: the statuses of /healthz, /readyz and /startupz."""
    text = (REPOSITORY / "README.md").read_text()
    table = text.partition("| outcome | it means |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    statuses = {row[0].strip("`"): [int(cell[:3]) for cell in row[3:5]] for row in rows}
    return {code: (healthz, readyz, healthz) for code, (healthz, readyz) in statuses.items()}
