"""The benchmarks' own arithmetic and words, and that CPU time and memory are counted right."""

import subprocess
import sys

import measure
import pytest
import report
import rows
from rows import Measured, Outcome, Row
from samples import bend, median, quantile, quartiles, ratios, slope

BURN = "import time\nwhile time.process_time() < 0.1: pass"


@pytest.mark.parametrize(
    ("values", "part", "expected"),
    [
        ([3], 0.5, 3),
        ([4, 1, 3, 2], 0.5, 2.5),
        ([5, 1, 3], 0.5, 3),
        ([1, 2, 3, 4, 5], 0.25, 2),
        ([1, 2], 1, 2),
        ([1, 2], 0, 1),
        ([0, 10], 0.99, pytest.approx(9.9)),
    ],
)
def test_quantile(values, part, expected):
    assert quantile(values, part) == expected


def test_one_bad_round_moves_neither_median_nor_quartiles():
    calm = [1.0, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06]
    noisy = [*calm[:-1], 50]
    assert median(noisy) == median(calm)
    assert quartiles(noisy) == quartiles(calm)


def test_no_samples_are_no_zero():
    with pytest.raises(ValueError):
        median([])


def test_ratios_are_of_rounds():
    assert ratios([2, 9], [1, 3]) == [2, 3]
    with pytest.raises(ValueError):
        ratios([1, 2], [1])


def test_a_line_has_its_slope_and_does_not_bend():
    points = [(1, 7), (10, 25), (100, 205), (1000, 2005)]
    assert slope(points) == pytest.approx(2)
    assert bend(points) == pytest.approx(1)
    assert bend([(x, x * x) for x, _ in points]) > 9


@pytest.mark.parametrize(
    ("target", "value", "holds"),
    [
        (rows.at_most(1.1), 1.1, True),
        (rows.at_most(1.1), 1.1001, False),
        (rows.below(1), 1, False),
        (rows.at_least(0.95), 0.95, True),
        (rows.at_least(0.95), 0.949, False),
        (rows.exactly(1), 1, True),
        (rows.exactly(1), 2, False),
    ],
)
def test_targets(target, value, holds):
    assert target.holds(value) is holds


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.01234, "", "0.012"),
        (1.2345, "", "1.234"),
        (1.2345, "ms", "1.23 ms"),
        (12.345, "us", "12.3 us"),
        (1234.5, "kB", "1,234 kB"),
        (10_000, "", "10,000"),
        (1, "", "1"),
        (0, "", "0.000"),
    ],
)
def test_numbers_have_three_digits_and_ratios_four(value, unit, words):
    assert rows.shown(value, unit) == words


def outcome(measured, target=rows.at_most(1.1), reason=""):
    return Outcome("topic", Row("key", "what it is", target), measured, reason)


def test_a_verdict_is_the_medians():
    assert outcome(Measured.ratio([1, 1, 9], [1, 1, 1])).verdict == rows.MET
    assert outcome(Measured.ratio([2, 2, 1], [1, 1, 1])).verdict == rows.NOT_MET
    assert outcome(Measured.of([5]), target=None).verdict == rows.REPORTED
    assert outcome(None).verdict == rows.NOT_MEASURED


def test_a_smoke_judges_only_what_is_exact():
    row = Row("key", "what it is", rows.at_most(1.1))
    assert Outcome("topic", row, Measured.of([5]), smoke=True).verdict == rows.WORKS
    row = Row("key", "what it is", rows.exactly(1))
    assert Outcome("topic", row, Measured.of([5]), smoke=True).verdict == rows.NOT_MET


def test_a_row_shows_what_the_ratio_is_of():
    found = report.cells(outcome(Measured.ratio([3, 3, 3], [2, 2, 2], "us")))
    assert found == (
        "what it is", "3 us", "2 us", "1.500", "1.500 to 1.500", "at most 1.1", "not met"
    )


def test_a_benchmark_that_failed_shows_why():
    assert "no server" in report.text([outcome(None, reason="no server")])
    assert '"reason": "no server"' in report.as_json([outcome(None, reason="no server")], {})


def test_the_cpu_time_of_children_that_ended_counts():
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}])"
    try:
        with measure.CpuAccount() as account:
            subprocess.run([sys.executable, "-c", child], preexec_fn=account.join, check=True)
            assert account.nanoseconds() > 100e6
    except measure.Unavailable as reason:
        pytest.skip(str(reason))


def test_rounds_take_turns():
    calls = []
    samples = measure.interleaved(
        3, {name: lambda name=name: calls.append(name) or len(calls) for name in "AB"}
    )
    assert "".join(calls) == "AB" "AB" "BA" "AB"
    assert samples == {"A": [3, 6, 7], "B": [4, 5, 8]}
