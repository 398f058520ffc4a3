from datetime import timedelta

import pytest

from ecoa.models import Attempt, Discrepancy, Evidence, Participant, ReadBack, Scope, SiteReading, SyncItem, SyncRun
from ecoa.services import resolving, runs
from ecoa.sync import closing
from ecoa.sync.policy import Policy
from tests.factories.ecoa import SYSTEM, make_run
from tests.fakes.ecoa_machine import Held
from vaultadmin import clock
from vaultadmin.models import AuditEvent


def verdicts():
    return list(Evidence.objects.order_by("pk").values_list("verdict", flat=True))


@pytest.mark.evidence
def test_dropped_replies_create_nobody_twice_and_each_is_settled_with_its_call(study, machine, goal):
    c1 = goal("UX-C1")
    amount = c1.count(small=20, full=200)
    participants = study.participants(amount)
    for participant in participants:
        machine.faults[participant.internal_id] = ["drop_reply"]

    run = study.run(policy=Policy(first_wait=0.0, longest_wait=0.0, silence_limit=10_000), rounds=20, hurry=True)

    settled = Evidence.objects.filter(verdict="landed", status=200)
    in_trail = AuditEvent.objects.filter(event="participant.asked")
    figure = {
        "dropped": amount,
        "created twice": len(machine.history) - len(set(machine.history)),
        "settled": settled.values("participant").distinct().count(),
        "in the trail": in_trail.values("subject_id").distinct().count(),
    }
    c1.reached(
        figure=figure,
        target={"created twice": 0, "settled": amount, "in the trail": amount},
        ok=figure == {"dropped": amount, "created twice": 0, "settled": amount, "in the trail": amount}
        and run.synced == amount,
    )


def test_evidence_keeps_the_call_and_the_answer(study, machine):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = ["drop_reply"]

    study.run()

    [kept] = Evidence.objects.all()
    assert f"/sponsor/study-1/site/1005/participant?internalId={participant.internal_id}" in kept.path
    assert (kept.status, kept.answer, kept.verdict) == (200, participant.participant_id, "landed")
    assert kept.my_veeva_participant_id == machine.store[participant.internal_id].remote_id
    assert kept.attempt == Attempt.objects.order_by("pk").last()
    assert ReadBack.objects.get().agrees


def test_what_did_not_land_is_settled_as_absent_before_it_is_sent_again(study, machine):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = ["drop_request"]

    study.run()

    assert verdicts() == ["absent", "confirmed"]
    assert Evidence.objects.filter(code="NF-0004").count() == 1
    assert len(machine.history) == 1


def test_taken_id_of_the_same_pair_is_adopted(study, machine):
    [participant] = study.participants()
    machine.store[participant.internal_id] = Held(participant.participant_id, "remote-x", "1005")
    machine.faults[participant.internal_id] = ["refuse:ID-0003"]

    run = study.run()

    adopted = Participant.objects.get()
    assert (run.synced, adopted.status, adopted.my_veeva_participant_id) == (1, "synced", "remote-x")
    assert verdicts() == ["landed"]
    assert not Discrepancy.objects.exists()


def test_taken_id_of_somebody_else_is_a_conflict_and_is_not_sent_again(study, machine):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = ["refuse:ID-0003"]
    study.run()

    again = study.run()

    conflict = Discrepancy.objects.get()
    assert (conflict.kind, conflict.state, conflict.code, conflict.holder_unknown) == (
        "conflict",
        "open",
        "ID-0003",
        True,
    )
    assert (again.total, machine.calls["post"]) == (0, 1)
    assert SiteReading.objects.get().open == 1


def test_new_version_of_a_taken_id_goes_out_and_clears_the_conflict(study, machine):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = ["refuse:ID-0003"]
    study.run()
    Participant.objects.update(participant_id="1005-free", version=2, status="waiting", code="")

    study.run()

    assert Discrepancy.objects.get().state == "cleared"
    assert machine.store[participant.internal_id].participant_id == "1005-free"
    assert SiteReading.objects.get().open == 0


def test_foreign_value_is_a_conflict_with_both_values_and_nothing_overwrites_it(study, machine):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = ["500"]
    machine.store[participant.internal_id] = Held("somebody-elses", "remote-x", "1005")
    study.run()

    study.run(scope=Scope.ALL)

    conflict = Discrepancy.objects.get()
    assert (conflict.our_value, conflict.their_value) == (participant.participant_id, "somebody-elses")
    assert machine.store[participant.internal_id].participant_id == "somebody-elses"
    assert Evidence.objects.filter(verdict="conflict", discrepancy=conflict).exists()
    assert AuditEvent.objects.filter(event="discrepancy.found").count() == 1


def test_what_stays_unknown_is_asked_about_by_itself_once_the_service_is_back(study, machine):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = ["drop_reply"]
    machine.get_faults[participant.internal_id] = ["ue"] * 4
    study.run()
    assert Participant.objects.get().status == "unknown"

    resolving.tick(now=clock.now() + timedelta(seconds=10))
    assert SyncRun.objects.filter(scope="doubt").count() == 0
    resolving.tick(now=clock.now() + timedelta(minutes=3))

    study.finish(SyncRun.objects.get(scope="doubt"))
    assert Participant.objects.get().status == "synced"
    assert len(machine.history) == 1


def test_asking_in_vain_waits_longer_each_time(study, machine):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = ["ue"] * 99
    machine.get_faults[participant.internal_id] = ["ue"] * 99
    study.run()
    now = clock.now()
    for _ in range(2):
        now += timedelta(minutes=4)
        resolving.tick(now=now)
        study.finish(SyncRun.objects.order_by("-pk").first())

    SyncRun.objects.update(finished_at=now)
    resolving.tick(now=now + timedelta(minutes=3))
    asked = SyncRun.objects.filter(scope="doubt").count()
    resolving.tick(now=now + timedelta(minutes=5))

    assert (asked, SyncRun.objects.filter(scope="doubt").count()) == (2, 3)


def test_what_a_person_cancelled_is_asked_about_and_not_sent(study, machine):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = ["drop_request"]
    run = make_run(study.mapping)
    study.finish(run, rounds=1, policy=Policy(first_wait=60.0))
    runs.cancel(run, by=SYSTEM, now=clock.now())
    closing.close_open(run=run, now=clock.now())
    closing.finish_if_done(run_id=run.pk, now=clock.now())
    assert Participant.objects.get().status == "unknown"

    resolving.tick(now=clock.now() + timedelta(minutes=2))
    asking = study.finish(SyncRun.objects.get(scope="doubt"))

    asked = Participant.objects.get()
    assert (asked.status, asked.in_doubt, asking.dropped, machine.calls["post"]) == ("waiting", False, 1, 1)
    assert verdicts() == ["absent"]
    assert SyncItem.objects.order_by("-pk").first().state == "cancelled"


def test_rows_that_killed_their_workers_wait_for_a_person(study, machine):
    study.participants(status="unknown", in_doubt=True, code="VA-PARKED")

    resolving.tick(now=clock.now())

    assert not SyncRun.objects.exists()
