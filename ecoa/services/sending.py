"""Having participants sent that came or changed by themselves: in the run that is about to start, or one behind it.

A plan is frozen, so what arrives while a run is under way waits in a queued run, one a study. It moves up once no run
of the study is open and the study is switched on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from ecoa.models import OPEN_STATES, RunState, Scope, StudyMapping, SyncRun
from ecoa.services.actors import label_of, member_of
from ecoa.sync import healing
from ecoa.sync.settling import ACTOR
from vaultadmin import audit

# Past this many the run takes whatever is not in eCOA, rather than a list that grows with every push.
MOST_LISTED = 100_000
_JOINABLE = (RunState.QUEUED, RunState.PLANNED)


def lock_joinable(mapping: StudyMapping) -> SyncRun | None:
    """The run of this study that can still take participants, held for the rest of the transaction."""
    rows = SyncRun.objects.select_for_update(of=("self",)).filter(
        mapping=mapping, state__in=_JOINABLE, scope__in=(Scope.ARRIVED, Scope.INCREMENTAL), cancel_requested_at=None
    )
    run: SyncRun | None = rows.order_by("pk").first()
    return run


def send_soon(
    *, mapping: StudyMapping, participants: Sequence[int], by: audit.Actor, now: datetime, in_bulk: bool = False
) -> SyncRun | None:
    """The run that will take these participants; None when there are none. The caller holds the study (`intake.lock`).

    Asks for no permission: whoever stored the participants had it.
    """
    if not participants:
        return None
    run = lock_joinable(mapping)
    if run is None:
        return _plan(mapping, participants, by, now, in_bulk)
    # A run of everything that changed takes them anyway.
    if run.scope == Scope.ARRIVED:
        _join(run, participants)
    return run


def move_up(*, now: datetime) -> int:
    """Let queued runs start whose study has no other run under way; returns how many."""
    under_way = SyncRun.objects.filter(mapping=OuterRef("mapping"), state__in=OPEN_STATES)
    free = SyncRun.objects.filter(~Exists(under_way), state=RunState.QUEUED, mapping__is_active=True)
    return sum(_move_up(run_id) for run_id in free.values_list("pk", flat=True))


def _plan(mapping: StudyMapping, participants: Sequence[int], by: audit.Actor, now: datetime, in_bulk: bool) -> SyncRun:
    run = _first_free(mapping, participants, by, now)
    changes: audit.Changes = {"scope": (None, run.scope), "study": (None, str(mapping))}
    audit.record(vault=mapping.vault, by=by, event="sync_run.planned", subject=run, changes=changes, in_bulk=in_bulk)
    if run.state == RunState.PLANNED:
        healing.wake_lanes(run, lanes=1)
    return run


def _first_free(mapping: StudyMapping, participants: Sequence[int], by: audit.Actor, now: datetime) -> SyncRun:
    """A new run: planned if the study is switched on and has no other, else queued."""
    values: dict[str, Any] = {
        "vault": mapping.vault,
        "mapping": mapping,
        "scope": Scope.ARRIVED,
        "chosen": list(participants),
        "started_by": member_of(by),
        "starter_label": label_of(by),
        "created_at": now,
    }
    if mapping.is_active and not SyncRun.objects.open().filter(mapping=mapping).exists():
        try:
            with transaction.atomic():
                planned: SyncRun = SyncRun.objects.create(**values)
                return planned
        except IntegrityError as error:
            # Somebody planned a run at this very moment: people who start one do not hold the study.
            if "sync_run_one_open" not in str(error):
                raise
    queued: SyncRun = SyncRun.objects.create(**values, state=RunState.QUEUED)
    return queued


def _join(run: SyncRun, participants: Sequence[int]) -> None:
    listed = [*(run.chosen or []), *participants]
    run.chosen = listed
    if len(listed) > MOST_LISTED:
        run.scope, run.chosen = Scope.INCREMENTAL, None
    run.save(update_fields=["scope", "chosen"])


def _move_up(run_id: int) -> bool:
    try:
        with transaction.atomic():
            rows = SyncRun.objects.select_for_update(skip_locked=True, of=("self",)).select_related("vault")
            run: SyncRun | None = rows.filter(pk=run_id, state=RunState.QUEUED).first()
            if run is None:
                return False
            run.move_up()
            run.save(update_fields=["state"])
            changes: audit.Changes = {"state": (RunState.QUEUED.value, RunState.PLANNED.value)}
            audit.record(vault=run.vault, by=ACTOR, event="sync_run.moved_up", subject=run, changes=changes)
            healing.wake_lanes(run, lanes=1)
    except IntegrityError as error:
        # Another run of the study was planned meanwhile; this one goes on waiting.
        if "sync_run_one_open" not in str(error):
            raise
        return False
    return True
