"""Caps across processes: lanes of this installation divide each pool of calls among themselves, by rows.

The sum of what is granted never exceeds a cap: whoever wants more gets what is free, and whoever holds more than its
part gives it back while somebody else has less. A share is a lease; the part of a killed lane is free again after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from ecoa.models import CallShare

# A call takes 20 s at most: whoever cannot renew stops early enough that its last call is over when others may have it.
LEASE = timedelta(seconds=40)
START_WITHIN = 15.0


@dataclass(frozen=True, slots=True)
class Pool:
    """A name and how many calls at a time everybody together may have under way there."""

    name: str
    cap: int


@dataclass(frozen=True, slots=True)
class Need:
    """What a lane asks for: `wanted` calls of a pool, `calls` of which are under way. The rest is for the page."""

    pool: Pool
    wanted: int
    calls: int = 0
    is_region: bool = False
    pace: int = 0
    latency_ms: int = 0
    per_second: float = 0.0
    slowed: str = ""


def renew(*, run_id: int, holder: UUID, needs: Sequence[Need], now: datetime) -> dict[str, int]:
    """Take or keep a lane's shares; returns what it may use, by pool. 0 means: not now."""
    with transaction.atomic():
        return {need.pool.name: _one(run_id, holder, need, now) for need in sorted(needs, key=lambda n: n.pool.name)}


def release(*, holder: UUID) -> None:
    """Give everything back."""
    CallShare.objects.filter(holder=holder).delete()


def tidy(*, now: datetime) -> int:
    """Forget the shares of lanes that vanished; returns how many."""
    return CallShare.objects.filter(until__lt=now).delete()[0]


def _one(run_id: int, holder: UUID, need: Need, now: datetime) -> int:
    _lock(need.pool.name)
    rows = CallShare.objects.filter(pool=need.pool.name)
    others = list(rows.filter(until__gte=now).exclude(holder=holder).values_list("wanted", "granted"))
    granted = _part(need, others)
    values = {
        "run_id": run_id,
        "is_region": need.is_region,
        "wanted": need.wanted,
        # What is still under way counts until it is over.
        "granted": max(granted, need.calls),
        "until": now + LEASE,
        "calls": need.calls,
        "pace": need.pace,
        "latency_ms": need.latency_ms,
        "per_second": need.per_second,
        "slowed": need.slowed,
    }
    CallShare.objects.update_or_create(pool=need.pool.name, holder=holder, defaults=values)
    return granted


def _part(need: Need, others: list[tuple[int, int]]) -> int:
    """What is free, but no more than an equal part while somebody else has less than theirs."""
    free = max(need.pool.cap - sum(granted for _wanted, granted in others), 0)
    equal = max(need.pool.cap // (len(others) + 1), 1)
    somebody_lacks = any(granted < min(wanted, equal) for wanted, granted in others)
    return min(need.wanted, free, equal) if somebody_lacks else min(need.wanted, free)


def _lock(pool: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"ecoa call shares {pool}"])
