"""The API usage log after it was written: thirty days of it are kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from vaultadmin.models import ApiUsage

KEPT = timedelta(days=30)
_BATCH, _MOST_BATCHES = 5_000, 200


def forget_old(*, now: datetime) -> int:
    """Drop what is older than thirty days, in short statements; returns how much. The next hour goes on."""
    dropped = 0
    old = ApiUsage.objects.filter(at__lt=now - KEPT).order_by("pk").values("pk")
    for _batch in range(_MOST_BATCHES):
        gone = ApiUsage.objects.filter(pk__in=old[:_BATCH]).delete()[0]
        dropped += gone
        if gone < _BATCH:
            break
    return dropped
