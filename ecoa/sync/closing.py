"""Ending runs: the last item settled, a person's cancel, or a service silent for too long."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from ecoa.client.errors import NO_ANSWER
from ecoa.models import RunState, SyncItem, SyncRun
from ecoa.sync import facts, reasons
from ecoa.sync.settling import ACTOR, record_moves
from vaultadmin import audit

CHUNK = 1000

# Rows a worker holds stay with it: cancelling cannot recall a call already made. What was in doubt stays so.
_CLOSE_OPEN = """
UPDATE ecoa_syncitem i
   SET due_at = NULL, settled_at = %(now)s, code = CASE WHEN %(code)s <> '' THEN %(code)s ELSE i.code END,
       state = CASE WHEN i.doubtful OR %(code)s <> '' THEN 'unknown' ELSE 'cancelled' END
 WHERE i.id IN (SELECT id FROM ecoa_syncitem WHERE run_id = %(run)s AND due_at IS NOT NULL AND lease_token IS NULL
                 ORDER BY id LIMIT %(chunk)s FOR UPDATE SKIP LOCKED)
RETURNING i.participant_id, i.version, i.state, i.doubtful, i.code
"""

_DOUBT_PARTICIPANTS = """
WITH old AS (
    SELECT p.id, p.status AS was, p.my_veeva_participant_id AS my_id, o.version = p.version AS current
      FROM ecoa_participant p
      JOIN unnest(%(ids)s::bigint[], %(versions)s::integer[]) AS o(id, version) ON o.id = p.id
     WHERE p.status <> 'unknown' OR NOT p.in_doubt
     ORDER BY p.id
       FOR NO KEY UPDATE OF p
)
UPDATE ecoa_participant p
   SET in_doubt = TRUE, changed_at = %(now)s, status = CASE WHEN old.current THEN 'unknown' ELSE p.status END,
       code = CASE WHEN old.current THEN %(code)s ELSE p.code END
  FROM old WHERE p.id = old.id
RETURNING p.id, p.participant_id, old.was, p.status, old.my_id, p.my_veeva_participant_id, p.code
"""


def close_open(*, run: SyncRun, code: str = "", now: datetime) -> int:
    """End the items nobody holds, in chunks of their own transactions; returns how many.

    Without a code this is a cancel: rows never sent are dropped from the run. With one they become "not known".
    """
    closed = 0
    while True:
        with transaction.atomic():
            rows = _close_chunk(run, code, now)
        closed += len(rows)
        if len(rows) < CHUNK:
            return closed


def doubt(*, pairs: list[tuple[int, int]], code: str, now: datetime) -> list[tuple[Any, ...]]:
    """Participants (id, version) whose outcome nobody knows show so; returns rows for `record_moves`.

    Runs inside the caller's transaction, before the run and the audit chain are locked.
    """
    if not pairs:
        return []
    ids, versions = [pk for pk, _version in pairs], [version for _pk, version in pairs]
    with connection.cursor() as cursor:
        cursor.execute(_DOUBT_PARTICIPANTS, {"ids": ids, "versions": versions, "code": code, "now": now})
        moved: list[tuple[Any, ...]] = cursor.fetchall()
    return moved


def finish_if_done(*, run_id: int, now: datetime) -> bool:
    """Finish a started run that has no open item left, paused or not; a cancelled one ends as cancelled."""
    if SyncItem.objects.filter(run=run_id, due_at__isnull=False).exists():
        return False
    with transaction.atomic():
        runs = SyncRun.objects.select_for_update(of=("self",)).select_related("vault")
        run = runs.filter(pk=run_id, state__in=[RunState.RUNNING, RunState.PAUSED]).first()
        if run is None:
            return False
        before = run.state
        if run.cancel_requested_at is not None:
            run.cancel(at=now)
        else:
            run.finish(at=now)
        run.save(update_fields=["state", "finished_at"])
        _record_end(run, before)
    return True


def _close_chunk(run: SyncRun, code: str, now: datetime) -> list[tuple[int, int, str, bool, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE_OPEN, {"run": run.pk, "code": code, "now": now, "chunk": CHUNK})
        rows: list[tuple[int, int, str, bool, str]] = cursor.fetchall()
    doubtful = [(pk, version) for pk, version, _state, in_doubt, _code in rows if in_doubt]
    moved = doubt(pairs=doubtful, code=code or NO_ANSWER, now=now)
    unknown = sum(1 for row in rows if row[2] == "unknown")
    if rows:
        SyncRun.objects.filter(pk=run.pk).update(
            unknown=F("unknown") + unknown, dropped=F("dropped") + len(rows) - unknown
        )
        reasons.count(run.pk, Counter((row[2], row[4]) for row in rows))
        facts.count_day(run.mapping_id, at=now, unknown=unknown)
    record_moves(run, moved)
    return rows


def _record_end(run: SyncRun, before: str) -> None:
    counts = {name: (None, getattr(run, name)) for name in ("total", "synced", "rejected", "unknown", "dropped")}
    audit.record(
        vault=run.vault,
        by=ACTOR,
        event=f"sync_run.{run.state}",
        subject=run,
        changes={"state": (before, run.state), **counts},
    )
