"""Take due copies: fair over lanes, none twice, in order where the queue asks for order."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection as database
from django.db import transaction

from connections.delivery import giving_up
from connections.delivery.choosing import Choice, Found, Kind, choose
from connections.delivery.policy import Policy
from connections.spark.retrying import WINDOW

# The lanes with something due that may move now. A sequential lane is taken whole, under a lease of its own: whoever
# holds it sees its copies in order, everybody else leaves it alone. Of lanes others look at just now those are left out
# in the first place; should there be none else, the first of them is waited for, and no second one: who waits for one
# while holding another could do so in a circle.
_LANES = """
SELECT k.id, q.id, k.connection_id, q.sequential, l.failures_in_row, l.stood_still, t.ends_at
  FROM connections_lane l
  JOIN connections_queueconnection k ON k.id = l.link_id
  JOIN connections_queue q ON q.id = k.queue_id
  LEFT JOIN connections_queuetrace t ON t.queue_id = q.id
 WHERE l.stopped_since IS NULL AND (l.paused_until IS NULL OR l.paused_until <= %(now)s)
   AND NOT (k.id = ANY(%(busy)s))
   AND (NOT q.sequential OR l.lease_until IS NULL OR l.lease_until < %(now)s)
   AND EXISTS (SELECT 1 FROM connections_messagecopy c
                WHERE c.queue_id = q.id AND c.connection_id = k.connection_id AND c.due_at <= %(now)s
                  AND (c.lease_until IS NULL OR c.lease_until < %(now)s))
 ORDER BY l.taken_at NULLS FIRST, k.id
 LIMIT %(lanes)s
   FOR NO KEY UPDATE OF l
"""
_FREE_LANES = f"{_LANES} SKIP LOCKED"
_TAKE_LANES = """
UPDATE connections_lane SET taken_at = %(now)s,
       lease_token = CASE WHEN link_id = ANY(%(sequential)s) THEN %(token)s::uuid END,
       lease_until = CASE WHEN link_id = ANY(%(sequential)s) THEN %(until)s::timestamptz END
 WHERE link_id = ANY(%(lanes)s)
"""
_FOUND = """
SELECT l.id, c.id, c.due_at <= %(now)s, c.lease_until IS NOT NULL, c.crashes, c.attempts,
       c.entered_at + %(window)s + (l.stood_still - c.stood_still_before) <= %(now)s
  FROM unnest(%(ids)s::bigint[], %(queues)s::bigint[], %(connections)s::bigint[], %(stood_still)s::interval[],
              %(most)s::integer[]) WITH ORDINALITY AS l(id, queue, connection, stood_still, most, place)
 CROSS JOIN LATERAL (
       SELECT * FROM connections_messagecopy
        WHERE queue_id = l.queue AND connection_id = l.connection
"""
_SIDE_BY_SIDE = f"""{_FOUND}
          AND due_at <= %(now)s AND (lease_until IS NULL OR lease_until < %(now)s)
        ORDER BY due_at, id LIMIT l.most FOR NO KEY UPDATE SKIP LOCKED) AS c
 ORDER BY l.place, c.due_at, c.id
"""
# The oldest that are not settled, due or not: what is not due yet holds up all that follow.
_IN_ORDER = f"""{_FOUND}
          AND due_at IS NOT NULL
        ORDER BY id LIMIT l.most FOR NO KEY UPDATE) AS c
 ORDER BY l.place, c.id
"""
# A lease that lapsed belonged to a sender that died: its call may have arrived, and is made again all the same. The
# attempt is written down together with the lease, before any call.
_LEASE = """
WITH mine AS (
    UPDATE connections_messagecopy c
       SET lease_token = %(token)s, lease_until = %(until)s, attempts = c.attempts + 1,
           crashes = c.crashes + CASE WHEN c.lease_until IS NULL THEN 0 ELSE 1 END
      FROM connections_sparkmessage m
     WHERE c.id = ANY(%(ids)s) AND m.id = c.content_id
    RETURNING c.id, c.message_id, c.path, c.attempts, c.crashes, c.entered_at, c.stood_still_before, m.payload,
              m.has_tokens, m.execution_id, m.is_receipt, m.custom
), opened AS (
    INSERT INTO connections_deliveryattempt (copy_id, number, execution_id, certificate_id, url, started_at, outcome,
                                             error, answer)
    SELECT id, attempts, execution_id, '', '', %(now)s, 'started', '', '' FROM mine ORDER BY id
    RETURNING id, copy_id
)
SELECT mine.id, opened.id, mine.message_id, mine.path, mine.attempts, mine.crashes, mine.entered_at,
       mine.stood_still_before, mine.payload, mine.has_tokens, mine.execution_id, mine.is_receipt, mine.custom::text
  FROM opened JOIN mine ON mine.id = opened.copy_id
 ORDER BY mine.id
