"""What eCOA lets go of when a copied installation becomes one of its own: no study there sends for the original."""

from __future__ import annotations

from datetime import datetime

from ecoa.models import OPEN_STATES, StudyMapping, SyncRun
from vaultadmin import audit
from vaultadmin.models import Membership

REASON = "This installation was copied and became one of its own."


def let_go(by: Membership, now: datetime) -> dict[str, int]:
    """Inside the caller's transaction; returns how many of what were let go."""
    runs = list(SyncRun.objects.select_for_update(of=("self",)).select_related("vault").filter(state__in=OPEN_STATES))
    for run in runs:
        if run.cancel_requested_at is None:
            run.cancel_requested_at = now
            run.save(update_fields=["cancel_requested_at"])
            audit.record(vault=run.vault, by=by.user, event="sync_run.cancel_requested", subject=run, reason=REASON)
    mappings = list(StudyMapping.objects.select_related("vault").filter(is_active=True))
    for mapping in mappings:
        mapping.is_active = False
        mapping.save(update_fields=["is_active"])
        changes: audit.Changes = {"active": (True, False)}
        audit.record(
            vault=mapping.vault,
            by=by.user,
            event="study_mapping.changed",
            subject=mapping,
            changes=changes,
            reason=REASON,
        )
    return {"Sync runs": len(runs), "Study mappings": len(mappings)}
