"""Runs as people handle them: plan, pause, resume, cancel, retry. The engine in `ecoa.sync` does the rest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from ecoa.models import (
    Discrepancy,
    DiscrepancyState,
    FileImport,
    ItemState,
    Participant,
    ParticipantStatus,
    RunState,
    Scope,
    StudyMapping,
    SyncItem,
    SyncRun,
)
from ecoa.services.actors import ensure_manager, label_of, member_of
from ecoa.services.refusals import Refused
from ecoa.sync import healing
from vaultadmin import audit

MAX_CHOSEN = 10_000
_HELD = {
    DiscrepancyState.OPEN: "eCOA and we hold different values. Decide about the conflict first, then it is sent.",
    DiscrepancyState.DECIDED: "It was decided to correct this ID at its source; what the source brings is sent then.",
}


def plan(
    *,
    mapping: StudyMapping,
    scope: Scope,
    by: audit.Actor,
    now: datetime,
    chosen: Sequence[int] = (),
    file: FileImport | None = None,
    retry_of: SyncRun | None = None,
) -> SyncRun:
    """Plan a run and wake a worker; the worker freezes the plan. One run of a study is open at a time."""
    ensure_manager(by, mapping.vault_id)
    if not mapping.is_active:
        raise Refused("This study mapping is switched off. Switch it on first.")
    if len(chosen) > MAX_CHOSEN:
        raise Refused(f"Choose at most {MAX_CHOSEN:,} participants, or send everything that changed.")
    run: SyncRun = SyncRun(
        vault=mapping.vault,
        mapping=mapping,
        scope=scope,
        chosen=list(chosen) or None,
        file=file,
        retry_of=retry_of,
        started_by=member_of(by),
        starter_label=label_of(by),
        created_at=now,
    )
    try:
        with transaction.atomic():
            run.save(force_insert=True)
            changes: audit.Changes = {"scope": (None, scope.value), "study": (None, str(mapping))}
            audit.record(vault=mapping.vault, by=by, event="sync_run.planned", subject=run, changes=changes)
            healing.wake_lanes(run, lanes=1)
    except IntegrityError as error:
        if "sync_run_one_open" not in str(error):
            raise
        raise Refused("A run of this study is under way. Wait until it has finished, or cancel it.") from error
    return run


def cancel(run: SyncRun, *, by: audit.Actor, now: datetime) -> SyncRun:
    """Stop a run: what is on its way ends first, the rest is not sent. Cancelling twice changes nothing."""
    ensure_manager(by, run.vault_id)
    with transaction.atomic():
        current = _locked(run)
        if current.is_queued:
            return _cancel_queued(current, by, now)
        if not current.is_open:
            raise Refused("This run is over already.")
        if current.cancel_requested_at is None:
            current.cancel_requested_at = now
            current.save(update_fields=["cancel_requested_at"])
            audit.record(vault=current.vault, by=by, event="sync_run.cancel_requested", subject=current)
            healing.wake_lanes(current, lanes=1)
    return current


def pause(run: SyncRun, *, by: audit.Actor, now: datetime) -> SyncRun:
    """Send nothing more for now: what is on its way ends first, the rest keeps its place in the plan."""
    ensure_manager(by, run.vault_id)
    with transaction.atomic():
        current = _locked(run)
        if current.state != RunState.RUNNING or current.cancel_requested_at is not None:
            raise Refused(why_not_pause(current))
        current.pause(by=label_of(by), at=now)
        current.save(update_fields=["state", "paused_at", "paused_by_label"])
        _record_state(current, "sync_run.paused", RunState.RUNNING, by)
    return current


def resume(run: SyncRun, *, by: audit.Actor, now: datetime) -> SyncRun:
    """Go on where a paused run was."""
    ensure_manager(by, run.vault_id)
    with transaction.atomic():
        current = _locked(run)
        if current.state != RunState.PAUSED or current.cancel_requested_at is not None:
            raise Refused(why_not_resume(current))
        current.resume()
        current.save(update_fields=["state", "paused_at", "paused_by_label", "silent_since"])
        _record_state(current, "sync_run.resumed", RunState.PAUSED, by)
        healing.wake_lanes(current, lanes=1)
    return current


def why_not_pause(run: SyncRun) -> str:
    """Why a run cannot be paused now, in one sentence; empty when it can."""
    if run.is_queued:
        return "This run waits for the one before it."
    if not run.is_open:
        return "This run is over."
    if run.cancel_requested_at is not None:
        return "This run is being cancelled."
    if run.state == RunState.PLANNED:
        return "The plan is being made; try again in a moment."
    return "This run is paused already." if run.state == RunState.PAUSED else ""


def why_not_resume(run: SyncRun) -> str:
    """Why a run cannot be resumed now, in one sentence; empty when it can."""
    if not run.is_open:
        return "This run is over."
    if run.cancel_requested_at is not None:
        return "This run is being cancelled."
    return "" if run.state == RunState.PAUSED else "This run is not paused."


def _locked(run: SyncRun) -> SyncRun:
    rows = SyncRun.objects.select_for_update(of=("self",)).select_related("vault")
    found: SyncRun = rows.get(pk=run.pk)
    return found


def _record_state(run: SyncRun, event: str, before: RunState, by: audit.Actor) -> None:
    changes: audit.Changes = {"state": (before.value, str(run.state)), "done": (None, run.done)}
    audit.record(vault=run.vault, by=by, event=event, subject=run, changes=changes)


def _cancel_queued(run: SyncRun, by: audit.Actor, now: datetime) -> SyncRun:
    """Nothing of it is on its way, so it ends at once."""
    run.cancel_requested_at = now
    run.cancel(at=now)
    run.save(update_fields=["state", "cancel_requested_at", "finished_at"])
    changes: audit.Changes = {"state": (RunState.QUEUED.value, RunState.CANCELLED.value)}
    audit.record(vault=run.vault, by=by, event="sync_run.cancelled", subject=run, changes=changes)
    return run


def retry(run: SyncRun, *, by: audit.Actor, now: datetime) -> SyncRun:
    """A new run of what an earlier one could not bring over. Safe: whatever is in doubt is asked before it is sent."""
    if run.is_open or run.is_queued:
        raise Refused("This run is still under way.")
    left = SyncItem.objects.filter(
        run=run, due_at__isnull=True, state__in=[ItemState.REJECTED, ItemState.UNKNOWN, ItemState.CANCELLED]
    )
    if not left.exists():
        raise Refused("Everything of this run is in eCOA; there is nothing to retry.")
    return plan(mapping=run.mapping, scope=Scope.RETRY, retry_of=run, by=by, now=now)


def retry_participant(participant: Participant, *, by: audit.Actor, now: datetime) -> SyncRun:
    """Send one participant again."""
    if participant.status == ParticipantStatus.SYNCED:
        raise Refused("This participant is in eCOA already.")
    holding = Discrepancy.objects.holding().filter(participant=participant).first()
    if holding is not None:
        raise Refused(_HELD[DiscrepancyState(holding.state)])
    return plan(mapping=participant.mapping, scope=Scope.CHOSEN, chosen=[participant.pk], by=by, now=now)
