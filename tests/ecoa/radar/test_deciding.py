import pytest

from ecoa.models import Decision, Discrepancy, Participant, Remedy, Scope, SiteReading, StudyMapping, SyncRun
from ecoa.services import deciding, remedies, resolving
from ecoa.services.refusals import Refused
from tests.factories import make_member
from tests.factories.ecoa import make_participants, make_run
from tests.fakes.ecoa_machine import HOST, Held
from vaultadmin import clock
from vaultadmin.models import AuditEvent, Signature
from vaultadmin.models.signature import SigningMethod
from vaultadmin.permissions import Permission, PermissionRefused
from vaultadmin.signing.services import NotProven, Proof, verify


@pytest.fixture
def sponsor(study):
    return make_member(study.mapping.vault, Permission.ECOA_STUDY_TEAM)


@pytest.fixture
def differing(study, machine):
    def make(amount=1, theirs="theirs-{}", **fields):
        now = clock.now()
        rows = make_participants(study.site, amount, status="synced", synced_version=1, source="manual")
        found = []
        for number, row in enumerate(rows):
            value = theirs.format(number)
            machine.store[row.internal_id] = Held(value, f"remote-{row.pk}", "1005")
            values = {"kind": "id_differs", "our_value": row.participant_id, "their_value": value, "version": 1}
            found.append(
                Discrepancy(
                    vault=study.mapping.vault,
                    mapping=study.mapping,
                    site=study.site,
                    participant=row,
                    found_by="radar",
                    found_at=now,
                    seen_at=now,
                    **(values | fields),
                )
            )
        Discrepancy.objects.bulk_create(found)
        return list(Discrepancy.objects.select_related("participant", "mapping", "site").order_by("pk"))

    return make


def decide(study, rows, remedy, by, **fields):
    now = clock.now()
    values = {
        "vault": study.mapping.vault,
        "rows": rows,
        "remedy": remedy,
        "reason": "The source is right",
        "seen_version": remedies.version(rows),
        "proof": Proof(by.user_id, SigningMethod.PASSWORD, now),
        "by": by,
        "now": now,
    }
    return deciding.decide(**(values | fields))


def finish_open_run(study):
    return study.finish(SyncRun.objects.open().get())


def test_keeping_ours_sends_it_again_and_the_read_back_clears_it(study, machine, differing, sponsor):
    [row] = differing()

    decision = decide(study, [row], Remedy.KEEP_OURS, sponsor)
    finish_open_run(study)

    over = Discrepancy.objects.get()
    assert (decision.state, decision.done, over.state, over.decision) == ("done", 1, "cleared", decision)
    assert machine.store[row.participant.internal_id].participant_id == row.our_value
    assert over.run.state == "finished"


def test_taking_theirs_changes_ours_and_sends_nothing(study, machine, differing, sponsor):
    [row] = differing()

    decide(study, [row], Remedy.TAKE_THEIRS, sponsor)
    finish_open_run(study)

    changed = Participant.objects.get()
    assert (changed.participant_id, changed.version, changed.status) == ("theirs-0", 2, "synced")
    assert (machine.calls["post"], Discrepancy.objects.get().state) == (0, "cleared")
    assert AuditEvent.objects.get(event="participant.changed").reason == "The source is right"


def test_correcting_at_the_source_holds_it_back_until_the_source_speaks(study, machine, differing, sponsor):
    [row] = differing(kind="conflict")

    decide(study, [row], Remedy.AT_SOURCE, sponsor)
    held_back = study.run(scope=Scope.ALL)
    Participant.objects.update(participant_id="corrected", version=2, status="waiting")
    study.run()

    assert held_back.total == 0
    assert machine.store[row.participant.internal_id].participant_id == "corrected"
    assert Discrepancy.objects.get().state == "cleared"


def test_accepting_a_region_makes_it_the_expected_one(study, machine, sponsor):
    now = clock.now()
    moved = Discrepancy.objects.create(
        vault=study.mapping.vault,
        mapping=study.mapping,
        site=study.site,
        kind="region_moved",
        our_value=f"https://us.{HOST}/",
        their_value=f"https://eu.{HOST}/",
        found_by="radar",
        found_at=now,
        seen_at=now,
    )

    decide(study, [moved], Remedy.ACCEPT_REGION, sponsor)

    assert SiteReading.objects.get().region == f"https://eu.{HOST}/"
    assert SyncRun.objects.count() == 0


