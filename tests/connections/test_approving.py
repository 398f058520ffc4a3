from datetime import timedelta

import pytest

from connections.constants import APPROVAL_TASK, BindingState, Verdict
from connections.services import editing
from connections.services.handshake import approving, exchange, withdrawing
from connections.services.refusals import Refused
from tests.connections.handshake import decide, fresh, other_side, proof_of, settle, states, upload
from tests.factories.connections import make_admin, make_approver
from tests.factories.people import make_member
from vaultadmin import audit
from vaultadmin.models import Membership, Task
from vaultadmin.models.task import TaskStatus
from vaultadmin.permissions import Permission, PermissionRefused
from vaultadmin.worklist import selectors as worklist_selectors
from vaultadmin.worklist import services as worklist

pytestmark = pytest.mark.django_db


@pytest.fixture
def running(pair):
    """An approval running in both vaults: the target's binding."""
    return upload(pair.file(), pair.target_admin)


def test_approval_here_makes_approved_and_keeps_who_and_when(pair, running):
    decide(running, pair.target_approver, comment="Checked by phone.")

    binding = fresh(running)
    assert states(running.connection) == ["Approved"]
    assert (binding.local_verdict, binding.local_decided_by) == (Verdict.APPROVE, pair.target_approver)
    assert binding.local_decided_at is not None
    assert binding.local_comment == "Checked by phone."
    assert binding.local_version


def test_peer_is_told_about_the_approval(pair, running):
    decide(running, pair.target_approver)
    settle()

    there = other_side(running)
    assert there.remote_verdict == Verdict.APPROVE
    assert there.remote_decided_by == pair.target_approver.user.name
    assert states(there.connection) == ["Pending"]


@pytest.mark.parametrize("first", ["source", "target"])
def test_both_approvals_make_both_active(pair, running, first):
    sides = [(running, pair.target_approver), (other_side(running), pair.source_approver)]

    for binding, approver in sides if first == "target" else reversed(sides):
        decide(fresh(binding), approver)
        settle()

    assert states(running.connection, other_side(running).connection) == ["Active", "Active"]
    assert not Task.objects.open().exists()


def test_rejection_clears_both_sides(pair, running):
    decide(running, pair.target_approver, Verdict.REJECT, "Wrong company.")
    settle()

    there = other_side(running)
    assert (fresh(running).state, there.state) == (BindingState.REJECTED, BindingState.REJECTED)
    assert there.end_reason == "Wrong company."
    assert states(running.connection, there.connection) == ["Pending", "Pending"]
    assert not Task.objects.open().exists()


def test_rejection_after_the_other_side_approved_clears_both(pair, running):
    decide(running, pair.target_approver)
    settle()

    decide(other_side(running), pair.source_approver, Verdict.REJECT)
    settle()

    assert states(running.connection, other_side(running).connection) == ["Pending", "Pending"]


def test_a_new_file_works_after_a_rejection(pair, running):
    decide(running, pair.target_approver, Verdict.REJECT)
    settle()
    source = other_side(running).connection

    again = upload(pair.file(connection=source), pair.target_admin, fresh(running.connection))

    assert again.state == BindingState.APPROVING


def test_requester_cannot_decide_on_either_side(pair, running):
    for binding, requester in ((running, pair.target_admin), (other_side(running), pair.source_admin)):
        with pytest.raises(Refused, match="somebody else"):
            decide(binding, requester)

    assert states(running.connection) == ["Pending"]


def test_requester_is_the_person_not_the_membership(pair, running):
    theirs = Membership.objects.create(
        user=pair.source_admin.user, vault=pair.target, profile=pair.target_approver.profile
    )

    decide(running, theirs)

    with pytest.raises(Refused):
        decide(other_side(running), pair.source_admin)


@pytest.mark.parametrize("permissions", [(), (Permission.CONNECTION_READ,), (Permission.WORKFLOW_PARTICIPATE,)])
def test_deciding_needs_both_permissions(pair, running, permissions):
    member = make_member(pair.target, *permissions)

    with pytest.raises(Refused):
        decide(running, member)


