"""The tick: everything that must go on is derived from rows, so losing a worker or Redis costs seconds only."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from ecoa.client.errors import GAVE_UP, PARKED
from ecoa.models import ItemState, RunState, SyncItem, SyncRun
from ecoa.sync import closing, facts, reasons, settling, shares
from ecoa.sync.policy import POLICY, Policy
from vaultadmin import wake

LANE = "ecoa.sync"

# A row whose worker vanished may have been sent: it is in doubt, and due at once. After too many crashes it is parked.
_RELEASE = """
UPDATE ecoa_syncitem i
   SET lease_token = NULL, lease_until = NULL, doubtful = TRUE, crashes = i.crashes + 1,
       due_at = CASE WHEN i.crashes + 1 < %(crashes)s THEN %(now)s END,
       state = CASE WHEN i.crashes + 1 < %(crashes)s THEN i.state ELSE 'unknown' END,
       code = CASE WHEN i.crashes + 1 < %(crashes)s THEN i.code ELSE %(parked)s END,
       settled_at = CASE WHEN i.crashes + 1 < %(crashes)s THEN i.settled_at ELSE %(now)s END
 WHERE i.id IN (SELECT id FROM ecoa_syncitem WHERE lease_until < %(now)s
                 ORDER BY id LIMIT %(chunk)s FOR UPDATE SKIP LOCKED)
RETURNING i.run_id, i.participant_id, i.version, i.due_at IS NULL
"""


def tick(*, now: datetime, policy: Policy = POLICY) -> None:
    """Free lapsed leases, end what is over, wake lanes for what is due."""
    release_lapsed(now=now, policy=policy)
    shares.tidy(now=now)
    for run in SyncRun.objects.open().select_related("vault"):
        if run.state == RunState.PLANNED:
            wake_lanes(run, lanes=1)
        elif run.cancel_requested_at is not None:
            closing.close_open(run=run, now=now)
            closing.finish_if_done(run_id=run.pk, now=now)
        elif run.state == RunState.PAUSED:
            closing.finish_if_done(run_id=run.pk, now=now)
        else:
            _drive(run, now, policy)


def release_lapsed(*, now: datetime, policy: Policy = POLICY) -> int:
    """Give the rows of vanished workers back; returns how many."""
    released = 0
    while True:
        with transaction.atomic():
            rows = _release_chunk(now, policy)
        released += len(rows)
        if len(rows) < closing.CHUNK:
            return released


def wake_lanes(run: SyncRun, *, lanes: int) -> None:
    """Nudge workers to drain a run, after commit."""
    for number in range(lanes):
        wake.wake(LANE, run_id=run.pk, number=number)


def _drive(run: SyncRun, now: datetime, policy: Policy) -> None:
    if run.silent_since is not None and run.silent_since < now - policy.give_up:
        closing.close_open(run=run, code=GAVE_UP, now=now)
    if closing.finish_if_done(run_id=run.pk, now=now):
        return
    due = SyncItem.objects.filter(run=run, due_at__lte=now, lease_token__isnull=True)
    waiting = len(due.values_list("pk")[: policy.batch + 1])
    if waiting:
        wake_lanes(run, lanes=policy.lanes if waiting > policy.batch else 1)


def _release_chunk(now: datetime, policy: Policy) -> list[tuple[Any, ...]]:
    values: dict[str, Any] = {"now": now, "crashes": policy.crashes, "parked": PARKED, "chunk": closing.CHUNK}
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    parked: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for run_id, participant, version, is_parked in rows:
        if is_parked:
            parked[run_id].append((participant, version))
    for run_id, pairs in sorted(parked.items()):
        _park(SyncRun.objects.select_related("vault").get(pk=run_id), pairs, now)
    return rows


def _park(run: SyncRun, pairs: list[tuple[int, int]], now: datetime) -> None:
    moved = closing.doubt(pairs=pairs, code=PARKED, now=now)
    SyncRun.objects.filter(pk=run.pk).update(unknown=F("unknown") + len(pairs))
    reasons.count(run.pk, Counter({(ItemState.UNKNOWN.value, PARKED): len(pairs)}))
    facts.count_day(run.mapping_id, at=now, unknown=len(pairs))
    settling.record_moves(run, moved)
