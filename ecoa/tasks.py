"""Celery tasks: wake-ups for lanes and imports, and the tick. No logic and no retries; rows say what is due."""

from __future__ import annotations

from celery import shared_task

from ecoa.digests import writing
from ecoa.radar import cycling
from ecoa.reports import making
from ecoa.services import deciding, importing, proving, pushing, reports, resolving, schedules, sending
from ecoa.set_up import carrying
from ecoa.silence import looking
from ecoa.sync import draining, healing
from vaultadmin import clock, place


@shared_task(ignore_result=True, soft_time_limit=150, time_limit=180)
@place.only_at_home
def drain(*, run_id: int, number: int = 0, **_later: object) -> None:
    """Drain one lane of one run. A second one finds the lane taken, or nothing it can lease."""
    draining.drain(run_id=run_id, lane=number)


@shared_task(ignore_result=True, soft_time_limit=150, time_limit=180)
def work_import(*, import_id: int, **_later: object) -> None:
    """Check or store one participant file; whatever is left is found by the tick."""
    importing.work(import_id=import_id)


@shared_task(ignore_result=True, soft_time_limit=150, time_limit=180)
@place.only_at_home
def read_back(*, cycle_id: int, **_later: object) -> None:
    """Go on with one round of reading back. A second worker finds the round leased."""
    cycling.work(cycle_id=cycle_id)


@shared_task(ignore_result=True, soft_time_limit=150, time_limit=180)
def carry_decision(*, decision_id: int, **_later: object) -> None:
    """Carry out a signed decision about many discrepancies."""
    deciding.carry_on(decision_id=decision_id, now=clock.now())


@shared_task(ignore_result=True, soft_time_limit=45, time_limit=60)
@place.only_at_home
def tick(**_later: object) -> None:
    """Derive what must go on from the rows."""
    healing.tick(now=clock.now())
    schedules.start_due(now=clock.now())
    importing.wake_unfinished(now=clock.now())
    deciding.wake_unfinished(now=clock.now())
    resolving.tick(now=clock.now())
    cycling.tick(now=clock.now())
    proving.tick(now=clock.now())
    sending.move_up(now=clock.now())


@shared_task(ignore_result=True, soft_time_limit=570, time_limit=600)
def work_report(*, report_id: int, **_later: object) -> None:
    """Make one evidence report; one that was left behind is found by the next look."""
    making.work(report_id=report_id)


@shared_task(ignore_result=True, soft_time_limit=380, time_limit=400)
def work_set_up(*, set_up_id: int, **_later: object) -> None:
    """Test one set-up; one that was left behind is found by the next look."""
    carrying.work(set_up_id=set_up_id)


@shared_task(ignore_result=True, soft_time_limit=110, time_limit=120)
@place.only_at_home
def look_after(**_later: object) -> None:
    """What the study team relies on: silent sites, digests that are due, reports and tests that were left behind."""
    now = clock.now()
    looking.look(now=now)
    writing.write_due(now=now)
    reports.wake_unfinished(now=now)
    carrying.wake_unfinished(now=now)


@shared_task(ignore_result=True, soft_time_limit=300, time_limit=360)
def tidy(**_later: object) -> None:
    """Drop what files and pushes left behind."""
    importing.tidy(now=clock.now())
    reports.tidy(now=clock.now())
    pushing.tidy(now=clock.now())
