from datetime import time, timedelta

import pytest

from ecoa.models import StudyMapping, SyncRun
from ecoa.services import runs, schedules
from ecoa.services.refusals import Refused
from tests.factories.ecoa import make_run
from vaultadmin import clock
from vaultadmin.models import AuditEvent


@pytest.fixture
def scheduled(study):
    def set_up(**changes):
        values = {"minutes": 60, "opens": None, "closes": None, "days": [], "zone": "UTC", "paused": False}
        return schedules.edit(study.mapping, by=study.manager, now=clock.now(), **(values | changes))

    return set_up


def again(mapping):
    return StudyMapping.objects.get(pk=mapping.pk)


def test_due_schedule_starts_one_run_and_moves_on(study, scheduled):
    study.participants()
    mapping, now = scheduled(), clock.now()

    assert schedules.start_due(now=now) == 1
    assert schedules.start_due(now=now) == 0

    run = SyncRun.objects.get()
    assert (run.scope, run.starter_label) == ("incremental", "Schedule")
    assert again(mapping).next_run_at == now + timedelta(minutes=60)
    assert again(mapping).schedule_note == "started"


def test_schedule_before_its_time_does_nothing(study, scheduled):
    study.participants()
    mapping = scheduled(
        opens=(clock.now() + timedelta(hours=2)).time(), closes=(clock.now() + timedelta(hours=3)).time()
    )

    assert schedules.start_due(now=clock.now()) == 0
    assert again(mapping).next_run_at > clock.now()


def test_due_schedule_waits_for_the_open_run_and_says_so(study, scheduled):
    study.participants()
    open_run = make_run(study.mapping)
    mapping = scheduled()
    due = mapping.next_run_at

    assert schedules.start_due(now=clock.now()) == 0
    assert again(mapping).schedule_waits
    assert again(mapping).next_run_at == due

    runs.cancel(open_run, by=study.manager, now=clock.now())
    study.finish(open_run)
    assert schedules.start_due(now=clock.now()) == 1
    assert not again(mapping).schedule_waits


def test_windows_missed_while_the_system_was_down_are_made_up_for_once(study, scheduled):
    study.participants()
    mapping = scheduled(minutes=15)
    later = clock.now() + timedelta(days=3)

    assert schedules.start_due(now=later) == 1
    study.finish(SyncRun.objects.get(), rounds=1)
    assert schedules.start_due(now=later + timedelta(seconds=3)) == 0
    assert again(mapping).next_run_at == later + timedelta(minutes=15)


def test_schedule_with_nothing_to_send_starts_no_run_and_says_so(study, scheduled):
    mapping = scheduled()

    assert schedules.start_due(now=clock.now()) == 0
    assert again(mapping).schedule_note == "nothing"
    assert again(mapping).next_run_at > clock.now()


@pytest.mark.parametrize("change", [{"paused": True}, {"minutes": None}])
def test_paused_schedule_and_none_at_all_start_nothing(study, scheduled, change):
    study.participants()
    scheduled()
    mapping = scheduled(**change)

    assert schedules.start_due(now=clock.now() + timedelta(days=1)) == 0
    assert again(mapping).next_run_at is None


def test_schedule_of_a_study_that_is_switched_off_waits(study, scheduled):
    study.participants()
    mapping = scheduled()
    StudyMapping.objects.filter(pk=mapping.pk).update(is_active=False)

    assert schedules.start_due(now=clock.now()) == 0


@pytest.mark.parametrize("change", [{"minutes": 1}, {"opens": time(8), "closes": time(8)}])
def test_schedule_that_makes_no_sense_is_refused(scheduled, change):
    with pytest.raises(Refused):
        scheduled(**change)


def test_every_change_of_a_schedule_is_in_the_trail(study, scheduled):
    scheduled(minutes=30, opens=time(8), closes=time(18), days=[1, 2])

    event = AuditEvent.objects.get(event="study_mapping.schedule_edited")
    assert event.changes["interval in minutes"] == [None, 30]
