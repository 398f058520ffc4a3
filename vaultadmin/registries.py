"""What the apps tell the platform about themselves, in AppConfig.ready: home cards, palette entries, demo parts.

The platform imports no other app; composition reads these lists instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from vaultadmin.models import Membership


@dataclass(frozen=True)
class Card:
    """One tile on a vault's home: a title, one figure or word, one sentence, where it leads, and how bad it is."""

    title: str
    figure: str
    sentence: str
    url: str
    tone: str = "neutral"  # neutral, success, warning, danger, info
    icon: str = "circle"


@dataclass(frozen=True)
class Hit:
    """One row of the command palette."""

    label: str
    kind: str
    url: str
    icon: str = "arrow-right"
    hint: str = ""


CardSource = Callable[[Membership], list[Card]]
HitSource = Callable[[Membership, str], list[Hit]]

home_cards: list[CardSource] = []
palette: list[HitSource] = []


@dataclass(frozen=True)
class Lane:
    """A kind of machine work on the status page: how many rows are due and since when the oldest waits."""

    name: str
    due: int
    oldest: datetime | None
    parked: int = 0


lanes: list[Callable[[datetime], Lane]] = []