def test_stranger_from_another_vault_cannot_decide(pair, running):
    with pytest.raises(Refused):
        decide(running, pair.source_approver)


def test_second_verdict_is_refused(pair, running):
    decide(running, pair.target_approver)

    with pytest.raises(Refused):
        decide(running, make_approver(pair.target), Verdict.REJECT)

    assert states(running.connection) == ["Approved"]


def test_unknown_verdict_is_refused(pair, running, now):
    with pytest.raises(Refused):
        approving.complete(
            binding=running,
            verdict="maybe",
            comment="",
            seen_version=exchange.version_of(running),
            proof=proof_of(pair.target_approver),
            by=pair.target_approver,
            now=now,
        )


def test_change_between_look_and_click_must_be_looked_at_again(pair, running, now):
    version = exchange.version_of(running)
    editing.edit(
        connection=running.connection,
        changes={"authorized_user": pair.target_admin},
        by=pair.target_admin,
        now=now + timedelta(seconds=1),
    )

    with pytest.raises(Refused, match="changed since"):
        approving.complete(
            binding=running,
            verdict="approve",
            comment="",
            seen_version=version,
            proof=proof_of(pair.target_approver),
            by=pair.target_approver,
            now=now,
        )


def test_inbox_completes_the_same_task(pair, running, now):
    task = worklist_selectors.inbox(pair.target_approver).get()

    proof = proof_of(pair.target_approver)

    worklist.complete(task=task, by=pair.target_approver, verdict="approve", comment="", proof=proof, now=now)

    assert states(running.connection) == ["Approved"]


def test_requester_does_not_find_it_in_their_inbox(pair, running):
    assert not worklist_selectors.inbox(pair.target_admin).exists()
    assert worklist_selectors.requested_by(pair.target_admin).count() == 1


def test_every_step_is_audited_on_both_sides(pair, running):
    decide(running, pair.target_approver)
    decide(other_side(running), pair.source_approver)
    settle()

    events = {row.event for row in audit.history(running.connection)}
    assert events >= {
        "connection.created",
        "connection_file.uploaded",
        "connection.approval_started",
        "connection.approved",
        "connection.approved_remotely",
        "connection.established",
    }


def test_withdrawal_by_the_requester_clears_both_sides(pair, running, now):
    withdrawing.withdraw(binding=running, by=pair.target_admin, now=now)
    settle()

    there = other_side(running)
    assert (fresh(running).state, there.state) == (BindingState.WITHDRAWN, BindingState.WITHDRAWN)
    assert states(running.connection, there.connection) == ["Pending", "Pending"]
    assert set(Task.objects.values_list("status", flat=True)) == {TaskStatus.CANCELLED}


def test_source_requester_can_withdraw_too(pair, running, now):
    withdrawing.withdraw(binding=other_side(running), by=pair.source_admin, now=now)
    settle()

    assert fresh(running).state == BindingState.WITHDRAWN


def test_withdrawal_after_own_sides_approval(pair, running, now):
    decide(running, pair.target_approver)

    withdrawing.withdraw(binding=running, by=pair.target_admin, now=now)
    settle()

    assert states(running.connection, other_side(running).connection) == ["Pending", "Pending"]


def test_only_the_requester_withdraws(pair, running, now):
    with pytest.raises(Refused, match=pair.target_admin.user.name):
        withdrawing.withdraw(binding=running, by=make_admin(pair.target), now=now)
    with pytest.raises(PermissionRefused):
        withdrawing.withdraw(binding=running, by=pair.target_approver, now=now)


def test_established_connection_cannot_be_withdrawn(pair, now):
    binding = upload(pair.file(named=True), pair.target_admin)

    with pytest.raises(Refused):
        withdrawing.withdraw(binding=binding, by=pair.target_admin, now=now)


def test_task_title_names_both_ends(pair, running):
    task = Task.objects.get(vault=pair.target)

    assert task.kind == APPROVAL_TASK
    assert running.connection.name in task.title
    assert pair.source.name in task.title
