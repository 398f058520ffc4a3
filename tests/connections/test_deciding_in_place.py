from datetime import timedelta

import pytest
from django.core import mail

from connections.constants import APPROVAL_TASK, Verdict
from connections.models import OutgoingPeerMessage
from connections.services.refusals import Refused
from tests.connections.handshake import decide, fresh, other_side, settle, states, steps_of, upload
from tests.connections.pages import HTMX
from tests.connections.test_verdict import form_of, post, sign_in, text_of, undecided, url_of
from tests.factories.connections import make_approver
from tests.factories.people import PASSWORD
from vaultadmin import clock
from vaultadmin.models import AuditEvent, Membership, Task
from vaultadmin.models.delegation import day_of
from vaultadmin.worklist import assigning, delegating, notices
from vaultadmin.worklist import selectors as worklist

pytestmark = pytest.mark.django_db


@pytest.fixture
def running(pair):
    return upload(pair.file(), pair.target_admin)


@pytest.fixture
def receiver(pair):
    return make_approver(pair.target)


@pytest.fixture
def lent(pair, running, receiver):
    """The target's task is assigned to its approver, who lent their approvals to the receiver."""
    assign(running, pair.target_approver)
    return lend(pair.target_approver, receiver)


def assign(binding, to):
    task = worklist.open_task_for(binding, kind=APPROVAL_TASK)
    return assigning.assign(task=task, to=to, seen=task.assigned_to_id, by=to, now=clock.now())


def lend(giver, to):
    today = day_of(clock.now())
    return delegating.lend(giver=giver, to=to, starts=today, ends=today + timedelta(days=1), by=giver, now=clock.now())


def in_both_vaults(member, vault):
    return Membership.objects.create(
        user=member.user, vault=vault, profile=make_approver(vault).profile, is_active=True
    )


def test_both_vaults_show_for_whom_it_was_decided(pair, running, receiver, lent):
    giver = pair.target_approver

    decide(running, receiver, in_place_of=giver.pk)
    settle()

    binding, there = fresh(running), fresh(other_side(running))
    assert (binding.local_decided_by, binding.local_signature.signer_name) == (receiver, receiver.user.name)
    assert binding.local_signature.meaning.endswith(f", for {giver}")
    assert (there.remote_decided_by, there.remote_meaning) == (receiver.user.name, binding.local_signature.meaning)
    for side in (binding, there):
        [note] = [step["note"] for step in steps_of(side.connection) if step.get("note")]
        assert f", for {giver}" in note
    signed = AuditEvent.objects.get(chain=pair.target.pk, event="signature.given")
    assert signed.changes["Meaning"][1].endswith(f", for {giver}")


def test_timeline_names_who_may_decide_for_the_assignee(pair, running, receiver, lent):
    texts = [step["text"] for step in steps_of(fresh(running).connection)]

    assert f"Assigned to {pair.target_approver}. {receiver} may decide for them." in texts


def test_requester_does_not_decide_their_own_request_in_anothers_place(pair, running):
    assign(running, pair.target_approver)
    lend(pair.target_approver, pair.target_admin)

    with pytest.raises(Refused, match="You made this request"):
        decide(running, pair.target_admin, in_place_of=pair.target_approver.pk)

    assert undecided(running)


def test_who_asked_in_the_other_vault_does_not_decide_here_in_anothers_place(pair, running):
    here_too = in_both_vaults(pair.source_admin, pair.target)
    assign(running, pair.target_approver)
    lend(pair.target_approver, here_too)

    with pytest.raises(Refused, match="another pair of eyes"):
        decide(running, here_too, in_place_of=pair.target_approver.pk)


def test_who_decided_in_the_other_vault_does_not_decide_here_in_anothers_place(pair, running):
    here_too = in_both_vaults(pair.source_approver, pair.target)
    assign(running, pair.target_approver)
    lend(pair.target_approver, here_too)
    decide(other_side(running), pair.source_approver)

    with pytest.raises(Refused, match="another pair of eyes"):
        decide(running, here_too, in_place_of=pair.target_approver.pk)


def test_who_decided_here_in_anothers_place_does_not_decide_there_as_themselves(pair, running, receiver, lent):
    there_too = in_both_vaults(receiver, pair.source)
    decide(running, receiver, in_place_of=pair.target_approver.pk)

    with pytest.raises(Refused, match="another pair of eyes"):
        decide(other_side(running), there_too)

    decide(other_side(running), pair.source_approver)
    settle()
    assert states(running.connection) == ["Active"]


def test_decided_once_by_either_of_the_two(pair, running, receiver, lent):
    decide(running, receiver, in_place_of=pair.target_approver.pk)

    with pytest.raises(Refused, match="no longer waits"):
        decide(running, pair.target_approver, Verdict.REJECT, "No.")

    assert OutgoingPeerMessage.objects.filter(binding=running, type="approve").count() == 1


def test_rejection_by_the_other_side_is_told_to_who_approved_before(pair, running, receiver, lent):
    decide(running, receiver, in_place_of=pair.target_approver.pk)
    settle()
    notices.deliver_due(now=clock.now())
    mail.outbox.clear()

    decide(other_side(running), pair.source_approver, Verdict.REJECT, "Not this Vault.")
    settle()
    notices.deliver_due(now=clock.now())

    told = {letter.to[0] for letter in mail.outbox if "Rejected by the other side" in letter.subject}
    assert told == {receiver.user.email, pair.target_approver.user.email, pair.target_admin.user.email}
    assert "Not this Vault." not in "".join(letter.body for letter in mail.outbox)


@pytest.fixture
def browser(receiver):
    receiver.user.set_password(PASSWORD)
    receiver.user.save()
    return sign_in(receiver)


def test_dialog_says_for_whom_and_takes_the_signature(pair, running, receiver, lent, browser):
    opened = text_of(browser.get(url_of(running), headers=HTMX))
    assert f"This task is assigned to {pair.target_approver}" in opened
    assert f"Sign as {receiver} for {pair.target_approver}" in opened

    assert post(browser, running).status_code == 204

    assert Task.objects.get(subject_id=str(running.pk)).completed_for == pair.target_approver


def test_dialog_opened_for_somebody_is_looked_at_again_when_one_decides_as_oneself(
    pair, running, receiver, lent, browser
):
    seen = form_of(browser, running)
    assign(running, receiver)

    assert post(browser, running, seen).status_code == 409
    assert undecided(running)
    assert post(browser, running).status_code == 204
    assert Task.objects.get(subject_id=str(running.pk)).completed_for is None


def test_dialog_refuses_once_the_delegation_has_ended(pair, running, receiver, lent, browser):
    seen = form_of(browser, running)
    delegating.end(delegation=lent, by=pair.target_approver, now=clock.now())

    answer = post(browser, running, seen)

    assert f"Assigned to {pair.target_approver}" in text_of(answer)
    assert undecided(running)
