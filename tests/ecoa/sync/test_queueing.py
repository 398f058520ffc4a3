from django.db import transaction

from ecoa.models import RunState, Scope, StudyMapping, SyncItem, SyncRun
from ecoa.services import intake, runs, sending
from vaultadmin import clock


def send(study, *participants):
    with transaction.atomic():
        intake.lock(study.mapping)
        return sending.send_soon(
            mapping=study.mapping, participants=[row.pk for row in participants], by=study.manager, now=clock.now()
        )


def fresh(run):
    return SyncRun.objects.get(pk=run.pk)


def test_what_arrives_goes_with_a_run_of_its_own(study, machine):
    first, _second = study.participants(2)

    run = study.finish(send(study, first))

    assert (run.scope, run.total, run.synced) == (Scope.ARRIVED, 1, 1)
    assert list(machine.store) == [first.internal_id]


def test_what_arrives_before_the_plan_is_frozen_joins_it(study):
    first, second = study.participants(2)

    run, again = send(study, first), send(study, second)

    assert (again.pk, fresh(run).chosen) == (run.pk, [first.pk, second.pk])


def test_what_arrives_during_a_run_queues_and_starts_after_it(study, machine):
    first, second = study.participants(2)
    running = runs.plan(mapping=study.mapping, scope=Scope.CHOSEN, chosen=[first.pk], by=study.manager, now=clock.now())

    waiting = send(study, second)
    assert (waiting.state, sending.move_up(now=clock.now())) == (RunState.QUEUED, 0)
    study.finish(running)

    assert sending.move_up(now=clock.now()) == 1
    assert study.finish(fresh(waiting)).synced == 1


def test_run_of_a_study_that_is_switched_off_waits_until_it_is_on(study):
    StudyMapping.objects.update(is_active=False)
    study.mapping = StudyMapping.objects.get()

    run = send(study, *study.participants(1))
    assert (run.state, sending.move_up(now=clock.now())) == (RunState.QUEUED, 0)

    StudyMapping.objects.update(is_active=True)
    assert sending.move_up(now=clock.now()) == 1


def test_queued_run_is_cancelled_at_once(study):
    first, second = study.participants(2)
    runs.plan(mapping=study.mapping, scope=Scope.CHOSEN, chosen=[first.pk], by=study.manager, now=clock.now())

    run = runs.cancel(send(study, second), by=study.manager, now=clock.now())

    assert run.state == RunState.CANCELLED
    assert not SyncItem.objects.exists()


def test_list_that_grew_too_long_takes_everything_that_waits(study, monkeypatch):
    monkeypatch.setattr(sending, "MOST_LISTED", 1)
    first, second = study.participants(2)

    run, _again = send(study, first), send(study, second)

    assert (fresh(run).scope, fresh(run).chosen) == (Scope.INCREMENTAL, None)


def test_nothing_to_send_plans_no_run(study):
    assert send(study) is None
