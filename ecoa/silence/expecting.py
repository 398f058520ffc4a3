"""When a site should have been heard from. Pure: no models, no clock.

The interval is a clock that stops on days off. What falls due at night or on a day off is due when that ends, and the
grace runs in waking time only. After a pause everything starts anew. Days and nights are those of the site's zone.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# No rhythm reaches further than this; a site that is nearly always quiet is one nothing is expected of.
_HORIZON_DAYS = 4000

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Pause:
    """From one moment to another, or for good."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What is expected of one site."""

    interval: timedelta
    grace: timedelta
    zone: ZoneInfo
    night: tuple[time, time] | None = None
    days_off: frozenset[int] = frozenset()
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """When the interval is over, and when its grace is: the moment of the alarm."""

    expected_at: datetime
    alarm_at: datetime


def due(rhythm: Rhythm, *, since: datetime) -> Due | None:
    """When the next sign of life is due, counted from `since`; None when none is expected."""
    while True:
        found = _without_pauses(rhythm, since)
        if found is None:
            return None
        pause = _first_pause(rhythm.pauses, since, found.alarm_at)
        if pause is None:
            return found
        if pause.end is None:
            return None
        since = pause.end


def _without_pauses(rhythm: Rhythm, since: datetime) -> Due | None:
    first = since.astimezone(rhythm.zone).date() - timedelta(days=1)
    over = _advance(since, rhythm.interval, _days_off(rhythm, first))
    expected = _advance(over, timedelta(), _quiet(rhythm, first)) if over else None
    alarm = _advance(expected, rhythm.grace, _quiet(rhythm, first)) if expected else None
    return Due(expected, alarm) if expected and alarm else None


def _first_pause(pauses: Iterable[Pause], since: datetime, until: datetime) -> Pause | None:
    """The earliest pause that touches the time from `since` to `until`."""
    touching = [pause for pause in pauses if pause.start < until and (pause.end is None or pause.end > since)]
    return min(touching, key=lambda pause: pause.start, default=None)


def _advance(start: datetime, amount: timedelta, spans: Iterator[Span]) -> datetime | None:
    """The moment `amount` of time outside of `spans` after `start`, itself outside; None beyond the horizon."""
    moment = start
    for begin, end in spans:
        if end <= moment:
            continue
        if moment + amount < begin:
            return moment + amount
        if begin > moment:
            amount -= begin - moment
        moment = end
    horizon = start + timedelta(days=_HORIZON_DAYS - 2)
    return moment + amount if moment + amount < horizon else None


def _quiet(rhythm: Rhythm, first: date) -> Iterator[Span]:
    return heapq.merge(_days_off(rhythm, first), _nights(rhythm, first))


def _days_off(rhythm: Rhythm, first: date) -> Iterator[Span]:
    if rhythm.days_off:
        for day in _days(first):
            if day.weekday() in rhythm.days_off:
                yield _at(day, time(), rhythm.zone), _at(day + timedelta(days=1), time(), rhythm.zone)


def _nights(rhythm: Rhythm, first: date) -> Iterator[Span]:
    if rhythm.night:
        begin, end = rhythm.night
        for day in _days(first):
            morning = day + timedelta(days=1) if end <= begin else day
            yield _at(day, begin, rhythm.zone), _at(morning, end, rhythm.zone)


def _days(first: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range(_HORIZON_DAYS))


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
