"""Lease due messages of inbound queues: fair over queues, in order where a queue asks for order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection as database
from django.db import transaction

LEASE = timedelta(seconds=60)
BATCH = 50

# A sequential queue gives out its oldest message only, and only while nobody works on it; the lock on the queue makes
# two who look at once see the same one.
_DUE = """
WITH queues AS (
    SELECT q.id, q.sequential FROM connections_queue q
     WHERE q.type = 'inbound'
       AND EXISTS (SELECT 1 FROM connections_incomingmessage m
                    WHERE m.queue_id = q.id AND m.due_at <= %(now)s
                      AND (m.lease_until IS NULL OR m.lease_until < %(now)s))
     ORDER BY q.id
)
SELECT picked.id, queues.sequential
  FROM queues CROSS JOIN LATERAL (
       SELECT m.id, m.due_at, m.lease_until FROM connections_incomingmessage m
        WHERE m.queue_id = queues.id AND m.due_at IS NOT NULL
          AND (queues.sequential OR (m.due_at <= %(now)s AND (m.lease_until IS NULL OR m.lease_until < %(now)s)))
        ORDER BY CASE WHEN queues.sequential THEN NULL ELSE m.due_at END, m.id
        LIMIT CASE WHEN queues.sequential THEN 1 ELSE %(limit)s END
  ) picked
 WHERE picked.due_at <= %(now)s AND (picked.lease_until IS NULL OR picked.lease_until < %(now)s)
"""
# A lease that lapsed belonged to a worker that died over this message.
_LEASE = """
UPDATE connections_incomingmessage m
   SET lease_token = %(token)s, lease_until = %(until)s, attempts = m.attempts + 1,
       crashes = m.crashes + CASE WHEN m.lease_until IS NULL THEN 0 ELSE 1 END
 WHERE m.id IN (SELECT id FROM connections_incomingmessage WHERE id = ANY(%(ids)s) AND due_at <= %(now)s
                   AND (lease_until IS NULL OR lease_until < %(now)s) ORDER BY id FOR UPDATE SKIP LOCKED)
RETURNING m.id
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """One leased message."""

    row: int
    token: UUID
    sequential: bool


def take(*, now: datetime, limit: int = BATCH) -> list[Taken]:
    """Lease up to `limit` messages of each queue, of a sequential one its oldest."""
    token = uuid4()
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(_DUE, {"now": now, "limit": limit})
        sequential = dict(cursor.fetchall())
        if not sequential:
            return []
        cursor.execute(_LEASE, {"ids": list(sequential), "token": token, "until": now + LEASE, "now": now})
        ours = sorted(row for (row,) in cursor.fetchall())
    return [Taken(row, token, sequential[row]) for row in ours]


def give_back(batch: Sequence[Taken]) -> None:
    """End the leases of what was not worked on."""
    if batch:
        with database.cursor() as cursor:
            cursor.execute(
                "UPDATE connections_incomingmessage SET lease_token = NULL, lease_until = NULL, attempts = attempts - 1"
                " WHERE lease_token = %(token)s",
                {"token": batch[0].token},
            )
