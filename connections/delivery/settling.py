"""Write what came of batches: copies, attempts, lanes, counters, statistics, in that order and in one transaction.

Only rows still under the batch's lease are moved; the evidence of an attempt is closed even when the lease was lost,
because the attempt did happen.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from django.db import connection as database
from django.db import transaction

from connections.constants import AttemptOutcome, CopyState
from connections.delivery import giving_up, lane_notes
from connections.delivery.claiming import Batch, Job
from connections.delivery.outcomes import Result
from connections.delivery.policy import Policy
from connections.delivery.sent import Sent
from connections.models import EntryType, Lane
from connections.services import stats
from connections.services.messages import queue_log, tallies, traffic
from connections.services.messages.traffic import Passage
from connections.services.stats import Counts
from connections.spark.retrying import Clock, next_attempt

_COPIES = """
UPDATE connections_messagecopy c
   SET state = o.state, due_at = o.due_at, settled_at = CASE WHEN o.due_at IS NULL THEN %(now)s END,
       attempts = c.attempts - o.untried, crashes = 0, lease_token = NULL, lease_until = NULL
  FROM jsonb_to_recordset(%(rows)s::jsonb)
       AS o(copy bigint, token uuid, state text, due_at timestamptz, untried smallint)
 WHERE c.id = o.copy AND c.lease_token = o.token
RETURNING c.id
"""
_TRIES = """
UPDATE connections_deliveryattempt a
   SET ended_at = %(now)s, outcome = o.outcome, status = o.status, milliseconds = o.milliseconds, error = o.error,
       answer = o.answer, url = o.url, certificate_id = o.certificate_id,
       started_at = COALESCE(o.sent_at, a.started_at), signed_digest = decode(o.digest, 'hex')
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS o(attempt bigint, outcome text, status smallint, milliseconds integer,
       error text, answer text, url text, certificate_id text, sent_at timestamptz, digest text, untried smallint)
 WHERE a.id = o.attempt AND o.untried = 0
"""


@dataclass(frozen=True, slots=True)
class Settled:
    """How many copies were delivered, put off, given up; `lost` ones somebody else holds by now."""

    delivered: int
    put_off: int
    given_up: int
    lost: int


_Row: TypeAlias = dict[str, Any]
_Line: TypeAlias = tuple[Sent, _Row]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What came of a batch as far as it is still ours: entries with their rows."""

    batch: Batch
    lines: list[_Line]

    @property
    def over(self) -> list[_Row]:
        """Rows of those that left the queue."""
        return [row for _one, row in self.lines if row["due_at"] is None]


def settle(batch: Batch, sent: list[Sent], *, policy: Policy, now: datetime) -> Settled:
    """Write one batch."""
    return settle_all([(batch, sent)], policy=policy, now=now)


def settle_all(done: Sequence[tuple[Batch, list[Sent]]], *, policy: Policy, now: datetime) -> Settled:
    """Write several batches as one: all of them or none."""
    with transaction.atomic():
        lanes = _lock([batch.lane for batch, _sent in done])
        rows = [[_row(one, batch, lanes[batch.lane], now) for one in sent] for batch, sent in done]
        ours = _write([row for of_batch in rows for row in of_batch], now)
        kept = [
            _Kept(batch, [line for line in zip(sent, of_batch, strict=True) if line[1]["copy"] in ours])
            for (batch, sent), of_batch in zip(done, rows, strict=True)
        ]
        for part in kept:
            lane_notes.note(lanes[part.batch.lane], part.batch, [one for one, _row in part.lines], policy, now)
        lane_notes.save(lanes.values())
        _count(kept, now)
    over = [row for part in kept for row in part.over]
    delivered = sum(row["state"] == CopyState.DELIVERED for row in over)
    held, all_of_them = (sum(map(len, found)) for found in ([part.lines for part in kept], rows))
    return Settled(delivered, held - len(over), len(over) - delivered, all_of_them - held)


def _write(rows: list[_Row], now: datetime) -> set[int]:
    """Copies and attempts; returns the copies that were still ours."""
    values: dict[str, Any] = {"rows": json.dumps(rows), "now": now}
    with database.cursor() as cursor:
        cursor.execute(_COPIES, values)
        ours = {copy for (copy,) in cursor.fetchall()}
        cursor.execute(_TRIES, values)
        untried = [row["attempt"] for row in rows if row["untried"]]
        if untried:
            cursor.execute("DELETE FROM connections_deliveryattempt WHERE id = ANY(%s)", [untried])
    return ours