"""
_RENEW_LANES = """
UPDATE connections_lane SET lease_until = %(until)s WHERE link_id = ANY(%(lanes)s) AND lease_token = ANY(%(tokens)s)
"""
# By their ids: tokens have no index, and of all that was ever sent only these are looked at.
_RENEW_COPIES = """
UPDATE connections_messagecopy SET lease_until = %(until)s WHERE id = ANY(%(copies)s) AND lease_token = ANY(%(tokens)s)
"""
# What nobody turned off but a state did (an External connection made Inactive) counts as well.
_STOPPED = """
SELECT l.link_id
  FROM connections_lane l
  JOIN connections_queueconnection k ON k.id = l.link_id
  JOIN connections_connection c ON c.id = k.connection_id
 WHERE l.link_id = ANY(%(lanes)s) AND (l.stopped_since IS NOT NULL OR c.state <> 'active_state__sys')
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One copy to send, with the row of its attempt."""

    copy: int
    attempt: int
    message_id: UUID
    path: str
    number: int
    crashes: int
    entered_at: datetime
    stood_still_before: timedelta
    payload: str
    has_tokens: bool
    execution_id: UUID
    is_receipt: bool
    custom: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """Leased copies of one lane, and the token that alone may settle them."""

    lane: int
    queue: int
    connection: int
    sequential: bool
    token: UUID
    jobs: list[Job]
    # One call that finds out whether a receiver answers again.
    probing: bool = False
    # Until when somebody has every attempt of the queue written down.
    traced_until: datetime | None = None
    # One more death gives up what it holds: nothing else is in the sender's hands meanwhile.
    alone: bool = False


def take(*, now: datetime, policy: Policy, lanes: int, busy: Collection[int] = (), idle: bool = True) -> list[Batch]:
    """Lease due copies of up to `lanes` lanes, those first that were taken longest ago; `busy` lanes are left out.

    What must not be sent any more is given up on the way. Who is `idle` has nothing under way: it waits for a lane when
    others look at all that have something due, as they leave most of it, and it alone is given what no other copy may
    be together with.
    """
    with transaction.atomic(), database.cursor() as cursor:
        found = _lanes(cursor, now=now, busy=busy, lanes=lanes, idle=idle)
        if not found:
            return []
        share = policy.share(len(found))
        token, until = uuid4(), now + policy.lease
        seen = _look(cursor, found, policy, now, share)
        chosen = [(lane, choose(seen[lane.link], lane.kind(policy, share))) for lane in found]
        going = _together(chosen, idle=idle)
        jobs = _lease(cursor, [choice for _lane, choice in going], token, now, until)
        batches = [
            lane.batch(token, [jobs[copy] for copy in sorted(choice.send)], policy, alone=choice.alone)
            for lane, choice in going
            if choice.send
        ]
        taken: dict[str, Any] = {
            "now": now,
            "token": token,
            "until": until,
            "lanes": [lane.link for lane, _choice in going],
            "sequential": [batch.lane for batch in batches if batch.sequential],
        }
        cursor.execute(_TAKE_LANES, taken)
        for lane, choice in chosen:
            giving_up.set_aside(lane.queue, lane.connection, choice.set_aside, now=now)
            giving_up.too_late(lane.queue, lane.connection, choice.too_late, now=now)
    return batches


def stopped(lanes: Collection[int]) -> set[int]:
    """Those of these lanes through which nothing may leave any more."""
    with database.cursor() as cursor:
        cursor.execute(_STOPPED, {"lanes": sorted(lanes)})
        return {lane for (lane,) in cursor.fetchall()}


def renew(batches: Sequence[Batch], *, now: datetime, policy: Policy) -> int:
    """Keep what these batches took; returns how many copies nobody else has by now."""
    values: dict[str, Any] = {
        "until": now + policy.lease,
        "tokens": list({batch.token for batch in batches}),
        "lanes": [batch.lane for batch in batches],
        "copies": [job.copy for batch in batches for job in batch.jobs],
    }
    with database.cursor() as cursor:
        cursor.execute(_RENEW_LANES, values)
        cursor.execute(_RENEW_COPIES, values)
        return int(cursor.rowcount)


@dataclass(frozen=True, slots=True)
class _Lane:
    """A lane with something due."""

    link: int
    queue: int
    connection: int
    sequential: bool
    failures_in_row: int
    stood_still: timedelta
    traced_until: datetime | None

    def is_probing(self, policy: Policy) -> bool:
        return self.failures_in_row >= policy.breaker_at

    def kind(self, policy: Policy, share: int) -> Kind:
        probing = self.is_probing(policy)
        return Kind(self.sequential, probing, 1 if probing else share, policy.few, policy.crashes)

    def batch(self, token: UUID, jobs: list[Job], policy: Policy, *, alone: bool) -> Batch:
        return Batch(
            self.link,
            self.queue,
            self.connection,
            self.sequential,
            token,
            jobs,
            self.is_probing(policy),
            self.traced_until,
            alone,
        )


def _lanes(cursor: Any, *, now: datetime, busy: Collection[int], lanes: int, idle: bool) -> list[_Lane]:
    place: dict[str, Any] = {"now": now, "lanes": lanes, "busy": sorted(busy)}
    cursor.execute(_FREE_LANES, place)
    rows = cursor.fetchall()
    if idle and not rows:
        cursor.execute(_LANES, place | {"lanes": 1})
        rows = cursor.fetchall()
    return [_Lane(*row) for row in rows]


def _look(cursor: Any, lanes: Sequence[_Lane], policy: Policy, now: datetime, share: int) -> dict[int, list[Found]]:
    """What each lane holds that can be sent next, by lane."""
    seen: dict[int, list[Found]] = {lane.link: [] for lane in lanes}
    for statement, sequential in ((_SIDE_BY_SIDE, False), (_IN_ORDER, True)):
        asked = [lane for lane in lanes if lane.sequential is sequential]
        if not asked:
            continue
        places: dict[str, Any] = {
            "now": now,
            "window": WINDOW,
            "ids": [lane.link for lane in asked],
            "queues": [lane.queue for lane in asked],
            "connections": [lane.connection for lane in asked],
            "stood_still": [lane.stood_still for lane in asked],
            # Behind a receiver that does not answer much can be too late by now.
            "most": [policy.batch * 10 if lane.is_probing(policy) else share for lane in asked],
        }
        cursor.execute(statement, places)
        for link, *row in cursor.fetchall():
            seen[link].append(Found(*row))
    return seen


def _together(chosen: list[tuple[_Lane, Choice]], *, idle: bool) -> list[tuple[_Lane, Choice]]:
    """The lanes that are taken at once: what must be alone is by itself, once it is its lane's turn."""
    sending = [(lane, choice) for lane, choice in chosen if choice.send]
    if idle and sending and sending[0][1].alone:
        return sending[:1]
    return [(lane, choice) for lane, choice in chosen if not choice.alone]


def _lease(cursor: Any, choices: Sequence[Choice], token: UUID, now: datetime, until: datetime) -> dict[int, Job]:
    """The jobs by copy, of all lanes at once."""
    ids = [copy for choice in choices for copy in choice.send]
    if not ids:
        return {}
    giving_up.close_tries([copy for choice in choices for copy in choice.lapsed], now=now)
    cursor.execute(_LEASE, {"ids": ids, "token": token, "now": now, "until": until})
    return {row[0]: Job(*(*row[:-1], _custom(row[-1]))) for row in cursor.fetchall()}


def _custom(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {} if text == "{}" else json.loads(text)
    return found
