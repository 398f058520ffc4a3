"""Freezing a plan: which participants, with which value and version, in one statement."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from ecoa.client.errors import PARKED
from ecoa.models import RunState, Scope, SyncRun
from ecoa.sync.settling import ACTOR
from vaultadmin import audit

# A participant of whom some try may have landed starts in doubt: eCOA is asked before anything is sent. So does one
# with a standing discrepancy and every signed correction, and it is read back after sending. Where two values stand
# against each other nothing is sent before that. What a person cancelled is asked about, and not sent.
_PLAN = """
INSERT INTO ecoa_syncitem (run_id, participant_id, site_number, value, internal_id, version, state, doubtful, due_at,
                           attempts, crashes, code, read_back, ask_only)
SELECT %(run)s, p.id, s.number, p.participant_id, p.internal_id, p.version, 'waiting',
       p.in_doubt OR d.id IS NOT NULL OR %(prove)s, %(now)s, 0, 0, '', FALSE, {ask_only}
  FROM ecoa_participant p
  JOIN ecoa_site s ON s.id = p.site_id
  LEFT JOIN ecoa_discrepancy d ON d.participant_id = p.id AND d.state IN ('open', 'decided')
  LEFT JOIN ecoa_decision x ON x.id = d.decision_id
 WHERE p.mapping_id = %(mapping)s AND {scope}
   AND (d.id IS NULL OR d.kind NOT IN ('conflict', 'id_differs') OR CASE
        WHEN d.state = 'open' THEN d.holder_unknown AND d.version < p.version
        ELSE x.remedy IS DISTINCT FROM 'at_source' OR d.version < p.version END)
 ORDER BY p.id
"""
_ASK_ONLY = """COALESCE((SELECT i.ask_only OR r.cancel_requested_at IS NOT NULL
                   FROM ecoa_syncitem i JOIN ecoa_syncrun r ON r.id = i.run_id
                  WHERE i.participant_id = p.id ORDER BY i.id DESC LIMIT 1), FALSE)"""

_SCOPES = {
    # What killed its workers is set aside until a person sends it again.
    Scope.DOUBT: f"p.in_doubt AND p.code <> '{PARKED}'",
    Scope.INCREMENTAL: "p.status <> 'synced'",
    Scope.ALL: "TRUE",
    Scope.ARRIVED: "p.status <> 'synced' AND p.id = ANY(%(chosen)s)",
    Scope.CHOSEN: "p.id = ANY(%(chosen)s)",
    Scope.CORRECTION: "p.id = ANY(%(chosen)s)",
    Scope.FILE: "p.id IN (SELECT r.stored_as_id FROM ecoa_filerow r WHERE r.file_id = %(file)s)",
    Scope.RETRY: (
        "p.status <> 'synced' AND p.id IN (SELECT i.participant_id FROM ecoa_syncitem i WHERE i.run_id = %(retry_of)s"
        " AND i.due_at IS NULL AND i.state IN ('rejected', 'unknown', 'cancelled'))"
    ),
}


def freeze(*, run_id: int, now: datetime) -> SyncRun | None:
    """Write the plan of a planned run and start it. None when somebody else does so now, or did."""
    with transaction.atomic():
        planned = SyncRun.objects.select_for_update(skip_locked=True, of=("self",)).select_related("vault")
        run: SyncRun | None = planned.filter(pk=run_id, state=RunState.PLANNED).first()
        if run is None:
            return None
        total = _insert_items(run, now) if run.cancel_requested_at is None else 0
        run.start(total=total, at=now)
        run.save(update_fields=["state", "total", "started_at"])
        audit.record(
            vault=run.vault,
            by=ACTOR,
            event="sync_run.started",
            subject=run,
            changes={"state": (RunState.PLANNED.value, RunState.RUNNING.value), "participants": (None, total)},
        )
    return run


def _insert_items(run: SyncRun, now: datetime) -> int:
    values: dict[str, Any] = {
        "run": run.pk,
        "mapping": run.mapping_id,
        "now": now,
        "chosen": run.chosen or [],
        "prove": run.scope == Scope.CORRECTION,
        "file": run.file_id,
        "retry_of": run.retry_of_id,
    }
    scope = Scope(run.scope)
    asks = _ASK_ONLY if scope is Scope.DOUBT else "FALSE"
    with connection.cursor() as cursor:
        cursor.execute(_PLAN.format(scope=_SCOPES[scope], ask_only=asks), values)
        planned: int = cursor.rowcount
    return planned