def _count(kept: Sequence[_Kept], now: datetime) -> None:
    """Counters, queue log and statistics, in the order everybody locks them."""
    left: Counter[int] = Counter()
    by_place: dict[tuple[int, int], list[_Line]] = {}
    by_connection: dict[int, list[_Line]] = {}
    for part in kept:
        batch = part.batch
        left[batch.queue] -= len(part.over)
        by_place.setdefault((batch.queue, batch.connection), []).extend(part.lines)
        by_connection.setdefault(batch.connection, []).extend(part.lines)
    tallies.add(left)
    for part in kept:
        _log(part, now)
    passages = {place: Passage(_counts(lines), _waits(lines, now)) for place, lines in by_place.items()}
    traffic.count_many(passages, at=now)
    stats.count_many({connection: _counts(lines) for connection, lines in by_connection.items()}, at=now)


def _row(one: Sent, batch: Batch, lane: Lane, now: datetime) -> _Row:
    job, result = one.job, one.result
    row = {"copy": job.copy, "attempt": job.attempt, "token": str(batch.token), "untried": int(result is None)}
    if result is None:
        return row | {"state": CopyState.WAITING.value, "due_at": now.isoformat()}
    due_at = None if result.delivered or result.ends else _next(job, result, lane, now)
    over = CopyState.DELIVERED if result.delivered else CopyState.FAILED
    return row | {
        "state": CopyState.WAITING.value if due_at else over.value,
        "due_at": due_at.isoformat() if due_at else None,
        "outcome": result.outcome.value,
        "status": result.status,
        "milliseconds": result.milliseconds,
        "error": result.error[:255],
        "answer": result.answer,
        "url": one.url[:2600],
        "certificate_id": one.certificate_id,
        "sent_at": one.sent_at.isoformat() if one.sent_at else None,
        "digest": one.digest or None,
    }


def _next(job: Job, result: Result, lane: Lane, now: datetime) -> datetime | None:
    clock = Clock(job.entered_at, lane.standstill(now) - job.stood_still_before)
    chance = random.random()  # nosec B311 - spreads attempts, protects nothing
    return next_attempt(clock, attempts=job.number, now=now, chance=chance, asked_to_wait=result.asked_to_wait)


def _log(part: _Kept, now: datetime) -> None:
    """What was given up goes into the queue log, of a traced queue every attempt (5.4); handlers are told."""
    batch = part.batch
    if batch.traced_until is not None and batch.traced_until > now:
        tried = [row["copy"] for one, row in part.lines if one.result is not None]
        queue_log.write(tried, entry_type=EntryType.TRACE, now=now)
    given_up = [(one.job, row) for one, row in part.lines if row["state"] == CopyState.FAILED]
    if given_up:
        queue_log.write([row["copy"] for _job, row in given_up], entry_type=EntryType.REMOVAL, now=now)
        giving_up.tell_handler(batch.queue, [job.message_id for job, _row in given_up], now=now)


def _counts(lines: Sequence[_Line]) -> Counts:
    tried = [(one.job, one.result, row) for one, row in lines if one.result is not None]
    failures = [result for _job, result, _row in tried if not result.delivered]
    return Counts(
        sent=len(tried) - len(failures),
        failures=len(failures),
        retries=sum(job.number > 1 for job, _result, _row in tried),
        timeouts=sum(result.outcome is AttemptOutcome.TIMEOUT for result in failures),
        fatal=sum(row["state"] == CopyState.FAILED for _job, _result, row in tried),
    )


def _waits(lines: Sequence[_Line], now: datetime) -> list[float]:
    """How long each delivered copy was on its way since it entered the queue."""
    delivered = (one.job for one, row in lines if row["state"] == CopyState.DELIVERED)
    return [max((now - job.entered_at).total_seconds(), 0.0) for job in delivered]


def _lock(lanes: Sequence[int]) -> dict[int, Lane]:
    """In the order everybody takes who needs several."""
    rows = Lane.objects.select_for_update(no_key=True).filter(pk__in=lanes).order_by("pk")
    return {lane.pk: lane for lane in rows}
