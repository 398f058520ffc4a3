"""Add the messages that came in to the sums of traffic and stats: many at once, each once."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.db import transaction

from connections.models.traffic import SHORT
from connections.services import stats
from connections.services.messages import traffic
from connections.services.messages.traffic import Passage
from connections.services.stats import Counts

_AT_ONCE = 5000
# Five minutes are the shortest span anything is summed up by; hours and days are made of them.
_TAKE = """
WITH taken AS (
    DELETE FROM connections_arrival WHERE message IN (
        SELECT message FROM connections_arrival ORDER BY message LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
    RETURNING queue, connection, at
)
SELECT date_bin(%(span)s, at, 'epoch'::timestamptz), queue, connection, count(*), max(at)
  FROM taken GROUP BY 1, 2, 3 ORDER BY 1
"""


def count_up(*, limit: int = _AT_ONCE) -> int:
    """Count what came in since it was done last, at the time it came in; returns how many messages that were."""
    counted = 0
    while (done := _count_some(limit)) == limit:
        counted += done
    return counted + done


def _count_some(limit: int) -> int:
    with transaction.atomic():
        with database.cursor() as cursor:
            values: dict[str, Any] = {"limit": limit, "span": timedelta(minutes=SHORT)}
            cursor.execute(_TAKE, values)
            rows = cursor.fetchall()
        spans: dict[datetime, dict[tuple[int, int], Passage]] = defaultdict(dict)
        for start, queue, connection, number, last_at in rows:
            spans[start][queue, connection] = Passage(Counts(received=number), last_at=last_at)
        for start, passages in spans.items():
            traffic.count_many(passages, at=start)
        for start, passages in spans.items():
            stats.count_many(_by_connection(passages), at=start)
    return sum(number for *_place, number, _last_at in rows)


def _by_connection(passages: dict[tuple[int, int], Passage]) -> dict[int, Counts]:
    received: dict[int, int] = defaultdict(int)
    for (_queue, connection), passage in passages.items():
        received[connection] += passage.counts.received
    return {connection: Counts(received=number) for connection, number in received.items()}
