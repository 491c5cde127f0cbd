"""Lets the tests of the benchmarks import what the benchmarks do."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "integration"))
