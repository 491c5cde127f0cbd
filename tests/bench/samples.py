"""What is computed from samples. Pure: no clock, no process.

A benchmark samples each of its programs once a round, all in the same minute and in an order that
turns round (see measure.interleaved). What it reports is the median of the rounds' ratios, with the
quartiles as the spread: a noisy moment spoils a round or two, and neither of these."""

import math


def quantile(values, part):
    """The value below which that part of all values lies, between two of them if need be."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no samples")
    at = part * (len(ordered) - 1)
    below = math.floor(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (at - below)


def median(values):
    return quantile(values, 0.5)


def quartiles(values):
    """The bounds of the middle half."""
    return quantile(values, 0.25), quantile(values, 0.75)


def ratios(numerators, denominators):
    """One a round."""
    if len(numerators) != len(denominators):
        raise ValueError(f"{len(numerators)} rounds against {len(denominators)}")
    return [ours / peers for ours, peers in zip(numerators, denominators)]


def slope(points):
    """How much y grows with each x, by least squares."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread


def bend(points):
    """How a curve of many x bends: its slope over the last step to that over the steps before. 1 is
    a line; above it y grows faster than x."""
    return slope(points[-2:]) / slope(points[:-1])
