"""How much Spark work is due in the whole installation: a million rows may wait, and they are not all counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
# Counted up to a bound.
_DUE_TO_SEND = """
SELECT count(*)
  FROM (SELECT 1
          FROM connections_lane l
          JOIN connections_queueconnection k ON k.id = l.link_id
          JOIN connections_messagecopy c ON c.queue_id = k.queue_id AND c.connection_id = k.connection_id
         WHERE c.due_at <= %(now)s
           AND l.stopped_since IS NULL AND (l.paused_until IS NULL OR l.paused_until <= %(now)s)
         LIMIT %(most)s) counted
"""
_DUE_TO_PROCESS = """
SELECT count(*) FROM (SELECT 1 FROM connections_incomingmessage WHERE due_at <= %(now)s LIMIT %(most)s) counted
"""
# What waits in queues none of whose lanes may move, from the counters.
_PARKED = """
SELECT COALESCE(sum(t.waiting), 0)
  FROM connections_queuetally t JOIN connections_queue q ON q.id = t.queue_id
 WHERE q.type = 'outbound'
   AND NOT EXISTS (SELECT 1 FROM connections_queueconnection k JOIN connections_lane l ON l.link_id = k.id
                    WHERE k.queue_id = q.id AND l.stopped_since IS NULL)
"""
# More than so many are told as so many.
_MOST = 10_000


@dataclass(frozen=True)
class Waiting:
    """What could be worked on now, since when the oldest of it is due, and what waits and may not move."""

    due: int
    oldest: datetime | None
    parked: int = 0


def to_send(now: datetime) -> Waiting:
    """Copies on their way out."""
    return Waiting(_number(_DUE_TO_SEND, now), _moment(_OLDEST_TO_SEND, now), _number(_PARKED, now))


def to_process(now: datetime) -> Waiting:
    """Messages that arrived."""
    return Waiting(_number(_DUE_TO_PROCESS, now), _moment(_OLDEST_TO_PROCESS, now))


def oldest_due(now: datetime) -> datetime | None:
    """Since when the oldest message that could be sent or processed now is due."""
    found = [_moment(statement, now) for statement in (_OLDEST_TO_SEND, _OLDEST_TO_PROCESS)]
    return min((moment for moment in found if moment is not None), default=None)


def _number(statement: str, now: datetime) -> int:
    return int(_ask(statement, now))


def _moment(statement: str, now: datetime) -> datetime | None:
    found: datetime | None = _ask(statement, now)
    return found


def _ask(statement: str, now: datetime) -> Any:
    with database.cursor() as cursor:
        cursor.execute(statement, {"now": now, "most": _MOST})
        return cursor.fetchone()[0]
