"""Lease due messages of inbound queues: fair over queues, in order where a queue asks for order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection as database
from django.db import transaction

from connections.constants import IncomingState
from connections.services.messages import tallies, traffic
from connections.services.messages.traffic import Passage
from connections.services.stats import Counts

LEASE = timedelta(seconds=60)
BATCH = 50
CRASHES = 3

# A lease that lapsed belonged to a worker that died, and nobody knows over which message of its batch: each of them is
# a suspect, and is taken alone from then on. One that dies with its worker again and again is guilty; the others are
# done in between. The queue is locked as long as the oldest of it is being taken, so that two see the same one.
_GUILTY = """
UPDATE connections_incomingmessage m
   SET state = %(set_aside)s, due_at = NULL, settled_at = %(now)s, lease_token = NULL, lease_until = NULL,
       crashes = m.crashes + 1, last_error = %(sentence)s
 WHERE m.id IN (SELECT id FROM connections_incomingmessage
                 WHERE due_at IS NOT NULL AND lease_until < %(now)s AND crashes >= %(crashes)s - 1
                 ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
RETURNING m.queue_id, m.connection_id
"""
_SUSPECT = """
SELECT id FROM connections_incomingmessage
 WHERE due_at <= %(now)s AND lease_until < %(now)s
 ORDER BY id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
"""
# A sequential queue gives out its oldest message only, and only while nobody works on it. The two kinds are asked for
# apart, so that each goes through an index of what waits in its own order, however much that is.
_DUE = """
SELECT picked.id
  FROM connections_queue q CROSS JOIN LATERAL (
       SELECT id FROM connections_incomingmessage
        WHERE queue_id = q.id AND due_at <= %(now)s AND lease_until IS NULL
        ORDER BY due_at, id LIMIT %(limit)s) picked
 WHERE q.type = 'inbound' AND NOT q.sequential
UNION ALL
SELECT picked.id
  FROM connections_queue q CROSS JOIN LATERAL (
       SELECT id, due_at, lease_until FROM connections_incomingmessage
        WHERE queue_id = q.id AND due_at IS NOT NULL
        ORDER BY id LIMIT 1) picked
 WHERE q.type = 'inbound' AND q.sequential AND picked.due_at <= %(now)s AND picked.lease_until IS NULL
"""
_LEASE = """
UPDATE connections_incomingmessage m
   SET lease_token = %(token)s, lease_until = %(until)s, attempts = m.attempts + 1,
       crashes = m.crashes + CASE WHEN m.lease_until IS NULL THEN 0 ELSE 1 END
 WHERE m.id IN (SELECT id FROM connections_incomingmessage WHERE id = ANY(%(ids)s) AND due_at <= %(now)s
                   AND (lease_until IS NULL OR lease_until < %(now)s) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
RETURNING m.id
"""
_GIVE_BACK = """
UPDATE connections_incomingmessage SET lease_token = NULL, lease_until = NULL, attempts = attempts - 1
 WHERE id = ANY(%(ids)s) AND lease_token = %(token)s
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """One leased message."""

    row: int
    token: UUID


def take(*, now: datetime, limit: int = BATCH) -> list[Taken]:
    """Lease up to `limit` messages of each queue that nobody held yet, of a sequential one its oldest."""
    return _lease(_DUE, {"now": now, "limit": limit}, now)


def take_suspect(*, now: datetime) -> list[Taken]:
    """Lease one message that was in the hands of a worker that died; set aside what died with three of them."""
    with transaction.atomic():
        _set_guilty_aside(now)
    return _lease(_SUSPECT, {"now": now}, now)


def give_back(untouched: Sequence[Taken]) -> None:
    """End the leases of messages nobody began to work on, and do not count them as tried."""
    if untouched:
        with database.cursor() as cursor:
            cursor.execute(_GIVE_BACK, {"ids": [taken.row for taken in untouched], "token": untouched[0].token})


def _lease(which: str, values: dict[str, Any], now: datetime) -> list[Taken]:
    token = uuid4()
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(which, values)
        ids = [row for (row,) in cursor.fetchall()]
        if not ids:
            return []
        cursor.execute(_LEASE, {"ids": ids, "token": token, "until": now + LEASE, "now": now})
        ours = sorted(row for (row,) in cursor.fetchall())
    return [Taken(row, token) for row in ours]


def _set_guilty_aside(now: datetime) -> None:
    values: dict[str, Any] = {
        "set_aside": IncomingState.SET_ASIDE.value,
        "now": now,
        "crashes": CRASHES,
        "sentence": f"The worker died {CRASHES} times while it processed this message.",
    }
    with database.cursor() as cursor:
        cursor.execute(_GUILTY, values)
        gone = Counter(cursor.fetchall())
    left: Counter[int] = Counter()
    for (queue, _connection), number in gone.items():
        left[queue] -= number
    tallies.add(left)
    passages = {place: Passage(Counts(failures=number, fatal=number)) for place, number in gone.items() if place[1]}
    traffic.count_many(passages, at=now)
