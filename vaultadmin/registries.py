"""What the apps tell the platform about themselves, in AppConfig.ready: home cards, palette entries, demo parts.

The platform imports no other app; composition reads these lists instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet

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


def _no_parts(_record: Any) -> list[Model]:
    return []


@dataclass(frozen=True)
class Recorded:
    """A kind of record whose history people may read and take away.

    `find` gives the record of a key if the member may see it, `fields` name what a copy of it shows, `parts` are
    records that belong to it and whose rows its history includes.
    """

    kind: str
    model: type[Model]
    find: Callable[[Membership, str], Model | None]
    url: Callable[[Any], str]
    fields: tuple[str, ...]
    parts: Callable[[Any], list[Model]] = _no_parts


recorded: dict[str, Recorded] = {}


def record_kind(kind: Recorded) -> None:
    """Offer the history of one kind of record. Apps call it in AppConfig.ready."""
    recorded[kind.kind] = kind


def by_number(rows: QuerySet[Any], key: str) -> Model | None:
    """The row with this primary key among `rows`; None for anything that is no number of ours."""
    found: Model | None = (
        rows.filter(pk=int(key)).first() if key.isascii() and key.isdigit() and len(key) < 19 else None
    )
    return found


def kind_of(record: Model) -> Recorded | None:
    """The kind a record belongs to; None for records without a history page."""
    return next((kind for kind in recorded.values() if type(record) is kind.model), None)
