"""Each mutant of the simulation can be made: what it breaks is still there."""

import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
MUTANTS = sorted((TOP / "tests" / "simulation" / "mutants").glob("*.patch"))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda path: path.stem)
def test_it_applies(mutant):
    command = ["patch", f"--directory={TOP}", "--strip=1", "--dry-run", "--force", "--quiet"]
    with mutant.open() as patch:
        tried = subprocess.run(command, stdin=patch, capture_output=True, text=True)
    assert tried.returncode == 0, tried.stdout
