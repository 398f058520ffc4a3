"""When the next scheduled run is due: an interval within a window of local time. Pure; the clock is passed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHORTEST_MINUTES = 5
_ALL_DAYS = frozenset(range(1, 8))
# A week and a day: every window opens at least once within it.
_LOOK_AHEAD = 8


@dataclass(frozen=True, slots=True)
class Timetable:
    """An interval, and the window in which runs may start. A window that ends before it begins goes past midnight
    and belongs to the day on which it opens."""

    minutes: int
    opens: time | None = None
    closes: time | None = None
    days: frozenset[int] = frozenset()
    zone: str = "UTC"


def next_run(timetable: Timetable, *, after: datetime) -> datetime:
    """The first moment at least one interval after `after` that lies in a window, else when the next one opens."""
    earliest = after + timedelta(minutes=timetable.minutes)
    return _first_within(timetable, earliest)


def first_run(timetable: Timetable, *, now: datetime) -> datetime:
    """When a schedule that was just made or changed starts: now, if a window is open, else when the next one opens."""
    return _first_within(timetable, now)


def _first_within(timetable: Timetable, moment: datetime) -> datetime:
    today = moment.astimezone(ZoneInfo(timetable.zone)).date()
    # From yesterday on: its window may go past midnight.
    for offset in range(-1, _LOOK_AHEAD + 1):
        day = today + timedelta(days=offset)
        if day.isoweekday() not in (timetable.days or _ALL_DAYS):
            continue
        opens, closes = _window(timetable, day)
        if moment < closes:
            return max(moment, opens).astimezone(UTC)
    raise ValueError("A timetable without any day has no next run.")


def _window(timetable: Timetable, day: date) -> tuple[datetime, datetime]:
    opens, closes = timetable.opens or time.min, timetable.closes or time.min
    last = day if closes > opens else day + timedelta(days=1)
    return _moment(timetable, day, opens), _moment(timetable, last, closes)


def _moment(timetable: Timetable, day: date, at: time) -> datetime:
    """A local time as a moment. One that daylight saving leaves out counts as the hour after it."""
    return datetime.combine(day, at, tzinfo=ZoneInfo(timetable.zone)).astimezone(UTC)
