"""Write what came of a batch: copies, attempts, lane, counters, statistics, in that order and in one transaction.

Only rows still under the batch's lease are moved; the evidence of an attempt is closed even when the lease was lost,
because the attempt did happen.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection as database
from django.db import transaction

from connections.constants import AttemptOutcome, CopyState, LaneOutcome
from connections.delivery import giving_up
from connections.delivery.claiming import Batch, Job
from connections.delivery.outcomes import Result
from connections.delivery.policy import Policy
from connections.delivery.routing import RouteUnavailable
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
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS o(copy bigint, state text, due_at timestamptz, untried smallint)
 WHERE c.id = o.copy AND c.lease_token = %(token)s
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
class Sent:
    """One job and what came of it; no result means it was never started and goes back as it was."""

    job: Job
    result: Result | None
    url: str = ""
    certificate_id: str = ""
    sent_at: datetime | None = None
    digest: str = ""


def not_sent(refusal: RouteUnavailable) -> Result:
    """The attempt that could not be made."""
    return Result(AttemptOutcome.NOT_SENT, error=str(refusal), ends=refusal.ends)


def holds_up(sent: Sent) -> bool:
    """Must the next in line wait? Not after a final failure: that left the queue (veeva-core section 19, no. 15)."""
    return sent.result is None or not (sent.result.delivered or sent.result.ends)


@dataclass(frozen=True, slots=True)
class Settled:
    """How many copies were delivered, put off, given up; `lost` ones somebody else holds by now."""

    delivered: int
    put_off: int
    given_up: int
    lost: int


def settle(batch: Batch, sent: list[Sent], *, policy: Policy, now: datetime) -> Settled:
    """Write one batch."""
    with transaction.atomic():
        lane = Lane.objects.select_for_update().get(pk=batch.lane)
        rows = [_row(one, lane, now) for one in sent]
        with database.cursor() as cursor:
            cursor.execute(_COPIES, {"rows": json.dumps(rows), "token": batch.token, "now": now})
            ours = {copy for (copy,) in cursor.fetchall()}
            cursor.execute(_TRIES, {"rows": json.dumps(rows), "now": now})
            untried = [row["attempt"] for row in rows if row["untried"]]
            if untried:
                cursor.execute("DELETE FROM connections_deliveryattempt WHERE id = ANY(%s)", [untried])
        kept = [(one, row) for one, row in zip(sent, rows, strict=True) if row["copy"] in ours]
        _note_lane(lane, batch, [one for one, _row in kept], policy, now)
        over = [row for _one, row in kept if row["due_at"] is None]
        tallies.add({batch.queue: -len(over)})
        _log(batch, kept, now)
        lost = [one.job.message_id for one, row in kept if row["state"] == CopyState.FAILED]
        if lost:
            giving_up.tell_handler(batch.queue, lost, now=now)
        counts = _counts(kept)
        traffic.count_many({(batch.queue, batch.connection): Passage(counts, _waits(kept, now))}, at=now)
        stats.count_many({batch.connection: counts}, at=now)
    delivered = sum(row["state"] == CopyState.DELIVERED for row in over)
    return Settled(delivered, len(kept) - len(over), len(over) - delivered, len(sent) - len(kept))


def _row(one: Sent, lane: Lane, now: datetime) -> dict[str, Any]:
    job, result = one.job, one.result
    row: dict[str, Any] = {"copy": job.copy, "attempt": job.attempt, "untried": int(result is None)}
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


def _note_lane(lane: Lane, batch: Batch, sent: list[Sent], policy: Policy, now: datetime) -> None:
    """How the lane fares: the newest outcome, and whether its receiver is left alone for a while."""
    was_probing = lane.failures_in_row >= policy.breaker_at
    in_vain = 0
    for one in sent:
        if one.result is None:
            continue
        if one.result.delivered:
            lane.last_outcome, lane.last_delivered_at = LaneOutcome.OK.value, now
            lane.failures_in_row, lane.paused_until, in_vain = 0, None, 0
        else:
            lane.last_outcome, lane.last_error_at = LaneOutcome.ERROR.value, now
            lane.last_error_id, lane.last_error = one.job.message_id, one.result.error[:255]
            in_vain += int(one.result.speaks_for_receiver)
    if in_vain:
        _pause(lane, in_vain, policy, now, probing=was_probing)
    if lane.lease_token == batch.token:
        lane.lease_token = lane.lease_until = None
    lane.save()


def _pause(lane: Lane, in_vain: int, policy: Policy, now: datetime, *, probing: bool) -> None:
    """Leave a receiver alone that does not answer, after each probe twice as long."""
    lane.failures_in_row += 1 if probing else in_vain
    if not probing:
        lane.failures_in_row = min(lane.failures_in_row, policy.breaker_at)
    beyond = lane.failures_in_row - policy.breaker_at
    if beyond >= 0:
        lane.paused_until = now + min(policy.breaker_first * 2 ** min(beyond, 10), policy.breaker_longest)


def _log(batch: Batch, kept: list[tuple[Sent, dict[str, Any]]], now: datetime) -> None:
    """What was given up goes into the queue log, of a traced queue every attempt (veeva-core 5.4)."""
    if batch.traced_until is not None and batch.traced_until > now:
        tried = [row["copy"] for one, row in kept if one.result is not None]
        queue_log.write(tried, entry_type=EntryType.TRACE, now=now)
    given_up = [row["copy"] for _one, row in kept if row["state"] == CopyState.FAILED]
    queue_log.write(given_up, entry_type=EntryType.REMOVAL, now=now)


def _counts(kept: list[tuple[Sent, dict[str, Any]]]) -> Counts:
    tried = [(one.job, one.result, row) for one, row in kept if one.result is not None]
    failures = [result for _job, result, _row in tried if not result.delivered]
    return Counts(
        sent=len(tried) - len(failures),
        failures=len(failures),
        retries=sum(job.number > 1 for job, _result, _row in tried),
        timeouts=sum(result.outcome is AttemptOutcome.TIMEOUT for result in failures),
        fatal=sum(row["state"] == CopyState.FAILED for _job, _result, row in tried),
    )


def _waits(kept: list[tuple[Sent, dict[str, Any]]], now: datetime) -> list[float]:
    """How long each delivered copy was on its way since it entered the queue."""
    delivered = (one.job for one, row in kept if row["state"] == CopyState.DELIVERED)
    return [max((now - job.entered_at).total_seconds(), 0.0) for job in delivered]
