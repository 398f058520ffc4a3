"""What a benchmark says: rows for people, one JSON file for machines, and goals that pass, fail or do not count."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# Others may use this share of the machine before what was timed no longer counts.
FOREIGN_LIMIT = 0.10
# The same limit measured before and after may differ by this much.
BOUND_LIMIT = 0.10

PASS, FAIL, INVALID, LATER = "PASS", "FAIL", "INVALID", "later"


@dataclass(frozen=True)
class Row:
    """One line of the table: the median of n measurements and how far they lie apart."""

    name: str
    values: Sequence[float]
    unit: str
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """Highest minus lowest, as a share of the median."""
        return (max(self.values) - min(self.values)) / self.median if self.median else 0.0


@dataclass(frozen=True)
class Goal:
    """A figure and what it should be. What is `counted` (bytes, queries, memory) no other load can falsify.

    A goal `later` is written down and judged, but belongs to work still to come.
    """

    what: str
    figure: float
    limit: float
    at_most: bool = False
    counted: bool = False
    later: bool = False

    def verdict(self, *, valid: bool) -> str:
        if not (valid or self.counted):
            return INVALID
        reached = self.figure <= self.limit if self.at_most else self.figure >= self.limit
        return PASS if reached else LATER if self.later else FAIL

    @property
    def wanted(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {_number(self.limit)}"


@dataclass
class Result:
    """One benchmark's outcome. `invalid` holds one sentence per reason why the timed figures do not count."""

    name: str
    value: float
    unit: str
    limit: float
    ratio: float
    ratios: dict[str, float]
    n: int
    seconds: float
    machine: dict[str, Any]
    rows: list[Row]
    goals: list[Goal]
    invalid: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        foreign = self.machine["foreign_cpu"]
        if foreign > FOREIGN_LIMIT:
            self.invalid.append(f"Other processes used {foreign:.0%} of the machine.")

    @property
    def valid(self) -> bool:
        return not self.invalid

    def as_dict(self) -> dict[str, Any]:
        """The contract: figures first, the judged goals last."""
        return {
            "name": self.name,
            "value": _rounded(self.value),
            "unit": self.unit,
            "limit": _rounded(self.limit),
            "ratio": _rounded(self.ratio),
            "ratios": {name: _rounded(ratio) for name, ratio in self.ratios.items()},
            "n": self.n,
            "seconds": round(self.seconds, 1),
            "valid": self.valid,
            "machine": self.machine,
            "invalid": self.invalid,
            "rows": [asdict(row) | {"values": [_rounded(value) for value in row.values]} for row in self.rows],
            "goals": [_judged(goal, valid=self.valid) for goal in self.goals],
        }

    def save(self, folder: Path) -> None:
        """Write `<name>.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.as_dict(), indent=2, ensure_ascii=False)
        (folder / f"{self.name}.json").write_text(f"{text}\n", encoding="utf-8")

    def text(self) -> str:
        """The table of one benchmark."""
        state = "valid" if self.valid else INVALID
        head = f"\n{self.name}  {self.seconds:.0f} s, others used {self.machine['foreign_cpu']:.0%} of the CPU, {state}"
        lines = [
            [row.name, _number(row.median), row.unit, f"±{row.spread / 2:.0%}", str(len(row.values)), row.note]
            for row in self.rows
        ]
        remarks = [f"  {sentence}" for sentence in (*self.notes, *self.invalid)]
        return "\n".join([head, *table(["", "median", "", "spread", "n", ""], lines), *remarks])


def drifted(before: Sequence[float], after: Sequence[float]) -> list[str]:
    """A sentence when the limit measured before and after differ: then the machine changed under the run."""
    first, last = statistics.median(before), statistics.median(after)
    apart = abs(first - last) / max(first, last)
    if apart <= BOUND_LIMIT:
        return []
    return [f"The limit was {_number(first)} before and {_number(last)} after: {apart:.0%} apart."]


def goals_text(results: Iterable[dict[str, Any]]) -> str:
    """The table that ends a run, from the results as saved."""
    lines = [
        [result["name"], goal["what"], _number(goal["figure"]), goal["wanted"], goal["verdict"]]
        for result in results
        for goal in result["goals"]
    ]
    return "\n".join(["\nGoals", *table(["benchmark", "figure", "measured", "goal", ""], lines)])


def table(heading: list[str], lines: list[list[str]]) -> list[str]:
    """Columns as wide as their widest cell; numbers to the right."""
    rows = [heading, *lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heading))]
    return [
        "  " + "  ".join(_cell(text, width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _judged(goal: Goal, *, valid: bool) -> dict[str, Any]:
    return {
        "what": goal.what,
        "figure": _rounded(goal.figure),
        "wanted": goal.wanted,
        "verdict": goal.verdict(valid=valid),
    }


def _cell(text: str, width: int) -> str:
    return text.rjust(width) if text[:1].isdigit() else text.ljust(width)


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")
