from datetime import timedelta

import pytest
from django.db import IntegrityError

from ecoa.models import Attempt, Correction, CorrectionState, Participant, Remedy, Scope, SiteTally
from ecoa.selectors import corrections as selectors
from ecoa.services import correcting, proving
from ecoa.services.refusals import Refused
from tests.factories.ecoa import make_mapping, make_participants, make_site
from tests.factories.people import make_member
from tests.fakes.ecoa_machine import Held
from vaultadmin import clock
from vaultadmin.models import AuditEvent, Notice, Task
from vaultadmin.permissions import Permission
from vaultadmin.signing import services as signing
from vaultadmin.worklist import selectors as worklist

pytestmark = pytest.mark.django_db


def titles(correction):
    tries = list(Attempt.objects.filter(participant=correction.participant_id).order_by("-pk"))
    return [(step["title"], step["state"]) for step in selectors.timeline(correction, tries)]


def test_signed_correction_reaches_ecoa_and_is_proven_by_reading_back(loop, machine):
    correction = loop.ask()
    assert titles(correction)[1:] == [
        ("Signed by the study team", "current"),
        ("Sent to eCOA", "future"),
        ("Confirmed: eCOA shows the new ID", "future"),
    ]

    loop.decide(correction)
    loop.tick()

    correction = Correction.objects.get()
    assert machine.store[loop.participant.internal_id].participant_id == "1005-NEW"
    assert (correction.state, correction.evidence.read_back) == (CorrectionState.CONFIRMED, True)
    assert correction.run.scope == Scope.CORRECTION
    assert {state for _title, state in titles(correction)} == {"done"}
    now = loop.now()
    assert (now.participant_id, now.version, now.synced_version, now.status) == ("1005-NEW", 2, 2, "synced")


def test_whole_way_is_in_the_trail_of_the_participant(loop, machine):
    loop.decide(loop.ask())
    loop.tick()

    rows = AuditEvent.objects.filter(subject_type="ecoa.participant", subject_id=str(loop.participant.pk))
    events = list(rows.order_by("sequence").values_list("event", "actor"))
    assert [event for event, _actor in events if event.startswith(("correction", "participant.changed"))] == [
        "correction.asked",
        "participant.changed",
        "correction.signed",
        "correction.confirmed",
    ]
    signature = Correction.objects.get().signature
    assert signature.meaning == "Approval of correcting participant ID 1005-OLD to 1005-NEW"
    assert signing.verify(signature, subject=Correction.objects.get(), version=signature.version)


def test_asker_never_decides_even_where_own_requests_are_allowed(loop):
    correction = loop.ask(by=loop.sponsor)

    with pytest.raises(Refused, match="somebody else"):
        loop.decide(correction, by=loop.sponsor)
    assert loop.decide(correction, by=loop.other).state == CorrectionState.SIGNED


def test_correction_is_signed_in_place_of_who_lent_their_approvals(loop):
    correction = loop.ask()
    loop.lend(correction)

    signed = loop.decide(correction, by=loop.other)

    giver = loop.sponsor.user.name
    assert signed.signature.signer_name == loop.other.user.name
    assert signed.signature.meaning.endswith(f", for {giver}")
    assert Task.objects.get().completed_for == loop.sponsor


def test_lent_decision_seen_as_ones_own_is_looked_at_again(loop):
    correction = loop.ask()
    seen = signing.version_of(correcting.statement_of(correction, None))
    loop.lend(correction)

    with pytest.raises(correcting.Changed):
        loop.decide(correction, by=loop.other, seen=seen)


def test_site_staff_decide_nothing(loop):
    correction = loop.ask(by=loop.sponsor)

    with pytest.raises(Refused, match="Study Team"):
        loop.decide(correction, by=loop.coordinator)


@pytest.mark.parametrize("value", ["", " ", "1005-OLD", "=1+1", "a\x00b", "x" * 256, "1005-TAKEN", "a\u202eb"])
def test_impossible_id_is_refused_at_its_field(loop, value):
    make_participants(loop.study.site, participant_id="1005-TAKEN")

    with pytest.raises(Refused) as refused:
        loop.ask(value)

    assert refused.value.field == "new_value"
    assert not Task.objects.exists()


def test_id_is_asked_for_without_its_blanks(loop):
    assert loop.ask("  1005-NEW ").new_value == "1005-NEW"


