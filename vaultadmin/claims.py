"""Claim, renew, settle: the one way rows are worked off by machines (peering, Spark, sync).

A claim is a lease with a token. Whoever holds the token may write the outcome; a worker that slept past its lease
holds a token nobody honours any more and writes nothing (security.md B12). Rows another worker holds are skipped,
not waited for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Model, QuerySet


@dataclass(frozen=True)
class Claim:
    """What one claim got: the token to settle with and the ids of the leased rows."""

    token: UUID
    ids: list[int]

    def __bool__(self) -> bool:
        return bool(self.ids)


def claim(due: QuerySet[Any], *, limit: int, lease: timedelta, now: datetime, **sets: Any) -> Claim:
    """Lease up to `limit` rows of `due` (an ordered query set of free rows), in a transaction of its own.

    The model has `lease_token` (UUID, null) and `lease_until` (time, null). `sets` are further columns to write, such
    as the state or `attempts=F("attempts") + 1`.
    """
    token = uuid4()
    with transaction.atomic():
        ids = list(due.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:limit])
        if ids:
            _rows(due).filter(pk__in=ids).update(lease_token=token, lease_until=now + lease, **sets)
    return Claim(token, ids)


def renew(rows: QuerySet[Any], *, token: UUID, lease: timedelta, now: datetime) -> int:
    """Keep a lease alive; returns how many rows are still ours."""
    return rows.filter(lease_token=token).update(lease_until=now + lease)


def settle(rows: QuerySet[Any], *, token: UUID, **sets: Any) -> int:
    """Write the same outcome to those of `rows` still leased with `token`, and end the lease; returns how many."""
    return rows.filter(lease_token=token).update(lease_token=None, lease_until=None, **sets)


def _rows(due: QuerySet[Any]) -> QuerySet[Any]:
    model: type[Model] = due.model
    return model._default_manager.all()
