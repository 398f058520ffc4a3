from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, connection
from django.urls import reverse

from tests.factories import make_member, make_vault
from tests.guards.world import signed_in
from tests.vaultadmin.core.delegations import lend, today
from tests.vaultadmin.core.test_worklist import KIND, Handler
from vaultadmin import clock
from vaultadmin.models import Delegation
from vaultadmin.permissions import Permission
from vaultadmin.worklist import delegating, registry

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def handler(monkeypatch):
    monkeypatch.setitem(registry._handlers, KIND, Handler())


@pytest.fixture
def vault():
    return make_vault()


@pytest.fixture
def people(vault):
    """Requester, giver, receiver."""
    return [make_member(vault, Permission.WORKFLOW_PARTICIPATE) for _ in range(3)]


@pytest.fixture
def admin(vault):
    return make_member(vault, Permission.ADMIN_USERS, Permission.WORKFLOW_PARTICIPATE)


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
