"""Connection Stats as the record page and its download show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from connections.models import Connection, ConnectionStats
from vaultadmin.together import Asking

COUNTERS = ("sent", "received", "failures", "retries", "timeouts", "fatal")


@dataclass(frozen=True)
class Period:
    """The last days up to today, oldest first, every day with a row; and the sums over all of them."""

    days: Sequence[ConnectionStats]
    totals: dict[str, int]

    @property
    def is_empty(self) -> bool:
        """Was nothing counted?"""
        return not any(self.totals.values())

    @property
    def busiest(self) -> ConnectionStats:
        """The day with most messages, the earliest of them if there are several."""
        return max(self.days, key=lambda day: day.sent + day.received)

    @property
    def worst(self) -> ConnectionStats | None:
        """The day with most failed attempts; None when there was none."""
        found = max(self.days, key=lambda day: day.failures)
        return found if found.failures else None


def last_days(connection: Connection, *, today: date, number: int) -> Asking[Period]:
    """The `number` days that end with `today` (UTC); days on which nothing travelled are rows of zeros."""
    first = today - timedelta(days=number - 1)
    (rows,) = yield (connection.stats.filter(date__range=(first, today)),)
    kept = {row.date: row for row in rows}
    dates = [first + timedelta(days=day) for day in range(number)]
    days = [kept.get(date_) or ConnectionStats(connection=connection, date=date_) for date_ in dates]
    return Period(days, {name: sum(getattr(day, name) for day in days) for name in COUNTERS})
