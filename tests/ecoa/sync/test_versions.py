import random
from dataclasses import replace

import pytest
from django.db.models import F

from ecoa.models import Participant
from ecoa.sync import batches, draining, healing, settling
from ecoa.sync.carrying import Outcome, Verdict
from tests.ecoa.conftest import QUICK
from tests.factories.ecoa import make_run
from vaultadmin import clock

FAULTS = ("ok", "ok", "drop_reply", "drop_request", "500", "500_after", "cut", "html", "ue", "busy")


def change_id(participant, value):
    Participant.objects.filter(pk=participant.pk).update(
        participant_id=value, version=F("version") + 1, status="waiting"
    )


def test_change_during_a_run_keeps_waiting_for_its_own_run(study, machine):
    [participant] = study.participants()
    run = make_run(study.mapping)
    draining.planning.freeze(run_id=run.pk, now=clock.now())
    change_id(participant, "1005-new")

    study.finish(run)

    after = Participant.objects.get()
    assert (after.status, after.version, after.synced_version) == ("waiting", 2, 1)
    assert machine.store[participant.internal_id].participant_id == participant.participant_id


def test_next_incremental_run_brings_the_change_over(study, machine):
    [participant] = study.participants()
    study.run()
    change_id(participant, "1005-new")

    study.run()

    assert machine.store[participant.internal_id].participant_id == "1005-new"
    assert Participant.objects.get().synced_version == 2


def test_late_outcome_of_an_older_version_never_overwrites_a_newer_one(study, machine):
    study.participants()
    run = make_run(study.mapping)
    draining.planning.freeze(run_id=run.pk, now=clock.now())
    batch = batches.take(run_id=run.pk, policy=QUICK, now=clock.now())
    Participant.objects.update(version=3, synced_version=3, status="synced", participant_id="newest")

    refused = Outcome(batch.jobs[0], Verdict.REJECTED, code="ID-0001", final=True)
    settling.settle(run=run, token=batch.token, outcomes=[refused], policy=QUICK, now=clock.now())

    after = Participant.objects.get()
    assert (after.status, after.synced_version, after.code) == ("synced", 3, "")


def test_older_value_that_arrives_late_is_noticed_and_sent_over(study, machine):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = ["drop_request"]
    study.run(policy=replace(QUICK, tries=1))
    change_id(participant, "newer")
    machine.before_get = lambda: delay_lands(machine, participant)

    run = study.run()

    assert run.synced == 1
    assert machine.calls["late"] == 1
    assert machine.store[participant.internal_id].participant_id == "newer"


def delay_lands(machine, participant):
    held = machine.store.get(participant.internal_id)
    if held and held.participant_id == "newer" and not machine.calls["late"]:
        machine.calls["late"] += 1
        held.participant_id = participant.participant_id


@pytest.mark.evidence
def test_random_interleavings_leave_ecoa_with_the_newest_value(study, machine, goal):
    c8 = goal("C8")
    interleavings = c8.count(small=36, full=1008)
    wrong = sum(play(study, machine, random.Random(seed)) for seed in range(interleavings // 12))

    c8.reached(figure={"interleavings": interleavings, "wrong": wrong}, target={"wrong": 0}, ok=wrong == 0)


def play(study, machine, chance):
    """Twelve participants changed, sent, failed and asked about at random; how many end with an older value."""
    participants = study.participants(12)
    for participant in participants:
        machine.faults[participant.internal_id] = chance.choices(FAULTS, k=30)
        machine.get_faults[participant.internal_id] = chance.choices(("ok", "ok", "500", "drop_reply"), k=10)
    for step in range(6):
        for participant in chance.sample(participants, 4):
            change_id(participant, f"{participant.internal_id}-v{step}")
        assert not study.run(rounds=40, hurry=True).is_open
    machine.faults.clear()
    machine.get_faults.clear()
    assert not study.run(rounds=40).is_open
    return sum(
        participant.status != "synced"
        or participant.synced_version != participant.version
        or machine.store[participant.internal_id].participant_id != participant.participant_id
        for participant in Participant.objects.filter(pk__in=[one.pk for one in participants])
    )


def test_remote_ids_never_change_and_nobody_is_created_twice(study, machine):
    participants = study.participants(20)
    for participant in participants:
        machine.faults[participant.internal_id] = ["drop_reply", "500_after", "ok"]

    study.run(rounds=30)

    assert len(machine.store) == 20
    assert len({held.remote_id for held in machine.store.values()}) == 20
    assert healing.release_lapsed(now=clock.now()) == 0
