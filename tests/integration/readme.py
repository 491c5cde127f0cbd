"""The README's own examples, for tests that run them."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(language=""):
    """The README's fenced blocks in that language."""
    text = (REPOSITORY / "README.md").read_text()
    return [body for name, body in BLOCK.findall(text) if name == language]
