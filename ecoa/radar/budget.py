"""The call budget: so many calls an hour for a study, counted in rows before they are made."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from ecoa.models import CallHour, StudyMapping

_HOUR = timedelta(hours=1)


def take(mapping: StudyMapping, *, want: int, now: datetime, whole: bool) -> int:
    """Set calls of this hour aside; returns how many of `want` there are. `whole` may use the hour up at once.

    Otherwise the hour's calls become available minute by minute.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    allowed = mapping.radar_calls_per_hour if whole else mapping.radar_calls_per_hour * (now.minute + 1) // 60
    with transaction.atomic():
        CallHour.objects.bulk_create([CallHour(mapping=mapping, hour=hour)], ignore_conflicts=True)
        row = CallHour.objects.select_for_update().get(mapping=mapping, hour=hour)
        granted = max(0, min(want, allowed - row.calls))
        CallHour.objects.filter(mapping=mapping, hour=hour).update(calls=F("calls") + granted)
    return granted


def give_back(mapping: StudyMapping, *, calls: int, now: datetime) -> None:
    """Calls that were set aside and not made."""
    if calls:
        hour = now.replace(minute=0, second=0, microsecond=0)
        CallHour.objects.filter(mapping=mapping, hour=hour).update(calls=F("calls") - calls)


def next_at(now: datetime, *, whole: bool) -> datetime:
    """When there are calls again: the next hour, or the next minute where they come minute by minute."""
    if whole:
        return now.replace(minute=0, second=0, microsecond=0) + _HOUR
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)
