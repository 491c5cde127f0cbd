"""What the documents show and promise, for tests that run it."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FRONT_PAGE = REPOSITORY / "README.md"
CHECKS = REPOSITORY / "checks" / "README.md"
KUBERNETES = REPOSITORY / "k8s" / "README.md"
GUIDE = REPOSITORY / "src" / "README.md"
DOCUMENTS = (FRONT_PAGE, CHECKS, KUBERNETES, GUIDE)
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(language="", documents=DOCUMENTS):
    """The fenced blocks in that language."""
    found = [block for document in documents for block in BLOCK.findall(document.read_text())]
    return [body for name, body in found if name == language]


def outcomes():
    """What is promised of each outcome: the statuses of /healthz, /readyz and /startupz."""
    table = FRONT_PAGE.read_text().partition("| outcome | it means |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    statuses = {row[0].strip("`"): [int(cell[:3]) for cell in row[3:5]] for row in rows}
    return {code: (healthz, readyz, healthz) for code, (healthz, readyz) in statuses.items()}
