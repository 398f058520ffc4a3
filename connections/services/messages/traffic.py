"""Count what goes through each connection of a queue, by five minutes and by the hour (`TrafficSlot`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database

from connections.models import TrafficSlot
from connections.models.traffic import LONG, SHORT, start_of
from connections.services.stats import Counts
from connections.spark import waits

# By queue and connection: who settles knows both. A connection taken from its queue meanwhile is left out.
_ADD = """
INSERT INTO connections_trafficslot AS kept
    (link_id, minutes, starts_at, sent, received, failures, retries, timeouts, fatal, waits, last_at)
SELECT k.id, span.minutes, span.starts_at, more.sent, more.received, more.failures, more.retries, more.timeouts,
       more.fatal, more.waits,
       CASE WHEN more.sent + more.received > 0 THEN COALESCE(more.last_at, %(at)s::timestamptz) END
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS more(queue bigint, connection bigint, sent integer, received integer,
           failures integer, retries integer, timeouts integer, fatal integer, waits integer[],
           last_at timestamptz)
  JOIN connections_queueconnection k ON k.queue_id = more.queue AND k.connection_id = more.connection
 CROSS JOIN unnest(%(minutes)s::smallint[], %(starts)s::timestamptz[]) AS span(minutes, starts_at)
 ORDER BY k.id, span.minutes
    ON CONFLICT (link_id, minutes, starts_at) DO UPDATE
   SET sent = kept.sent + excluded.sent,
       received = kept.received + excluded.received,
       failures = kept.failures + excluded.failures,
       retries = kept.retries + excluded.retries,
       timeouts = kept.timeouts + excluded.timeouts,
       fatal = kept.fatal + excluded.fatal,
       waits = CASE WHEN excluded.waits = '{}' THEN kept.waits ELSE (
           SELECT array_agg(COALESCE(pair.mine, 0) + COALESCE(pair.more, 0) ORDER BY pair.place)
             FROM unnest(kept.waits, excluded.waits) WITH ORDINALITY AS pair(mine, more, place)) END,
       last_at = GREATEST(kept.last_at, excluded.last_at)
"""
# What the pages look back to, and an alert's longest window.
KEEP = {SHORT: timedelta(days=2), LONG: timedelta(days=32)}


@dataclass(frozen=True)
class Passage:
    """What went through one connection of one queue in one piece of work; `waits` are the seconds of each message.

    `last_at` is when the last one got through, if that is not the moment of counting.
    """

    counts: Counts = field(default_factory=Counts)
    waits: Sequence[float] = field(default_factory=tuple)
    last_at: datetime | None = None


def count_many(passages: Mapping[tuple[int, int], Passage], *, at: datetime) -> None:
    """Add what went through, by queue and connection, in one statement inside the caller's transaction.

    Call it before `stats.count_many`: whoever calls both locks the rows in one order.
    """
    rows = [
        _row(queue, connection, passage)
        for (queue, connection), passage in sorted(passages.items())
        if passage.waits or any(astuple(passage.counts))
    ]
    if rows:
        spans = {minutes: start_of(at, minutes) for minutes in (SHORT, LONG)}
        values: dict[str, Any] = {
            "rows": json.dumps(rows),
            "minutes": list(spans),
            "starts": list(spans.values()),
            "at": at,
        }
        with database.cursor() as cursor:
            cursor.execute(_ADD, values)


def _row(queue: int, connection: int, passage: Passage) -> dict[str, Any]:
    last = passage.last_at.isoformat() if passage.last_at is not None else None
    counted = {"waits": waits.sort(passage.waits), "last_at": last, **asdict(passage.counts)}
    return {"queue": queue, "connection": connection, **counted}


def forget_old(*, now: datetime, limit: int = 5000) -> int:
    """Delete spans nobody looks back to any more, at most `limit` of each length; returns how many."""
    gone = 0
    for minutes, kept in KEEP.items():
        old = TrafficSlot.objects.filter(minutes=minutes, starts_at__lt=now - kept).order_by("starts_at")
        ids = list(old.values_list("pk", flat=True)[:limit])
        gone += TrafficSlot.objects.filter(pk__in=ids).delete()[0]
    return gone
