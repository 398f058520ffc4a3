"""When a signing certificate moves from stage to stage. Pure: dates in, dates out (veeva-core section 11).

Everything counts backwards from the end of the certificate that is replaced: its last day is kept free, before that
lies the rollover period in which both are supported, before that the test period, and what is left of the notice is
for receivers to prepare. What lies in the past begins now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# The old certificate must not end while messages signed with it are on their way.
SPARE = timedelta(days=1)


@dataclass(frozen=True)
class Periods:
    """How long before the end a successor is published, and how long it is tested and rolled over."""

    notice: timedelta
    test: timedelta
    rollover: timedelta


@dataclass(frozen=True)
class Plan:
    """When the stages of a certificate begin; none before the one ahead of it."""

    test_at: datetime
    release_at: datetime
    final_at: datetime


def publish_at(ends: datetime, periods: Periods) -> datetime:
    """When the successor of a certificate that ends then is published."""
    return ends - periods.notice


def before_the_end(ends: datetime, periods: Periods, *, now: datetime) -> Plan:
    """The stages of a successor published now, as late as the end of the old one allows."""
    final_at = max(now, ends - SPARE)
    release_at = max(now, final_at - periods.rollover)
    return Plan(max(now, release_at - periods.test), release_at, final_at)


def from_now(ends: datetime, periods: Periods, *, now: datetime) -> Plan:
    """The stages of a successor somebody wants now: tested at once, and no later than the end of the old one allows."""
    latest = before_the_end(ends, periods, now=now)
    release_at = min(now + periods.test, latest.release_at)
    return Plan(now, release_at, min(release_at + periods.rollover, latest.final_at))


def begun_now(ends: datetime, periods: Periods, *, now: datetime) -> Plan:
    """The stages of a successor that is published and released at once."""
    return Plan(now, now, max(now, min(now + periods.rollover, ends - SPARE)))


def final_after_release(planned: datetime, ends: datetime, periods: Periods, *, now: datetime) -> datetime:
    """When the rollover ends that begins now: a late one keeps its whole period if the old certificate lives on."""
    return max(planned, now, min(now + periods.rollover, ends - SPARE))