def test_one_correction_of_a_participant_and_of_an_id_is_open(loop):
    [second] = make_participants(loop.study.site)
    loop.ask()

    with pytest.raises(Refused, match="under way"):
        loop.ask("1005-OTHER")
    with pytest.raises(Refused, match="Another correction"):
        correcting.ask(participant=second, new_value="1005-NEW", reason="x", by=loop.coordinator, now=clock.now())
    with pytest.raises(IntegrityError, match="correction_one_open"):
        Correction.objects.create(
            vault=second.vault,
            mapping=second.mapping,
            participant=loop.participant,
            old_value="a",
            new_value="b",
            reason="x",
            asked_by=loop.coordinator,
            asked_at=clock.now(),
        )


def test_stranger_to_the_site_cannot_ask(loop):
    elsewhere = make_member(loop.study.mapping.vault, Permission.ECOA_VIEW_SITES)
    foreign = make_mapping().vault.memberships.get()

    for stranger in (elsewhere, foreign):
        with pytest.raises(Refused, match="gone"):
            loop.ask(by=stranger)


def test_rejected_correction_changes_nothing_and_says_why(loop, machine):
    correction = loop.decide(loop.ask(), correcting.REJECT, "The ID is right")
    loop.tick()

    assert (correction.state, correction.comment) == (CorrectionState.REJECTED, "The ID is right")
    assert titles(correction) == [("Asked", "done"), ("Rejected and signed", "failed")]
    assert loop.now().participant_id == "1005-OLD"
    assert loop.ask("1005-AGAIN").is_open


def test_asker_withdraws_and_nobody_else(loop):
    correction = loop.ask()

    with pytest.raises(Refused, match="Only the person"):
        correcting.withdraw(correction, by=loop.sponsor, now=clock.now())
    correcting.withdraw(correction, by=loop.coordinator, now=clock.now())
    with pytest.raises(Refused, match="no longer"):
        loop.decide(correction, seen="x")

    assert Correction.objects.get().state == CorrectionState.WITHDRAWN
    assert Task.objects.get().status == "cancelled__v"


def test_decided_correction_cannot_be_withdrawn(loop):
    correction = loop.decide(loop.ask())

    with pytest.raises(Refused, match="decided"):
        correcting.withdraw(correction, by=loop.coordinator, now=clock.now())


def test_what_changed_since_it_was_looked_at_is_not_signed(loop):
    correction = loop.ask()
    seen = signing.version_of(correcting.statement_of(correcting.lock(correction.pk), None))
    loop.study.mapping.participants.update(version=2)

    with pytest.raises(correcting.Changed):
        loop.decide(correction, seen=seen)


def test_id_that_changed_at_the_source_can_only_be_rejected(loop):
    correction = loop.ask()
    loop.study.mapping.participants.update(participant_id="1005-SRC", version=2)

    with pytest.raises(Refused, match="1005-SRC by now"):
        loop.decide(correction)
    assert loop.decide(correction, correcting.REJECT, "Done at the source").state == CorrectionState.REJECTED


def test_id_that_was_taken_meanwhile_can_only_be_rejected(loop):
    correction = loop.ask()
    make_participants(loop.study.site, participant_id="1005-NEW")

    with pytest.raises(Refused, match="already has this participant ID"):
        loop.decide(correction)


def test_correction_ecoa_refuses_ends_with_its_card(loop, machine):
    machine.faults[loop.participant.internal_id] = ["refuse:ID-0003"]

    loop.decide(loop.ask())
    loop.tick()

    correction = Correction.objects.get()
    assert correction.state == CorrectionState.NOT_ACCEPTED
    assert titles(correction)[-1] == ("Not accepted by eCOA", "failed")
    assert loop.ask("1005-OLD").is_open


def test_trouble_on_the_way_keeps_the_correction_open_and_tries_less_and_less_often(loop, machine):
    machine.faults[loop.participant.internal_id] = ["refuse:NF-0003", "ok"]
    loop.decide(loop.ask())

    loop.tick()
    correction = Correction.objects.get()
    assert (correction.state, correction.pushes) == (CorrectionState.SIGNED, 1)
    first, again = correction.push_at, correction.push_at
    proving.tick(now=again)
    loop.tick(rounds=1)

    correction = Correction.objects.get()
    assert correction.push_at - again > first - correction.decided_at
    assert correction.state in (CorrectionState.SIGNED, CorrectionState.CONFIRMED)
    loop.tick(rounds=1)
    assert Correction.objects.get().state == CorrectionState.CONFIRMED


