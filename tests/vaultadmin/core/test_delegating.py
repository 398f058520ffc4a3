from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.urls import reverse

from tests.factories import make_member, make_vault
from tests.guards.world import signed_in
from tests.vaultadmin.core.delegations import lend
from tests.vaultadmin.core.test_assigning import fresh, give
from tests.vaultadmin.core.test_worklist import KIND, Handler, open_task
from vaultadmin import clock
from vaultadmin.models import AuditEvent, Delegation, Task
from vaultadmin.permissions import Permission
from vaultadmin.together import known
from vaultadmin.worklist import delegating, notices, registry, selectors, services
from vaultadmin.worklist.holding import Standing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def handler(monkeypatch):
    found = Handler()
    monkeypatch.setitem(registry._handlers, KIND, found)
    return found


@pytest.fixture
def vault():
    return make_vault()


@pytest.fixture
def people(vault):
    """Requester, giver, receiver."""
    return [make_member(vault, Permission.WORKFLOW_PARTICIPATE) for _ in range(3)]


@pytest.fixture
def task(vault, people):
    found = open_task(vault, people[0])
    return give(found, people[1], people[1])


@pytest.fixture
def admin(vault):
    return make_member(vault, Permission.ADMIN_USERS, Permission.WORKFLOW_PARTICIPATE)


def complete(task, by, place=None):
    return services.complete(
        task=task, by=by, verdict="approve", comment="", in_place_of=place and place.pk, now=clock.now()
    )


def test_receiver_decides_in_place_of_the_giver_and_the_trail_names_both(task, people, vault):
    _requester, giver, receiver = people
    lend(giver, receiver)

    assert list(selectors.inbox(receiver)) == [task]
    [row] = selectors.rows(selectors.inbox(receiver), receiver)
    assert (row.delegation.from_member, row.shown.refusal) == (giver, "")
    complete(task, receiver, giver)

    done = fresh(task)
    assert (done.completed_by, done.completed_for) == (receiver, giver)
    assert done.decider == f"{receiver} for {giver}"
    trail = AuditEvent.objects.get(chain=vault.pk, event="task.completed")
    assert trail.changes["In place of"] == [None, str(giver)]
    assert str(receiver) in trail.actor
    assert list(selectors.done(giver)) == list(selectors.done(receiver)) == [task]


def test_giver_still_decides_themselves(task, people):
    lend(people[1], people[2])

    complete(task, people[1])

    assert fresh(task).completed_for is None


def test_nobody_decides_in_anothers_place_unknowingly(task, people):
    lend(people[1], people[2])

    with pytest.raises(services.VerdictRefused, match="In whose place"):
        complete(task, people[2])
    with pytest.raises(services.VerdictRefused, match="In whose place"):
        complete(task, people[1], people[2])


def test_somebody_third_is_kept_from_the_task(task, people, vault):
    lend(people[1], people[2])
    third = make_member(vault, Permission.WORKFLOW_PARTICIPATE)

    assert selectors.waiting(people[2]) == 1
    assert selectors.waiting(third) == 0
    with pytest.raises(services.VerdictRefused, match="Assigned to"):
        complete(task, third, people[1])


def test_what_is_lent_is_not_lent_on(task, people, vault):
    _requester, giver, receiver = people
    further = make_member(vault, Permission.WORKFLOW_PARTICIPATE)
    lend(giver, receiver)
    lend(receiver, further)

    assert list(selectors.inbox(further)) == []


def test_own_request_is_not_decided_in_anothers_place(task, people):
    requester, giver, _receiver = people
    lend(giver, requester)

    [row] = selectors.rows(selectors.requested_by(requester), requester)
    assert "own request" in row.shown.refusal
    with pytest.raises(services.VerdictRefused, match="own request"):
        complete(task, requester, giver)


def test_own_request_is_not_decided_in_anothers_place_even_where_own_ones_are_allowed(task, people, monkeypatch):
    requester, giver, receiver = people
    monkeypatch.setattr("vaultadmin.worklist.holding.own_requests_allowed", lambda _vault: True)
    monkeypatch.setattr("vaultadmin.worklist.selectors.own_requests_allowed", lambda _vault: True)
    monkeypatch.setattr(Handler, "refusal", lambda *_: "")
    lend(giver, requester)
    with pytest.raises(services.VerdictRefused, match="You made this request"):
        complete(task, requester, giver)

    lend(requester, receiver)
    give(task, requester, giver, seen=giver.pk)
    with pytest.raises(services.VerdictRefused, match="nobody decides it in their place"):
        complete(task, receiver, requester)


def test_receiver_needs_the_permission_at_the_time_of_the_verdict(task, people, monkeypatch):
    lend(people[1], people[2])
    monkeypatch.setattr(Handler, "needs", (Permission.WORKFLOW_PARTICIPATE, Permission.CONNECTION_READ))
    for person in people[:2]:
        person.profile.permissions = [*person.profile.permissions, Permission.CONNECTION_READ.value]
        person.profile.save()

    with pytest.raises(services.VerdictRefused, match="does not include"):
        complete(fresh(task), people[2], people[1])