def test_signature_vouches_for_exactly_what_was_decided(study, differing, sponsor):
    [row] = differing()

    decision = decide(study, [row], Remedy.AT_SOURCE, sponsor)

    signature = Signature.objects.get()
    assert verify(signature, subject=decision, version=signature.version)
    assert signature.statement["discrepancies"] == [[row.pk, 1, "id_differs", row.our_value, row.their_value]]
    assert signature.statement["reason"] == "The source is right"
    decided = AuditEvent.objects.get(event="discrepancy.decided")
    assert (decided.subject_id, decided.reason) == (str(row.participant_id), "The source is right")


def test_what_changed_since_it_was_looked_at_is_not_decided(study, differing, sponsor):
    [row] = differing()
    Discrepancy.objects.update(their_value="another", stamp=2)

    with pytest.raises(deciding.Changed):
        decide(study, [row], Remedy.KEEP_OURS, sponsor)

    assert not Decision.objects.exists()


def test_decision_needs_the_study_team_a_reason_and_ones_own_proof(study, differing, sponsor):
    [row] = differing()
    stranger = make_member(study.mapping.vault, Permission.ECOA_VIEW_SITES)

    with pytest.raises(PermissionRefused):
        decide(study, [row], Remedy.KEEP_OURS, stranger)
    with pytest.raises(Refused):
        decide(study, [row], Remedy.KEEP_OURS, sponsor, reason="  ")
    proof = Proof(stranger.user_id, SigningMethod.PASSWORD, clock.now())
    with pytest.raises(NotProven):
        decide(study, [row], Remedy.KEEP_OURS, sponsor, proof=proof)

    assert not Decision.objects.exists()


def test_many_are_carried_out_by_a_worker_and_changed_ones_are_left_out(study, machine, differing, sponsor):
    rows = differing(deciding.AT_ONCE + 2)

    decision = decide(study, rows, Remedy.AT_SOURCE, sponsor)
    assert (decision.state, decision.done) == ("running", 0)
    Discrepancy.objects.filter(pk=rows[0].pk).update(stamp=9)
    deciding.carry_on(decision_id=decision.pk, now=clock.now())
    deciding.carry_on(decision_id=decision.pk, now=clock.now())

    decision.refresh_from_db()
    assert (decision.state, decision.total, decision.done, decision.skipped) == ("done", 52, 51, 1)
    assert Discrepancy.objects.filter(state="decided").count() == 51


def test_plan_says_what_it_leaves_out_and_why(study, differing, sponsor):
    rows = differing(3)
    make_participants(study.site, 1, participant_id="theirs-1")
    Discrepancy.objects.filter(pk=rows[2].pk).update(their_value="")
    rows = list(Discrepancy.objects.select_related("participant", "mapping", "site").order_by("pk"))

    plan = remedies.plan(rows, Remedy.TAKE_THEIRS)

    assert [row.pk for row in plan.chosen] == [rows[0].pk]
    assert sorted(count for _reason, count in plan.excluded) == [1, 1]
    assert remedies.plan(rows, Remedy.ACCEPT_REGION).reason_why_not


def test_machine_that_owns_the_id_is_not_overruled(study, differing, sponsor):
    [row] = differing()
    Participant.objects.update(source="push")
    row.participant.refresh_from_db()

    with pytest.raises(Refused, match="correct it there"):
        decide(study, [row], Remedy.TAKE_THEIRS, sponsor)


def test_decided_ones_wait_while_a_run_is_open(study, machine, differing, sponsor):
    [row] = differing()
    open_run = make_run(study.mapping)

    decide(study, [row], Remedy.KEEP_OURS, sponsor)
    assert Discrepancy.objects.get().send_due
    study.finish(open_run)
    resolving.tick(now=clock.now())

    assert not Discrepancy.objects.get().send_due
    finish_open_run(study)
    assert Discrepancy.objects.get().state == "cleared"


def test_nothing_is_sent_for_a_study_that_is_off(study, differing, sponsor):
    [row] = differing()
    StudyMapping.objects.update(is_active=False)
    row.mapping.refresh_from_db()

    with pytest.raises(Refused):
        decide(study, [row], Remedy.KEEP_OURS, sponsor)
