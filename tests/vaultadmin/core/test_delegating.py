from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from tests.factories import make_member, make_vault
from tests.guards.world import signed_in
from tests.vaultadmin.core.test_assigning import fresh, give
from tests.vaultadmin.core.test_worklist import KIND, Handler, open_task
from vaultadmin import clock
from vaultadmin.models import AuditEvent, Delegation, Task
from vaultadmin.models.delegation import day_of
from vaultadmin.permissions import Permission
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


def today():
    return day_of(clock.now())


def lend(giver, to, *, by=None, starts=0, days=7):
    first = today() + timedelta(days=starts)
    return delegating.lend(
        giver=giver, to=to, starts=first, ends=first + timedelta(days=days - 1), by=by or giver, now=clock.now()
    )


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
    monkeypatch.setattr(Handler, "hands_elsewhere", lambda _self, _tasks: hands)

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


def test_receiver_and_bystander_do_not_end_it(people, vault):
    made = lend(people[1], people[2])

    for person in (people[2], make_member(vault), make_member(make_vault(), Permission.ADMIN_USERS)):
        with pytest.raises(delegating.DelegationRefused):
            delegating.end(delegation=made, by=person, now=clock.now())


@pytest.mark.parametrize("days", [(0, 1), (6, 3), (-1, 0)])
def test_lent_twice_for_one_day_is_refused(people, vault, days):
    _requester, giver, receiver = people
    made = lend(giver, receiver, starts=1, days=7)
    third = make_member(vault, Permission.WORKFLOW_PARTICIPATE)
    starts, more = days

    with pytest.raises(delegating.DelegationRefused, match="lent to"):
        lend(giver, third, starts=1 + max(starts, 0), days=more or 1)

    assert list(Delegation.objects.all()) == [made]


def test_next_one_begins_the_day_after_and_others_lend_beside_it(people):
    _requester, giver, receiver = people
    lend(giver, receiver, days=3)

    assert lend(giver, receiver, starts=3)
    assert lend(receiver, giver)


def test_ended_one_frees_its_days(people):
    _requester, giver, receiver = people
    delegating.end(delegation=lend(giver, receiver), by=giver, now=clock.now())

    assert lend(giver, receiver)


@pytest.mark.parametrize("fault", ["self", "yesterday", "backwards", "too long", "stranger", "no permission"])
def test_unfit_delegation_is_refused(people, vault, fault):
    _requester, giver, receiver = people
    to = {
        "self": giver,
        "stranger": make_member(make_vault(), Permission.WORKFLOW_PARTICIPATE),
        "no permission": make_member(vault),
    }.get(fault, receiver)
    starts = -1 if fault == "yesterday" else 0
    days = {"backwards": 0, "too long": 367}.get(fault, 3)

    with pytest.raises(delegating.DelegationRefused):
        lend(giver, to, starts=starts, days=days)

    assert not Delegation.objects.exists()


def test_who_administers_users_lends_for_others_but_not_to_themselves(people, admin):
    _requester, giver, receiver = people

    made = lend(giver, receiver, by=admin)

    assert made.created_by == admin
    with pytest.raises(delegating.DelegationRefused, match="to themselves"):
        lend(receiver, admin, by=admin)
    with pytest.raises(delegating.DelegationRefused, match="your own approvals"):
        lend(giver, receiver, by=receiver)


def test_database_refuses_members_of_another_vault(people, vault):
    stranger = make_member(make_vault(), Permission.WORKFLOW_PARTICIPATE)

    Delegation.objects.create(
        vault=vault,
        from_member=people[1],
        to_member=stranger,
        starts=today(),
        ends=today(),
        created_by=people[1],
        created_at=clock.now(),
    )

    with pytest.raises(IntegrityError, match="delegation_to_same_vault"):
        connection.check_constraints()


def test_database_refuses_a_verdict_in_ones_own_place(task, people):
    complete(task, people[1])

    with pytest.raises(IntegrityError, match="task_decided_in_the_place"), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(completed_for=people[1])


@pytest.mark.django_db(transaction=True)
def test_of_two_delegations_at_once_one_stands(people, vault):
    _requester, giver, receiver = people
    third = make_member(vault, Permission.WORKFLOW_PARTICIPATE)
    outcomes, start = [], threading.Barrier(2)

    def try_it(to):
        start.wait(10)
        try:
            lend(giver, to)
            outcomes.append("lent")
        except delegating.DelegationRefused:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=try_it, args=[to]) for to in (receiver, third)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(outcomes) == ["lent", "refused"]
    assert Delegation.objects.count() == 1


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


def test_pages_lend_and_end_without_javascript(people, vault):
    _requester, giver, receiver = people
    browser = signed_in(giver.user)
    create = reverse("vault:delegation-create", args=[vault.pk])
    days = {"starts": today().isoformat(), "ends": today().isoformat()}

    assert str(receiver) in browser.get(create).content.decode()
    assert browser.post(create, {"to": giver.pk, **days}).status_code == 422
    assert browser.post(create, {"to": receiver.pk, **days}).status_code == 302
    assert browser.post(create, {"to": receiver.pk, **days}).status_code == 422
    made = Delegation.objects.get()
    listed = signed_in(receiver.user).get(reverse("vault:delegations", args=[vault.pk])).content.decode()
    assert str(giver) in listed
    assert "In force" in listed
    end = reverse("vault:delegation-end", args=[vault.pk, made.pk])
    assert signed_in(receiver.user).post(end).status_code == 409
    assert browser.post(end).status_code == 302
    assert browser.post(end).status_code == 409


def test_pages_show_delegations_to_their_people_and_who_administers_users(people, vault, admin):
    made = lend(people[1], people[2])
    bystander = make_member(vault, Permission.WORKFLOW_PARTICIPATE)
    end = reverse("vault:delegation-end", args=[vault.pk, made.pk])

    assert signed_in(bystander.user).get(end).status_code == 404
    assert signed_in(admin.user).get(end).status_code == 200
    assert signed_in(make_member(vault).user).get(reverse("vault:delegations", args=[vault.pk])).status_code == 403


def test_inbox_marks_what_is_decided_for_somebody(task, people, vault):
    _requester, giver, receiver = people
    lend(giver, receiver)

    page = signed_in(receiver.user).get(reverse("vault:tasks", args=[vault.pk])).content.decode()

    assert f"For {giver}" in page
    assert "lent to you until" in page
