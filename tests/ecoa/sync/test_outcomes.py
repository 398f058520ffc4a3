from dataclasses import replace
from datetime import timedelta

import pytest

from ecoa.cards import card_for
from ecoa.models import Attempt, Participant, SyncItem
from tests.ecoa.conftest import QUICK
from tests.fakes.ecoa_machine import HOST, Held
from vaultadmin import clock
from vaultadmin.models import AuditEvent, Secret

# Calls that hang are cut after about three seconds instead of twenty.
IMPATIENT = replace(QUICK, lease=timedelta(seconds=6), renew_every=60.0, lease_margin=3.0)


def only_item():
    return SyncItem.objects.order_by("-pk").first()


def only_participant():
    return Participant.objects.get()


def test_sync_new_participants_ends_with_all_in_ecoa(study, machine):
    participants = study.participants(5)

    run = study.run()

    assert (run.state, run.total, run.synced) == ("finished", 5, 5)
    assert {p.internal_id for p in participants} == set(machine.store)
    assert set(Participant.objects.values_list("status", "synced_version", "stage")) == {("synced", 1, 4)}


def test_sync_keeps_the_id_ecoa_gave(study, machine):
    [participant] = study.participants()

    study.run()

    assert only_participant().my_veeva_participant_id == machine.store[participant.internal_id].remote_id


def test_sync_leaves_an_audit_row_per_participant_that_moved(study, machine):
    study.participants(3)

    study.run()

    moved = AuditEvent.objects.filter(event="participant.synced")
    assert moved.count() == 3
    assert moved.first().changes["state"] == ["waiting", "synced"]


def test_sync_asks_for_region_and_token_once(study, machine):
    study.participants(40)

    study.run()

    assert (machine.calls["discover"], machine.calls["authorize"], machine.calls["post"]) == (1, 1, 40)


def test_fixed_region_skips_discovery(study, machine):
    study.mapping.fixed_region = "https://eu.ecoa.example.test/"
    study.mapping.save()
    study.participants(2)

    run = study.run()

    assert (run.synced, machine.calls["discover"]) == (2, 0)


@pytest.mark.parametrize(
    "code", ["ID-0001", "ID-0002", "ID-0003", "NF-0001", "NF-0002", "NF-0003", "IC-0001", "IC-0002", "IC-0003", "XX-1"]
)
def test_documented_refusal_is_final_and_told_in_words(study, machine, code):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = [f"refuse:{code}"]

    run = study.run()

    refused = only_participant()
    assert (run.state, run.rejected, machine.calls["post"]) == ("finished", 1, 1)
    assert (refused.status, refused.code) == ("rejected", code)
    assert str(card_for(refused.code).happened)


@pytest.mark.parametrize("fault", ["500", "ue", "html", "drop_request", "hang"])
def test_failed_call_that_did_not_land_is_asked_about_and_sent_again(study, machine, fault):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = [fault]

    run = study.run(policy=IMPATIENT)

    assert (run.state, run.synced) == ("finished", 1)
    assert machine.history == [(participant.internal_id, participant.participant_id)]
    assert machine.calls["get"] >= 1


@pytest.mark.parametrize("fault", ["drop_reply", "cut", "500_after", "hang_after"])
def test_call_that_landed_without_an_answer_is_never_sent_twice(study, machine, fault):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = [fault]

    run = study.run(policy=IMPATIENT)

    assert (run.state, run.synced) == ("finished", 1)
    assert machine.history == [(participant.internal_id, participant.participant_id)]
    assert only_item().read_back


def test_every_try_is_kept_as_evidence(study, machine):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = ["drop_reply"]

    study.run()

    tries = list(Attempt.objects.order_by("pk").values_list("number", "outcome", "read_back"))
    assert tries == [(1, "unknown", False), (2, "synced", True)]


def test_fault_that_stays_ends_as_not_known_after_bounded_tries(study, machine):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = ["ue"] * 50
    machine.get_faults[participant.internal_id] = ["ue"] * 50

    run = study.run()

    assert (run.state, run.unknown) == ("finished", 1)
    assert Attempt.objects.count() == 5
    assert (only_participant().status, only_participant().code) == ("unknown", "UE-0001")


