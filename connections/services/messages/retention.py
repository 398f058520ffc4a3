"""What messages said is kept for as long as their vault wants; the rows stay and say that it was removed.

Removed are payloads and attempts of messages whose every copy is settled for so long, and bodies of what came in. What
still waits keeps everything, however old it is. Each batch is a short transaction of its own that leaves alone what
others hold.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.db import transaction

from connections.services.messages import traffic
from vaultadmin.models import Vault, VaultSettings

BATCH = 500
SECONDS = 45.0

# A copy that waits, or was settled not long enough ago.
_NEEDED = """EXISTS (SELECT 1 FROM connections_messagecopy c
                      WHERE c.content_id = m.id AND (c.settled_at IS NULL OR c.settled_at >= %(before)s))"""
_OVER = f"""
SELECT m.id, m.entered_at FROM connections_sparkmessage m
 WHERE m.vault_id = %(vault)s AND m.payload_removed_at IS NULL AND m.entered_at < %(before)s
   AND (m.entered_at, m.id) > (%(after)s, %(last)s) AND NOT {_NEEDED}
 ORDER BY m.entered_at, m.id LIMIT %(limit)s FOR UPDATE OF m SKIP LOCKED
"""  # nosec B608 - joined from constants
# Asked again under the lock, which keeps out new copies: who sends one again refers to the message.
_EMPTY = f"""
UPDATE connections_sparkmessage m SET payload = '', custom = '{{}}', payload_removed_at = %(now)s
 WHERE m.id = ANY(%(ids)s) AND NOT {_NEEDED}
RETURNING m.id
"""  # nosec B608 - joined from constants
_ATTEMPTS = """
DELETE FROM connections_deliveryattempt a USING connections_messagecopy c
 WHERE c.id = a.copy_id AND c.content_id = ANY(%(ids)s)
"""
_BODIES = """
UPDATE connections_incomingmessage m SET body = '', body_removed_at = %(now)s
 WHERE m.id IN (SELECT i.id FROM connections_incomingmessage i
                 WHERE i.vault_id = %(vault)s AND i.settled_at < %(before)s AND i.body_removed_at IS NULL
                 ORDER BY i.settled_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
"""
_DEFAULT_DAYS = VaultSettings().message_days
_EARLIEST = datetime.fromisoformat("0001-01-01T00:00:00+00:00")


@dataclass(frozen=True)
class Forgotten:
    """How many payloads, attempts and bodies went."""

    payloads: int = 0
    attempts: int = 0
    bodies: int = 0

    def __add__(self, other: Forgotten) -> Forgotten:
        return Forgotten(self.payloads + other.payloads, self.attempts + other.attempts, self.bodies + other.bodies)


def forget(*, now: datetime, seconds: float = SECONDS, batch: int = BATCH) -> Forgotten:
    """Remove what is over its time, vault by vault, for at most so long; the next run goes on. A second one finds
    nothing."""
    stop_at = time.monotonic() + seconds
    days = dict(VaultSettings.objects.values_list("vault_id", "message_days"))
    gone = Forgotten()
    for vault in Vault.objects.order_by("pk").values_list("pk", flat=True):
        before = now - timedelta(days=days.get(vault, _DEFAULT_DAYS))
        place: dict[str, Any] = {"vault": vault, "before": before, "now": now, "limit": batch}
        gone += _outgoing(place, lambda: time.monotonic() < stop_at)
        gone += _incoming(place, lambda: time.monotonic() < stop_at)
    traffic.forget_old(now=now)
    return gone


def _outgoing(place: dict[str, Any], in_time: Callable[[], bool]) -> Forgotten:
    gone, after, last = Forgotten(), _EARLIEST, 0
    while in_time():
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute(_OVER, place | {"after": after, "last": last})
            found = cursor.fetchall()
            if not found:
                break
            last, after = found[-1]
            cursor.execute(_EMPTY, place | {"ids": [pk for pk, _entered_at in found]})
            ids = [pk for (pk,) in cursor.fetchall()]
            cursor.execute(_ATTEMPTS, {"ids": ids})
            gone += Forgotten(len(ids), cursor.rowcount)
    return gone


def _incoming(place: dict[str, Any], in_time: Callable[[], bool]) -> Forgotten:
    gone = 0
    while in_time():
        with database.cursor() as cursor:
            cursor.execute(_BODIES, place)
            if not cursor.rowcount:
                break
            gone += cursor.rowcount
    return Forgotten(bodies=gone)
