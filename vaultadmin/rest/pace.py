"""The burst limits: calls are counted in the database and slowed down, not refused (veeva-core 15.4).

Windows are fixed, as the headers of the API promise. The row of a key is locked by its upsert for one short statement,
so every process counts the same; Redis has no part in it.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from vaultadmin.models import CallWindow

_COUNT = """
INSERT INTO vaultadmin_callwindow AS held (key, began_at, calls) VALUES (%(key)s, %(now)s, 1)
ON CONFLICT (key) DO UPDATE SET
    calls = CASE WHEN held.began_at > %(since)s THEN held.calls + 1 ELSE 1 END,
    began_at = CASE WHEN held.began_at > %(since)s THEN held.began_at ELSE %(now)s END
RETURNING calls
"""
_GIVE_BACK = "UPDATE vaultadmin_callwindow SET calls = calls - 1 WHERE key = %s AND calls > 0"
_LONGEST_WINDOW = timedelta(days=1)
# A delayed call keeps a thread of the web server. Few may wait at a time, so that slowing one caller down never keeps
# another one out (security.md J5).
_PLACES = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Burst:
    """Where a caller stands in its window."""

    limit: int
    calls: int

    @property
    def remaining(self) -> int:
        """Calls left before answers are delayed."""
        return max(0, self.limit - self.calls)

    @property
    def is_exceeded(self) -> bool:
        """Were there more calls than the window allows?"""
        return self.calls > self.limit


def count(key: str, *, limit: int, within: timedelta, now: datetime) -> Burst:
    """Count one more call under a key; its window begins with the first call after the last one ended."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"key": key, "now": now, "since": now - within})
        return Burst(limit, cursor.fetchone()[0])


def give_back(key: str) -> None:
    """A call that turned out not to count."""
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, [key])


def general(key: str, *, now: datetime) -> Burst:
    """The five minutes of a vault, or of an address that showed no session."""
    within = timedelta(seconds=settings.API_BURST_SECONDS)
    return count(f"api:{key}", limit=settings.API_BURST_LIMIT, within=within, now=now)


def sign_in(username: str, place: str, *, now: datetime) -> tuple[str, Burst]:
    """The minute of one user name at one DNS name, and its key."""
    # Both are typed by anybody, so the key is a digest: short, and nothing to read in the table.
    digest = hashlib.sha256(f"{username}\x00{place}".encode("utf-8", "replace")).hexdigest()
    key = f"api-sign-in:{digest}"
    return key, count(key, limit=settings.API_SIGN_INS_PER_MINUTE, within=timedelta(minutes=1), now=now)


def hold(milliseconds: int) -> int:
    """Delay the answer; returns by how much, 0 when so many wait already that one more would keep others out."""
    if not _PLACES.acquire(blocking=False):
        return 0
    try:
        time.sleep(milliseconds / 1000)
    finally:
        _PLACES.release()
    return milliseconds


def forget_old(*, now: datetime) -> int:
    """Drop windows that ended long ago; returns how many."""
    return CallWindow.objects.filter(began_at__lt=now - _LONGEST_WINDOW).delete()[0]
