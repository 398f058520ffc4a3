"""Who looked at participants: a row in the trail for each person and page, before the page is shown (security.md L7).

Somebody who keeps a live page open all day would fill the trail, so a further look of the same person at the same
subject is left out for an hour. Each process remembers that by itself: a look may be told once more than that, never
once less.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock

from django.db import models, transaction

from vaultadmin import audit
from vaultadmin.models import AuditEvent, Membership

AGAIN_AFTER = timedelta(hours=1)
_REMEMBERED = 10_000
_lock = Lock()
_told: OrderedDict[tuple[int, str, str], datetime] = OrderedDict()


def note(subject: models.Model, *, what: str, by: Membership, now: datetime) -> None:
    """Tell the trail that `by` is shown `what`, participants of `subject`; what cannot be told is not shown (L3)."""
    key = (by.pk, what, str(subject.pk))
    if key in _told and now - _told[key] < AGAIN_AFTER:
        return
    with transaction.atomic():
        audit.record(vault=by.vault, by=by, event=f"{what}.viewed", subject=subject, in_bulk=True)
    with _lock:
        _told[key] = now
        _told.move_to_end(key)
        while len(_told) > _REMEMBERED:
            _told.popitem(last=False)


def deeds(subject: models.Model) -> models.QuerySet[AuditEvent]:
    """What was done to a record, newest first, without who looked; its history page shows both."""
    return audit.history(subject).exclude(event__endswith=".viewed")


def forget() -> None:
    """Remember nobody; for tests."""
    with _lock:
        _told.clear()
