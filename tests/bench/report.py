"""The results as a table for people, as Markdown and as JSON."""

import json

from rows import NOT_MEASURED, shown

HEADINGS = ("what", "ours", "peer", "result", "middle half", "target", "verdict")


def cells(outcome):
    """A line of the table."""
    row, measured = outcome.row, outcome.measured
    target = str(row.target) if row.target else "-"
    if measured is None:
        return (row.what, "", "", outcome.reason, "", target, NOT_MEASURED)
    low_high = measured.spread
    spread = " to ".join(shown(value) for value in low_high) if low_high else ""
    result = shown(measured.value, measured.unit)
    ours = "" if measured.ours == result else measured.ours
    return (row.what, ours, measured.peer, result, spread, target, outcome.verdict)


def text(outcomes):
    """An aligned table."""
    lines = [HEADINGS, *map(cells, outcomes)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    rows = ("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
    notes = [f"{one.row.what}: {one.measured.note}" for one in _with_notes(outcomes)]
    return "\n".join((*rows, *notes))


def markdown(outcomes, facts):
    """The same for tests/bench/README.md, below what it was measured on."""
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    lines += ["", _line(HEADINGS), _line("---" for _ in HEADINGS)]
    lines += [_line(cells(outcome)) for outcome in outcomes]
    lines += [""] + [f"- {one.row.what}: {one.measured.note}" for one in _with_notes(outcomes)]
    return "\n".join(lines).rstrip() + "\n"


def as_json(outcomes, facts):
    return json.dumps({"facts": facts, "rows": [_entry(one) for one in outcomes]}, indent=1) + "\n"


def _entry(outcome):
    entry = {
        "benchmark": outcome.benchmark,
        "row": outcome.row.key,
        "what": outcome.row.what,
        "target": str(outcome.row.target) if outcome.row.target else None,
        "verdict": outcome.verdict,
    }
    if outcome.measured is None:
        return {**entry, "reason": outcome.reason}
    return {**entry, **vars(outcome.measured)}


def _with_notes(outcomes):
    return [one for one in outcomes if one.measured and one.measured.note]


def _line(words):
    return f"| {' | '.join(words)} |"
