"""What a benchmark is and what it brings: rows, each with a target, and what was measured.

    ROWS = (Row("cpu", "CPU per cached /readyz", at_most(1.1)),)

    @benchmark("cached", ROWS)
    def cached(bench):
        return {"cpu": Measured.ratio(ours, peers, unit="us")}

A module bench_*.py holds benchmarks of one topic; `run` imports them all. The function gets what
bench.py has, and returns a Measured for each row. In a smoke it is called with bench.smoke, and
shall count little; targets are then minded only if they are exact."""

import operator
from dataclasses import dataclass, field

from samples import median, quartiles, ratios

MET, NOT_MET, NOT_MEASURED, REPORTED = "met", "not met", "not measured", "reported"
WORKS = "works"  # In a smoke: measured, but too little of it to judge.
OPERATORS = {"<=": operator.le, "<": operator.lt, ">=": operator.ge, "==": operator.eq}
WORDS = {"<=": "at most ", "<": "below ", ">=": "at least ", "==": "exactly "}

benchmarks = {}


@dataclass(frozen=True)
class Target:
    sign: str
    bound: float
    unit: str = ""

    @property
    def exact(self):
        """Whether it is about a count, which is the same however little is measured."""
        return self.sign == "=="

    def holds(self, value):
        return OPERATORS[self.sign](value, self.bound)

    def __str__(self):
        return WORDS[self.sign] + f"{self.bound:g} {self.unit}".strip()


def at_most(bound, unit=""):
    return Target("<=", bound, unit)


def below(bound, unit=""):
    return Target("<", bound, unit)


def at_least(bound, unit=""):
    return Target(">=", bound, unit)


def exactly(bound, unit=""):
    return Target("==", bound, unit)


@dataclass(frozen=True)
class Row:
    """key is its name in the JSON; target is None for what is only reported."""

    key: str
    what: str
    target: Target | None = None


@dataclass
class Measured:
    """value is what the target is about, in unit: a ratio has none. samples are one a round; low
    and high bound their middle half. ours and peer are what the ratio is of, as text."""

    value: float
    unit: str = ""
    ours: str = ""
    peer: str = ""
    samples: list = field(default_factory=list)
    note: str = ""

    @classmethod
    def of(cls, samples, unit="", **texts):
        """The median of samples."""
        return cls(median(samples), unit, ours=shown(median(samples), unit), samples=list(samples),
                   **texts)

    @classmethod
    def ratio(cls, ours, peers, unit="", note=""):
        """Ours to the peer's, round by round; both are in unit."""
        return cls._of_ratios(ratios(ours, peers), ours, peers, unit, note)

    @classmethod
    def inverse(cls, ours, peers, unit="", note=""):
        """The peer's to ours: for times, where more is to be better."""
        return cls._of_ratios(ratios(peers, ours), ours, peers, unit, note)

    @classmethod
    def _of_ratios(cls, found, ours, peers, unit, note):
        return cls(
            median(found),
            ours=shown(median(ours), unit),
            peer=shown(median(peers), unit),
            samples=found,
            note=note,
        )

    @property
    def spread(self):
        return quartiles(self.samples) if len(self.samples) > 1 else None


@dataclass
class Benchmark:
    name: str
    rows: tuple
    function: object

    def measure(self, bench):
        """From the rows' keys to what was measured."""
        measured = self.function(bench)
        assert set(measured) == {row.key for row in self.rows}, f"{self.name} gave other rows"
        return measured


@dataclass
class Outcome:
    """A row with what came of it. measured is None, for the reason, if the benchmark failed or
    could not be tried."""

    benchmark: str
    row: Row
    measured: Measured | None
    reason: str = ""
    failed: bool = False
    smoke: bool = False

    @property
    def verdict(self):
        if self.measured is None:
            return NOT_MEASURED
        if self.row.target is None:
            return REPORTED
        if self.smoke and not self.row.target.exact:
            return WORKS
        return MET if self.row.target.holds(self.measured.value) else NOT_MET


def benchmark(name, rows):
    """Registers the function below as a benchmark."""

    def register(function):
        assert name not in benchmarks, name
        benchmarks[name] = Benchmark(name, tuple(rows), function)
        return function

    return register


def shown(value, unit=""):
    """Three digits that count, or for a ratio, which has no unit, four; and the unit."""
    size = abs(value)
    digits = 3 if unit else 4
    whole = max(len(str(int(size))), 1) if size >= 1 else 0
    decimals = 0 if float(value).is_integer() and size >= 1 else min(max(digits - whole, 0), 3)
    text = f"{value:,.{decimals}f}"
    return f"{text} {unit}" if unit else text
