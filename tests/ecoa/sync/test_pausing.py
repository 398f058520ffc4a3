from dataclasses import replace

import pytest

from ecoa.models import RunState, SyncItem, SyncRun
from ecoa.services import runs
from ecoa.services.refusals import Refused
from ecoa.sync import draining, planning
from tests.ecoa.conftest import QUICK
from tests.factories.ecoa import make_run
from vaultadmin import clock
from vaultadmin.models import AuditEvent


@pytest.fixture
def started(study):
    study.participants(3)
    run = make_run(study.mapping)
    planning.freeze(run_id=run.pk, now=clock.now())
    return SyncRun.objects.get(pk=run.pk)


def paused(run, by):
    return runs.pause(run, by=by, now=clock.now())


def test_paused_run_sends_nothing_until_it_is_resumed(study, machine, started):
    run = paused(started, study.manager)

    assert study.finish(run, rounds=2).state == RunState.PAUSED
    assert machine.calls["post"] == 0

    runs.resume(run, by=study.manager, now=clock.now())
    assert study.finish(run).synced == 3


def test_paused_run_still_is_the_one_open_run_of_its_study(study, started):
    paused(started, study.manager)

    with pytest.raises(Refused, match="under way"):
        make_run(study.mapping)


def test_paused_run_can_be_cancelled(study, machine, started):
    run = runs.cancel(paused(started, study.manager), by=study.manager, now=clock.now())

    ended = study.finish(run)

    assert (ended.state, ended.dropped, machine.calls["post"]) == (RunState.CANCELLED, 3, 0)


def test_run_whose_last_item_ended_during_the_pause_is_finished(study, machine, started):
    batch_done = study.finish(started, rounds=0)
    SyncItem.objects.filter(run=started).update(due_at=None, state="synced")
    paused(batch_done, study.manager)

    assert study.finish(started, rounds=1).state == RunState.FINISHED


@pytest.mark.parametrize("act", [runs.resume, lambda *a, **k: runs.pause(runs.pause(*a, **k), **k)])
def test_pause_and_resume_refuse_what_makes_no_sense(study, started, act):
    with pytest.raises(Refused):
        act(started, by=study.manager, now=clock.now())


def test_pause_and_resume_are_in_the_trail_with_who_did_it(study, started):
    run = paused(started, study.manager)
    runs.resume(run, by=study.manager, now=clock.now())

    events = AuditEvent.objects.filter(event__in=["sync_run.paused", "sync_run.resumed"]).order_by("pk")
    assert [event.event for event in events] == ["sync_run.paused", "sync_run.resumed"]


def test_pause_in_the_middle_ends_what_is_on_its_way_and_keeps_the_rest(study, machine, started, monkeypatch):
    study.participants(200)
    runs.cancel(started, by=study.manager, now=clock.now())
    study.finish(started)
    machine.latency = 0.01
    run = make_run(study.mapping)
    monkeypatch.setattr(draining, "_stopped", lambda run: machine.calls["post"] >= 10)
    slow = replace(QUICK, concurrency=4, most=4, share_every=0.02)

    settled = draining.drain(run_id=run.pk, policy=slow)

    assert settled == 203
    assert 10 <= SyncItem.objects.filter(run=run, state="synced").count() < 203
    left = SyncItem.objects.filter(run=run, due_at__isnull=False)
    assert set(left.values_list("state", "attempts", "lease_token", "doubtful")) == {("waiting", 0, None, False)}
