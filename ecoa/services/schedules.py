"""Scheduled runs: people set the timetable of a study, the tick starts what is due. Rows decide, beat only wakes."""

from __future__ import annotations

from datetime import datetime, time

from django.db import transaction
from django.db.models import Q

from ecoa.models import ScheduleNote, Scope, SiteTally, StudyMapping, SyncRun
from ecoa.services import runs
from ecoa.services.actors import ensure_manager
from ecoa.services.refusals import Refused
from ecoa.timing import SHORTEST_MINUTES, first_run, next_run
from vaultadmin import audit

ACTOR = audit.System("Schedule")
AUDITED = [
    "schedule_minutes",
    "schedule_from",
    "schedule_until",
    "schedule_days",
    "schedule_zone",
    "schedule_paused",
]


def edit(
    mapping: StudyMapping,
    *,
    minutes: int | None,
    opens: time | None,
    closes: time | None,
    days: list[int],
    zone: str,
    paused: bool,
    by: audit.Actor,
    now: datetime,
) -> StudyMapping:
    """Set the timetable of a study; without an interval runs are started by hand only."""
    ensure_manager(by, mapping.vault_id)
    if minutes is not None and minutes < SHORTEST_MINUTES:
        raise Refused(f"Leave at least {SHORTEST_MINUTES} minutes between runs.", field="minutes")
    if opens is not None and opens == closes:
        raise Refused("Choose two different times, or none for the whole day.", field="closes")
    with transaction.atomic():
        current = StudyMapping.objects.select_for_update(of=("self",)).select_related("vault").get(pk=mapping.pk)
        before = audit.snapshot(current, AUDITED)
        current.schedule_minutes, current.schedule_paused = minutes, paused
        current.schedule_from, current.schedule_until = opens, closes
        current.schedule_days, current.schedule_zone = sorted(set(days)), zone
        changes = audit.diff(before, current, AUDITED)
        if changes:
            _begin_anew(current, now)
            current.save()
            audit.record(
                vault=current.vault, by=by, event="study_mapping.schedule_edited", subject=current, changes=changes
            )
    return current


def start_due(*, now: datetime) -> int:
    """Start the run of every study whose time has come, once however many were missed; returns how many started.

    A study with an open run waits: its time stays, and the next tick looks again.
    """
    due = StudyMapping.objects.filter(next_run_at__lte=now, is_active=True, schedule_paused=False)
    return sum(_start(mapping_id, now) for mapping_id in due.order_by("next_run_at").values_list("pk", flat=True))


def _begin_anew(mapping: StudyMapping, now: datetime) -> None:
    timetable = mapping.timetable
    runs_by_itself = timetable is not None and not mapping.schedule_paused
    mapping.next_run_at = first_run(timetable, now=now) if timetable and runs_by_itself else None
    mapping.schedule_note, mapping.schedule_noted_at = "", None


def _start(mapping_id: int, now: datetime) -> int:
    with transaction.atomic():
        rows = StudyMapping.objects.select_for_update(skip_locked=True, of=("self",)).select_related("vault")
        mapping = rows.filter(pk=mapping_id, next_run_at__lte=now, is_active=True, schedule_paused=False).first()
        timetable = mapping.timetable if mapping is not None else None
        if mapping is None or timetable is None:
            return 0
        note = _act(mapping, now)
        if note is ScheduleNote.WAITS and mapping.schedule_waits:
            return 0
        if note is not ScheduleNote.WAITS:
            mapping.next_run_at = next_run(timetable, after=now)
        mapping.schedule_note, mapping.schedule_noted_at = note, now
        mapping.save(update_fields=["next_run_at", "schedule_note", "schedule_noted_at"])
        return int(note is ScheduleNote.STARTED)


def _act(mapping: StudyMapping, now: datetime) -> ScheduleNote:
    if SyncRun.objects.open().filter(mapping=mapping).exists():
        return ScheduleNote.WAITS
    open_rows = Q(waiting__gt=0) | Q(rejected__gt=0) | Q(unknown__gt=0)
    if not SiteTally.objects.filter(open_rows, site__mapping=mapping).exists():
        return ScheduleNote.NOTHING
    try:
        runs.plan(mapping=mapping, scope=Scope.INCREMENTAL, by=ACTOR, now=now)
    except Refused:
        # Somebody started one between our look and now.
        return ScheduleNote.WAITS
    return ScheduleNote.STARTED
