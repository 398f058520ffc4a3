"""How much Spark work is due in the whole installation, told without counting rows: a million may wait.

The numbers are those of the counters, and so include what is tried again later; the moment is that of the oldest row
that could be worked on now and is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection as database

# One look at the index a lane.
_OLDEST_TO_SEND = """
SELECT min(first.due_at)
  FROM connections_lane l
  JOIN connections_queueconnection k ON k.id = l.link_id
 CROSS JOIN LATERAL (
       SELECT c.due_at FROM connections_messagecopy c
        WHERE c.queue_id = k.queue_id AND c.connection_id = k.connection_id AND c.due_at <= %(now)s
        ORDER BY c.due_at LIMIT 1
 ) first
 WHERE l.stopped_since IS NULL AND (l.paused_until IS NULL OR l.paused_until <= %(now)s)
"""
_OLDEST_TO_PROCESS = """
SELECT min(first.due_at)
  FROM connections_queue q
 CROSS JOIN LATERAL (
       SELECT m.due_at FROM connections_incomingmessage m
        WHERE m.queue_id = q.id AND m.due_at <= %(now)s
        ORDER BY m.due_at LIMIT 1
 ) first
 WHERE q.type = 'inbound'
"""
# A queue is parked when none of its lanes may move.
_WAITING = """
SELECT COALESCE(sum(t.waiting) FILTER (WHERE moves), 0), COALESCE(sum(t.waiting) FILTER (WHERE NOT moves), 0)
  FROM connections_queuetally t
  JOIN (
       SELECT q.id, q.type = 'inbound' OR EXISTS (
                  SELECT 1 FROM connections_queueconnection k JOIN connections_lane l ON l.link_id = k.id
                   WHERE k.queue_id = q.id AND l.stopped_since IS NULL
              ) AS moves
         FROM connections_queue q WHERE (q.type = 'inbound') = %(inbound)s
  ) asked ON asked.id = t.queue_id
"""


@dataclass(frozen=True)
class Waiting:
    """What waits and may move, since when the oldest is due, and what waits and may not move."""

    due: int
    oldest: datetime | None
    parked: int


def to_send(now: datetime) -> Waiting:
    """Copies on their way out."""
    return _waiting(_OLDEST_TO_SEND, now, inbound=False)


def to_process(now: datetime) -> Waiting:
    """Messages that arrived."""
    return _waiting(_OLDEST_TO_PROCESS, now, inbound=True)


def oldest_due(now: datetime) -> datetime | None:
    """Since when the oldest message that could be sent or processed now is due."""
    found = [_moment(statement, now) for statement in (_OLDEST_TO_SEND, _OLDEST_TO_PROCESS)]
    return min((moment for moment in found if moment is not None), default=None)


def _waiting(oldest: str, now: datetime, *, inbound: bool) -> Waiting:
    with database.cursor() as cursor:
        cursor.execute(_WAITING, {"inbound": inbound})
        due, parked = cursor.fetchone()
    return Waiting(int(due), _moment(oldest, now), int(parked))


def _moment(statement: str, now: datetime) -> datetime | None:
    with database.cursor() as cursor:
        cursor.execute(statement, {"now": now})
        found: datetime | None = cursor.fetchone()[0]
    return found
