"""Prometheus' text format 0.0.4, read as strictly as its definition allows: a family's lines stand
together, HELP and TYPE first, and no series is there twice."""

import re

COMMENT = re.compile(r"# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)")
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
ESCAPED = re.compile(r"\\(.)")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]Inf")
SUFFIXES = ("_bucket", "_sum", "_count")  # Of a histogram's samples.


class Metrics:
    """The samples of one answer: series maps (name, labels as sorted pairs) to a value, in the
    order of the text; types and helps are by family."""

    def __init__(self, text):
        self.series = {}
        self.texts = {}  # The value as it was written.
        self.types = {}
        self.helps = {}
        family = None
        assert text.endswith("\n")
        for line in text[:-1].split("\n"):
            comment = COMMENT.fullmatch(line)
            if comment:
                family = self._begin(*comment.groups())
            else:
                self._add(line, family)

    def value(self, name, **labels):
        """None if there is no such series."""
        return self.series.get((name, tuple(sorted(labels.items()))))

    def text(self, name, **labels):
        return self.texts.get((name, tuple(sorted(labels.items()))))

    def by(self, label, name, **labels):
        """{value of the label: value} of the samples of this name that have these labels."""
        found = {}
        for (sample, pairs), value in self.series.items():
            pairs = dict(pairs)
            if sample == name and labels.items() <= pairs.items():
                found[pairs[label]] = value
        return found

    def verdict(self, check):
        """Of the five exactly one is 1."""
        states = self.by("verdict", "dbhealthd_check_verdict", check=check)
        assert len(states) == 5 and sorted(states.values()) == [0, 0, 0, 0, 1], states
        return next(name for name, value in states.items() if value == 1)

    def _begin(self, kind, family, words):
        known = self.helps if kind == "HELP" else self.types
        assert family not in known, f"{family} begins twice"
        assert kind == "HELP" or family in self.helps
        known[family] = words
        return family

    def _add(self, line, family):
        match = SAMPLE.fullmatch(line)
        assert match, f"not a sample: {line!r}"
        name, labels, value = match.groups()
        suffix = name.removeprefix(family)
        assert suffix == "" or (self.types[family] == "histogram" and suffix in SUFFIXES), line
        pairs = LABEL.findall(labels or "")
        assert LABEL.sub("", labels or "") == "", f"not labels: {labels!r}"
        series = name, tuple(sorted((key, _plain(text)) for key, text in pairs))
        assert series not in self.series, f"twice: {series}"
        assert NUMBER.fullmatch(value), value
        self.series[series] = float(value)
        self.texts[series] = value


def _plain(text):
    return ESCAPED.sub(lambda match: "\n" if match[1] == "n" else match[1], text)
