from datetime import timedelta

import pytest

from ecoa.models import Attempt, Participant, SyncItem, SyncRun
from ecoa.sync import batches, closing, draining, healing, settling
from ecoa.sync.carrying import Outcome, Verdict
from tests.ecoa.conftest import QUICK
from tests.factories.ecoa import make_run
from vaultadmin import clock


@pytest.fixture
def started(study):
    def start(amount):
        study.participants(amount)
        run = make_run(study.mapping)
        draining.planning.freeze(run_id=run.pk, now=clock.now())
        return run

    return start


def crash(run, policy=QUICK):
    """A worker takes a batch and vanishes; its lease runs out."""
    batch = batches.take(run_id=run.pk, policy=policy, now=clock.now())
    later = clock.now() + policy.lease + timedelta(seconds=1)
    healing.release_lapsed(now=later, policy=policy)
    SyncItem.objects.filter(due_at__gt=clock.now()).update(due_at=clock.now())
    return batch


def test_batch_of_a_vanished_worker_is_asked_about_before_it_is_sent(study, machine, started):
    run = started(3)
    crash(run)

    study.finish(run)

    assert machine.calls["get"] >= 3
    assert len(machine.store) == 3
    assert Attempt.objects.filter(outcome="started").count() == 3


def test_settlement_after_the_lease_was_lost_writes_nothing(study, machine, started):
    run = started(1)
    batch = crash(run)
    claimed = batches.take(run_id=run.pk, policy=QUICK, now=clock.now())

    late = [Outcome(job, Verdict.REJECTED, code="ID-0001", final=True) for job in batch.jobs]
    settled = settling.settle(run=run, token=batch.token, outcomes=late, policy=QUICK, now=clock.now())

    item = SyncItem.objects.get()
    assert (settled.written, settled.lost) == (0, 1)
    assert (item.lease_token, item.state) == (claimed.token, "waiting")
    assert Participant.objects.get().status == "waiting"
    assert SyncRun.objects.get().rejected == 0


def test_row_that_saw_three_workers_die_is_set_aside(study, machine, started):
    run = started(1)
    for _ in range(3):
        crash(run)

    run = study.finish(run)

    assert (run.state, run.unknown, machine.calls["post"]) == ("finished", 1, 0)
    assert (Participant.objects.get().status, Participant.objects.get().code) == ("unknown", "VA-PARKED")


def test_poison_row_takes_no_neighbour_with_it(study, machine, started):
    run = started(50)
    poison = SyncItem.objects.order_by("pk")[7].pk

    for _ in range(80):
        batch = batches.take(run_id=run.pk, policy=QUICK, now=clock.now())
        if batch is None:
            break
        if poison in [job.item for job in batch.jobs]:
            healing.release_lapsed(now=clock.now() + QUICK.lease + timedelta(seconds=1), policy=QUICK)
            SyncItem.objects.filter(due_at__gt=clock.now()).update(due_at=clock.now())
        else:
            done = [Outcome(job, Verdict.SYNCED, final=True) for job in batch.jobs]
            settling.settle(run=run, token=batch.token, outcomes=done, policy=QUICK, now=clock.now())

    assert closing.finish_if_done(run_id=run.pk, now=clock.now())
    run = SyncRun.objects.get()
    assert (run.synced, run.unknown) == (49, 1)
    assert SyncItem.objects.get(code="VA-PARKED").pk == poison


def test_silent_service_is_not_asked_once_per_participant(study, machine):
    study.participants(300)
    machine.down = True

    run = study.run(rounds=1)

    assert run.is_open
    assert machine.calls["down"] < 100
    assert run.silent_since is not None


def test_service_that_comes_back_is_served(study, machine):
    study.participants(100)
    machine.down = True
    run = study.run(rounds=1)
    machine.down = False
    SyncItem.objects.filter(due_at__isnull=False).update(due_at=clock.now())

    run = study.finish(run)

    assert (run.state, run.synced, run.silent_since) == ("finished", 100, None)


def test_service_silent_for_too_long_ends_the_run(study, machine):
    study.participants(100)
    machine.down = True
    run = study.run(rounds=1)

    healing.tick(now=clock.now() + QUICK.give_up * 2, policy=QUICK)

    run = SyncRun.objects.get(pk=run.pk)
    assert (run.state, run.unknown, run.left) == ("finished", 100, 0)


def test_cancelled_run_sends_nothing_more_and_leaves_the_rest_waiting(study, machine, started):
    run = started(5)
    SyncRun.objects.update(cancel_requested_at=clock.now())

    run = study.finish(run)

    assert (run.state, run.dropped, machine.calls["post"]) == ("cancelled", 5, 0)
    assert set(Participant.objects.values_list("status", flat=True)) == {"waiting"}


def test_cancel_waits_for_what_is_on_its_way(study, machine, started):
    run = started(5)
    batch = batches.take(run_id=run.pk, policy=QUICK, now=clock.now())
    SyncRun.objects.update(cancel_requested_at=clock.now())

    assert study.finish(run, rounds=2).is_open
    done = [Outcome(job, Verdict.SYNCED, final=True) for job in batch.jobs]
    settling.settle(run=run, token=batch.token, outcomes=done, policy=QUICK, now=clock.now())

    run = study.finish(run)
    assert (run.state, run.synced) == ("cancelled", 5)


def test_cancelled_row_in_doubt_is_shown_as_not_known(study, machine, started):
    run = started(2)
    crash(run)
    SyncRun.objects.update(cancel_requested_at=clock.now())

    run = study.finish(run)

    assert (run.state, run.unknown) == ("cancelled", 2)
    assert set(Participant.objects.values_list("status", flat=True)) == {"unknown"}


def test_lane_that_is_taken_is_left_alone(study, machine, started):
    run = started(1)
    with draining._lane(run.pk, 0) as free:
        assert free

        from django.db import connections

        other = connections.create_connection("default")
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [draining._LANE_LOCK, run.pk])
                assert cursor.fetchone() == (False,)
        finally:
            other.close()
