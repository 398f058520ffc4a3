from __future__ import annotations

import threading

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from tests.factories import make_member, make_vault
from tests.guards.world import signed_in
from tests.vaultadmin.core.test_worklist import KIND, Handler, open_task
from vaultadmin import clock
from vaultadmin.models import AuditEvent, Membership, Task
from vaultadmin.models.task import TaskStatus
from vaultadmin.permissions import Permission
from vaultadmin.worklist import assigning, holding, notices, registry, selectors, services

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
    return [make_member(vault, Permission.WORKFLOW_PARTICIPATE) for _ in range(3)]


@pytest.fixture
def task(vault, people):
    return open_task(vault, people[0])


def give(task, to, by, *, seen=None, comment=""):
    return assigning.assign(task=task, to=to, seen=seen, comment=comment, by=by, now=clock.now())


def fresh(task):
    return Task.objects.get(pk=task.pk)


def test_assigned_task_is_open_and_only_its_assignees(task, people):
    _requester, first, second = people

    give(task, first, second, comment="Knows the study")

    assert (fresh(task).status, fresh(task).is_open) == (TaskStatus.ASSIGNED, True)
    assert list(selectors.inbox(first)) == [task]
    assert list(selectors.inbox(second)) == []
    assert list(selectors.with_others(second)) == [task]
    with pytest.raises(services.VerdictRefused, match=f"Assigned to {first}"):
        services.complete(task=task, by=second, verdict="approve", comment="", now=clock.now())
    services.complete(task=task, by=first, verdict="approve", comment="", now=clock.now())
    assert fresh(task).completed_by == first


def test_assigning_leaves_before_after_and_reason_in_the_trail(task, people, vault):
    _requester, first, second = people
    give(task, first, first)

    give(task, second, first, seen=first.pk, comment="On leave")

    row = AuditEvent.objects.filter(chain=vault.pk, event="task.reassigned").latest("sequence")
    assert row.changes == {"Assigned to": [str(first), str(second)]}
    assert row.reason == "On leave"


def test_put_back_is_available_to_everybody(task, people):
    _requester, first, second = people
    give(task, first, first)

    give(task, None, second, seen=first.pk)

    assert fresh(task).status == TaskStatus.AVAILABLE
    assert list(selectors.inbox(second)) == [task]


def test_new_assignee_is_told_and_who_takes_it_is_not(task, people):
    _requester, first, second = people
    notices.deliver_due(now=clock.now())
    mail.outbox.clear()

    give(task, first, first)
    give(task, second, first, seen=first.pk)
    notices.deliver_due(now=clock.now())

    [letter] = mail.outbox
    assert letter.to == [second.user.email]
    assert "Assigned to you" in letter.subject


@pytest.mark.parametrize("who", ["requester", "bystander", "stranger", "gone"])
def test_task_is_not_given_to_who_may_not_decide_it(task, people, vault, who):
    gone = make_member(vault, Permission.WORKFLOW_PARTICIPATE)
    Membership.objects.filter(pk=gone.pk).update(is_active=False)
    others = {
        "requester": people[0],
        "bystander": make_member(vault),
        "stranger": make_member(make_vault(), Permission.WORKFLOW_PARTICIPATE),
        "gone": Membership.objects.get(pk=gone.pk),
    }

    with pytest.raises(assigning.AssignmentRefused):
        give(task, others[who], people[1])

    assert fresh(task).status == TaskStatus.AVAILABLE


@pytest.mark.parametrize("loss", ["membership", "account", "permission"])
def test_assignee_who_may_not_decide_any_more_blocks_nobody(task, people, loss):
    _requester, first, second = people
    give(task, first, first)
    if loss == "membership":
        Membership.objects.filter(pk=first.pk).update(is_active=False)
    elif loss == "account":
        first.user.is_active = False
        first.user.save()
    else:
        first.profile.permissions = []
        first.profile.save()

    assert holding.holder(fresh(task)) is None
    assert list(selectors.inbox(second)) == [task]
    services.complete(task=task, by=second, verdict="reject", comment="no", now=clock.now())
    assert fresh(task).completed_by == second


def test_member_without_the_permission_assigns_nothing(task, people, vault):
    with pytest.raises(assigning.AssignmentRefused, match="Workflow: Participate"):
        give(task, people[1], make_member(vault))


def test_completed_task_is_not_assigned(task, people):
    services.complete(task=task, by=people[1], verdict="approve", comment="", now=clock.now())

    with pytest.raises(assigning.AssignmentRefused, match="already completed"):
        give(task, people[2], people[2])


def test_assigned_task_is_still_the_one_open_task_and_can_be_cancelled(task, people, vault):
    give(task, people[1], people[1])

    assert open_task(vault, people[0]) == task
    with transaction.atomic():
        assert services.cancel_tasks(subject=vault, vault=vault, by=people[0], reason="gone", now=clock.now()) == 1
    assert fresh(task).status == TaskStatus.CANCELLED


@pytest.mark.parametrize("change", [{"status": TaskStatus.ASSIGNED}, {"assigned_to": "member"}])
def test_database_refuses_a_status_that_does_not_fit_the_assignee(task, people, change):
    values = {name: people[1] if value == "member" else value for name, value in change.items()}

    with pytest.raises(IntegrityError, match="task_assigned_to_somebody"), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(**values)


def test_database_refuses_an_assignee_of_another_vault(task):
    stranger = make_member(make_vault())

    Task.objects.filter(pk=task.pk).update(status=TaskStatus.ASSIGNED, assigned_to=stranger)

    with pytest.raises(IntegrityError, match="task_assignee_of_same_vault"):
        connection.check_constraints()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_a_task_at_once_one_gets_it(task, people):
    outcomes, start = [], threading.Barrier(2)

    def take(member):
        start.wait(10)
        try:
            give(task, member, member)
            outcomes.append("taken")
        except assigning.AssignmentRefused as refused:
            outcomes.append(str(refused))
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=[member]) for member in people[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(outcomes)[1] == "taken"
    assert sorted(outcomes)[0] == f"This task was assigned to {fresh(task).assigned_to} since you looked. " + (
        "Look at it again."
    )


def test_pages_take_and_reassign_without_javascript(task, people, vault):
    _requester, first, second = people
    browser, url = signed_in(first.user), reverse("vault:task-reassign", args=[vault.pk, task.pk])

    listed = browser.get(reverse("vault:tasks", args=[vault.pk])).content.decode()
    assert "Take it" in listed
    assert browser.post(url, {"assignee": first.pk, "seen": ""}).status_code == 302
    assert fresh(task).assigned_to == first
    assert browser.post(url, {"assignee": second.pk, "seen": ""}).status_code == 409
    assert str(second) in browser.get(url).content.decode()
    assert browser.post(url, {"assignee": second.pk, "seen": first.pk}).status_code == 302
    others = browser.get(reverse("vault:tasks", args=[vault.pk]), {"show": "others"}).content.decode()
    assert f"Assigned to {second}" in others


def test_page_offers_nobody_who_may_not_decide(task, people, vault):
    url = reverse("vault:task-reassign", args=[vault.pk, task.pk])

    assert signed_in(people[1].user).post(url, {"assignee": people[0].pk, "seen": ""}).status_code == 422
    assert signed_in(make_member(vault).user).get(url).status_code == 403