def test_correction_waits_for_a_run_under_way(loop, machine):
    run = loop.study.mapping.runs.model.objects.create(
        vault=loop.study.mapping.vault,
        mapping=loop.study.mapping,
        scope=Scope.ALL,
        starter_label="x",
        created_at=clock.now(),
    )
    loop.decide(loop.ask())

    proving.tick(now=clock.now())
    assert Correction.objects.get().pushes == 0
    loop.study.finish(run)
    loop.tick()

    assert Correction.objects.get().state == CorrectionState.CONFIRMED


@pytest.mark.parametrize("remedy", [Remedy.KEEP_OURS, Remedy.AT_SOURCE], ids=["keep_ours", "at_source"])
def test_correction_waits_for_a_decision_without_empty_runs_and_goes_on_at_once_after_it(loop, machine, remedy):
    found = loop.differ()
    machine.store[loop.participant.internal_id] = Held("1005-ECOA", "remote", "1005")
    loop.decide(loop.ask())
    for minutes in range(0, 600, 60):
        proving.tick(now=clock.now() + timedelta(minutes=minutes))
    waiting = Correction.objects.get()
    runs_before = loop.study.mapping.runs.count()

    loop.settle(found, remedy)
    loop.tick()

    assert (waiting.state, waiting.pushes, runs_before) == (CorrectionState.SIGNED, 0, 1)
    assert Correction.objects.get().state == CorrectionState.CONFIRMED
    assert machine.store[loop.participant.internal_id].participant_id == "1005-NEW"
    assert not loop.study.mapping.runs.filter(total=0).exists()


def test_decision_for_the_value_of_ecoa_overtakes_the_correction_that_waited(loop, machine):
    Participant.objects.update(source="manual")
    found = loop.differ()
    loop.decide(loop.ask())

    loop.settle(found, Remedy.TAKE_THEIRS)
    loop.tick()

    assert Correction.objects.get().state == CorrectionState.OVERTAKEN
    assert loop.now().participant_id == "1005-ECOA"


def test_study_that_is_switched_off_holds_the_correction(loop, machine):
    loop.study.mapping.is_active = False
    loop.study.mapping.save()
    loop.decide(loop.ask())

    loop.tick()

    correction = Correction.objects.get()
    assert (correction.state, correction.pushes) == (CorrectionState.SIGNED, 0)
    assert correction.push_at > clock.now()


def test_source_that_puts_another_id_in_place_overtakes_the_correction(loop):
    loop.decide(loop.ask())
    loop.study.mapping.participants.update(participant_id="1005-OLD", version=3)

    proving.tick(now=clock.now())

    assert Correction.objects.get().state == CorrectionState.OVERTAKEN


def test_every_step_moves_the_stamp_of_the_site(loop):
    def stamp():
        return SiteTally.objects.get(site=loop.study.site).stamp

    before = stamp()
    correction = loop.ask()
    asked = stamp()
    correcting.withdraw(correction, by=loop.coordinator, now=clock.now())

    assert before < asked < stamp()


def test_task_is_for_the_study_team_and_not_for_approvers_of_connections(loop):
    vault = loop.study.mapping.vault
    approver = make_member(vault, Permission.WORKFLOW_PARTICIPATE, Permission.CONNECTION_READ)

    loop.ask()

    assert [task.kind for task in worklist.inbox(loop.sponsor)] == [correcting.TASK]
    assert not worklist.inbox(approver).exists()
    assert not worklist.inbox(loop.coordinator).exists()
    told = set(Notice.objects.values_list("user", flat=True))
    assert {loop.sponsor.user_id, loop.other.user_id} <= told
    assert not {approver.user_id, loop.coordinator.user_id} & told


def test_signature_cannot_be_borrowed(loop):
    correction = loop.ask()
    version = signing.version_of(correcting.statement_of(correcting.lock(correction.pk), None))
    foreign = signing.Proof(loop.other.user_id, "password", clock.now())

    with pytest.raises(Refused, match="own password"):
        correcting.complete(
            correction,
            verdict=correcting.APPROVE,
            comment="",
            seen_version=version,
            proof=foreign,
            by=loop.sponsor,
            now=clock.now(),
        )
    assert loop.now().participant_id == "1005-OLD"


def test_other_site_sees_nothing_of_a_correction(loop):
    other = make_site(loop.study.mapping, "2001")
    member = make_member(loop.study.mapping.vault, Permission.ECOA_VIEW_SITES)
    other.assignments.create(vault=other.vault, member=member)
    loop.ask()

    assert selectors.visible(loop.coordinator).count() == 1
    assert not selectors.visible(member).exists()