def test_busy_service_is_obeyed_and_nothing_is_lost(study, machine):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = ["busy"]

    run = study.run(rounds=1)

    item = only_item()
    assert run.is_open
    assert (item.state, item.doubtful) == ("waiting", False)
    assert item.due_at > run.started_at


@pytest.mark.parametrize("fault", ["busy", "away"])
@pytest.mark.parametrize(
    ("asked", "waited", "told"),
    [("120", 120, 120), (str(365 * 86_400), 300, 31_536_000), ("9" * 60, 300, 10**15), ("0", 1, 0)],
)
def test_time_ecoa_asks_for_is_obeyed_up_to_a_bound_and_told(study, machine, fault, asked, waited, told):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = [fault]
    machine.retry_after = asked

    run = study.run(rounds=1)

    wait = (only_item().due_at - clock.now()).total_seconds()
    assert waited - 20 < wait <= waited + 1
    assert run.held_asked == told


def test_other_value_in_ecoa_is_a_conflict_for_a_person(study, machine):
    [participant] = study.participants()
    machine.faults[participant.internal_id] = ["500"]
    machine.store[participant.internal_id] = Held("somebody-elses", "remote-x", study.site.number)

    run = study.run()

    assert (run.rejected, only_participant().code) == (1, "VA-CONFLICT")
    assert machine.store[participant.internal_id].participant_id == "somebody-elses"


def test_refused_sign_in_is_asked_once_for_all(study, machine):
    study.participants(60)
    machine.authorize_status = 401

    run = study.run()

    assert (run.state, run.rejected) == ("finished", 60)
    assert machine.calls["authorize"] == 1
    assert set(Participant.objects.values_list("code", "stage")) == {("VA-SIGN-IN", 1)}


def test_token_withdrawn_early_is_replaced_once(study, machine):
    study.participants(1)
    study.run()
    machine.bad_tokens.add("token-1")
    study.participants(30)

    run = study.run()

    assert (run.synced, machine.calls["authorize"]) == (30, 2)


def test_token_refused_again_and_again_is_not_hammered(study, machine):
    study.participants(80)
    machine.refuse_all_tokens = True

    run = study.run()

    assert (run.state, run.rejected) == ("finished", 80)
    assert machine.calls["authorize"] <= 3


def test_region_outside_the_allowed_hosts_never_gets_the_secret(study, machine):
    study.participants(3)
    machine.regions[study.site.number] = "https://ecoa.example.test.evil.test/"

    run = study.run()

    assert (run.rejected, machine.calls["authorize"]) == (3, 0)
    assert only_item().code == "VA-REGION"


def test_unusable_connection_is_one_outcome_each_and_no_call(study, machine):
    study.participants(3)
    Secret.objects.update(ciphertext="v1:gone:x:y")

    run = study.run()

    assert (run.state, run.rejected, machine.calls.total()) == ("finished", 3, 0)


def test_site_that_moved_to_another_region_is_found_again(study, machine):
    moved_to = f"https://eu.{HOST}/"
    study.participants(1)
    study.run()
    machine.regions[study.site.number] = moved_to
    [participant] = study.participants(1)
    machine.faults[participant.internal_id] = ["refuse:NF-0003"]

    run = study.run()

    assert (run.synced, machine.calls["discover"], machine.calls["authorize"]) == (1, 2, 2)


def test_site_nobody_knows_is_looked_for_once_and_not_for_each_participant(study, machine):
    for participant in study.participants(20):
        machine.faults[participant.internal_id] = ["refuse:NF-0003"] * 3

    run = study.run()

    assert (run.rejected, machine.calls["post"]) == (20, 20)
    assert machine.calls["discover"] == 2


def test_retry_looks_for_the_site_anew_after_an_answer_that_was_wrong(study, machine):
    [participant] = study.participants(1)
    machine.faults[participant.internal_id] = ["refuse:NF-0003"]
    assert study.run().rejected == 1
    machine.regions[study.site.number] = f"https://eu.{HOST}/"
    machine.faults[participant.internal_id] = ["refuse:NF-0003"]

    assert study.run().synced == 1