@pytest.mark.parametrize(
    ("hand", "place", "refused"),
    [
        (registry.Hand(0), True, True),
        (registry.Hand(0), False, False),
        (registry.Hand(0, in_place=True), True, True),
        (registry.Hand(0, in_place=True), False, True),
    ],
)
def test_one_person_is_not_two_pairs_of_eyes_through_two_hats(task, people, monkeypatch, hand, place, refused):
    _requester, giver, receiver = people
    lend(giver, receiver)
    if not place:
        give(task, receiver, giver, seen=giver.pk)
    hands = {task.pk: {registry.Hand(receiver.user_id, hand.in_place)}}
    monkeypatch.setattr(Handler, "hands_elsewhere", lambda _self, _tasks: known(hands))

    if refused:
        with pytest.raises(services.VerdictRefused, match="another pair of eyes"):
            complete(task, receiver, giver if place else None)
    else:
        complete(task, receiver)


@pytest.mark.parametrize(
    ("moment", "counts"),
    [
        ("2026-12-01T00:00:00+00:00", True),
        ("2026-11-30T23:59:59+00:00", False),
        ("2026-12-01T00:30:00+01:00", False),
        ("2026-12-03T23:59:59.999999+00:00", True),
        ("2026-12-03T22:30:00-02:00", False),
        ("2026-12-04T00:00:00+00:00", False),
    ],
)
def test_days_begin_and_end_at_midnight_utc(task, people, vault, moment, counts):
    _requester, giver, receiver = people
    Delegation.objects.create(
        vault=vault,
        from_member=giver,
        to_member=receiver,
        starts=datetime(2026, 12, 1, tzinfo=UTC).date(),
        ends=datetime(2026, 12, 3, tzinfo=UTC).date(),
        created_by=giver,
        created_at=clock.now(),
    )

    standing = Standing(receiver, [task], now=datetime.fromisoformat(moment))

    assert (standing.place(task) == giver) is counts


@pytest.mark.parametrize("ender", ["giver", "admin"])
def test_ended_early_counts_no_more_at_once(task, people, admin, vault, ender):
    _requester, giver, receiver = people
    made = lend(giver, receiver)
    by = giver if ender == "giver" else admin

    delegating.end(delegation=made, by=by, now=clock.now())

    assert list(selectors.inbox(receiver)) == []
    with pytest.raises(services.VerdictRefused, match="Assigned to"):
        complete(task, receiver, giver)
    assert AuditEvent.objects.filter(chain=vault.pk, event="delegation.ended", subject_id=str(made.pk)).exists()
    with pytest.raises(delegating.DelegationRefused, match="ended early already"):
        delegating.end(delegation=made, by=by, now=clock.now())


def test_database_refuses_a_verdict_in_ones_own_place(task, people):
    complete(task, people[1])

    with pytest.raises(IntegrityError, match="task_decided_in_the_place"), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(completed_for=people[1])


def letters():
    mail.outbox.clear()
    notices.deliver_due(now=clock.now())
    return {letter.to[0]: letter for letter in mail.outbox}


def test_receiver_is_told_of_what_is_assigned_to_the_giver(vault, people):
    requester, giver, receiver = people
    task = open_task(vault, requester)
    lend(giver, receiver)
    letters()

    give(task, giver, requester)

    letter = letters()[receiver.user.email]
    assert f"for {giver}" in letter.subject
    assert "lent you their approvals" in letter.body


def test_receiver_is_told_of_what_waited_before_once(task, people):
    _requester, giver, receiver = people
    lend(giver, receiver)
    letters()

    assert notices.lent(now=clock.now()) == 1
    assert notices.lent(now=clock.now()) == 0

    assert f"for {giver}" in letters()[receiver.user.email].subject


def test_nobody_is_told_of_a_delegation_that_ended_before_the_mail_left(task, people):
    _requester, giver, receiver = people
    letters()
    made = lend(giver, receiver)
    notices.lent(now=clock.now())
    delegating.end(delegation=made, by=giver, now=clock.now())

    assert receiver.user.email not in letters()


def test_requester_and_giver_are_told_who_decided_for_whom(task, people):
    requester, giver, receiver = people
    lend(giver, receiver)
    letters()

    complete(task, receiver, giver)

    told = letters()
    assert f"{receiver} for {giver} approved" in told[requester.user.email].body
    assert told[giver.user.email].subject.startswith("[vaultadmin] Approved in your place")


def test_inbox_marks_what_is_decided_for_somebody(task, people, vault):
    _requester, giver, receiver = people
    lend(giver, receiver)

    page = signed_in(receiver.user).get(reverse("vault:tasks", args=[vault.pk])).content.decode()

    assert f"For {giver}" in page
    assert "lent to you until" in page


def test_approvals_are_lent_by_whatever_right_somebody_decides(vault, handler):
    handler.needs = (Permission.ECOA_STUDY_TEAM,)
    giver, receiver = (make_member(vault, Permission.ECOA_STUDY_TEAM) for _ in range(2))

    assert lend(giver, receiver).to_member == receiver


def test_approvals_are_not_lent_to_somebody_who_decides_other_things(vault, people):
    other = make_member(vault, Permission.ECOA_STUDY_TEAM)

    with pytest.raises(delegating.DelegationRefused, match="may decide nothing of what"):
        lend(people[0], other)
