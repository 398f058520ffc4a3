"""Taking a batch: lease due items and note a try for each, before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, QuerySet

from ecoa.models import SyncItem
from ecoa.sync.carrying import Job
from ecoa.sync.policy import Policy
from vaultadmin import claims

_ALONE = 1


@dataclass(frozen=True, slots=True)
class Batch:
    """Leased items of one run, with the token that alone may settle them. `alone`: a row that may kill its worker."""

    token: UUID
    jobs: list[Job]
    alone: bool = False


# The values sent earlier are only looked up for the few rows in doubt.
_LEASED = """
SELECT i.id, i.participant_id, i.site_number, i.value, i.internal_id, i.version, i.attempts, i.doubtful,
       CASE WHEN i.doubtful THEN (
           SELECT array_agg(DISTINCT v.value) FROM (
               SELECT a.value FROM ecoa_attempt a WHERE a.participant_id = i.participant_id
                UNION ALL
               -- A person decided that this value of theirs may be overwritten.
               SELECT d.their_value FROM ecoa_discrepancy d
                WHERE d.participant_id = i.participant_id AND d.state = 'decided'
           ) v
       ) END, i.ask_only
  FROM ecoa_syncitem i
 WHERE i.lease_token = %(token)s
 ORDER BY i.id
"""

# The row of evidence of each try. Told apart from the reading: PostgreSQL does not know how many rows an INSERT will
# return, and would compare each with each to bring the two together.
_OPEN_TRIES = """
INSERT INTO ecoa_attempt (item_id, participant_id, number, value, started_at, outcome, stage, code, detail, read_back)
SELECT id, participant_id, attempts, value, %(now)s, 'started', 0, '', '', FALSE
  FROM ecoa_syncitem WHERE lease_token = %(token)s ORDER BY id
RETURNING item_id, id
"""


def take(*, run_id: int, policy: Policy, now: datetime) -> Batch | None:
    """Lease the next due items of a run; None when nothing is due that nobody else holds."""
    for due, limit in _queues(run_id, policy, now):
        claim = claims.claim(due, limit=limit, lease=policy.lease, now=now, attempts=F("attempts") + 1)
        if claim:
            return Batch(claim.token, _open_tries(claim.token, now), alone=limit == _ALONE)
    return None


def renew(*, token: UUID, policy: Policy, now: datetime) -> bool:
    """Keep a batch; False when its lease had lapsed and the rows are somebody else's."""
    return claims.renew(SyncItem.objects.all(), token=token, lease=policy.lease, now=now) > 0


def _queues(run_id: int, policy: Policy, now: datetime) -> list[tuple[QuerySet[SyncItem], int]]:
    """Healthy rows in full batches; rows that saw a worker die in small groups, then alone."""
    due = SyncItem.objects.filter(run=run_id, due_at__lte=now, lease_token__isnull=True).order_by("due_at", "pk")
    return [
        (due.filter(crashes=0), policy.batch),
        (due.filter(crashes=1), policy.suspects),
        (due.filter(crashes__gte=2), _ALONE),
    ]


def _open_tries(token: UUID, now: datetime) -> list[Job]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LEASED, {"token": token})
        leased = cursor.fetchall()
        cursor.execute(_OPEN_TRIES, {"token": token, "now": now})
        tries: dict[int, int] = dict(cursor.fetchall())
    return [_job(row, tries[row[0]]) for row in leased if row[0] in tries]


def _job(row: tuple[Any, ...], attempt: int) -> Job:
    item, participant, site, value, internal_id, version, number, doubtful, ours, ask_only = row
    return Job(
        item=item,
        attempt=attempt,
        participant=participant,
        site=site,
        value=value,
        internal_id=internal_id,
        version=version,
        number=number,
        doubtful=doubtful,
        ours=frozenset(ours or ()),
        ask_only=ask_only,
    )
