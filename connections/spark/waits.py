"""How long messages took, kept as counts of ranges: percentiles of any number of them cost a few additions. Pure.

Four ranges double the one before them, from 5 ms to beyond the retry window; what lies in one range is taken to be
spread evenly on that scale, so a percentile is off by less than a fifth.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_STEP: float = 2**0.25
# The upper ends in seconds; the last range has none.
BOUNDS: tuple[float, ...] = tuple(0.005 * _STEP**number for number in range(92))
RANGES = len(BOUNDS) + 1


@dataclass(frozen=True)
class Percentiles:
    """Seconds within which half, 95 % and 99 % of the messages were through."""

    p50: float
    p95: float
    p99: float


def sort(seconds: Iterable[float]) -> list[int]:
    """How many of these waits lie in each range; empty when there were none."""
    counts: list[int] = []
    for wait in seconds:
        counts = counts or [0] * RANGES
        counts[bisect_left(BOUNDS, wait)] += 1
    return counts


def add(parts: Iterable[Sequence[int]]) -> list[int]:
    """The ranges of several pieces of work together; empty when none holds anything."""
    filled = [part for part in parts if part]
    return [sum(column) for column in zip(*filled, strict=True)]


def percentiles(counts: Sequence[int]) -> Percentiles | None:
    """The percentiles of sorted waits; None of none."""
    total = sum(counts)
    if not total:
        return None
    return Percentiles(*(_at(counts, share * total) for share in (0.50, 0.95, 0.99)))


def _at(counts: Sequence[int], rank: float) -> float:
    passed = 0
    for index, count in enumerate(counts):
        if count and passed + count >= rank:
            if index == len(BOUNDS):
                break
            return BOUNDS[index] * float(_STEP ** ((rank - passed) / count - 1))
        passed += count
    return BOUNDS[-1]
