from __future__ import annotations

import pytest
from django.db import transaction

from tests.factories import make_member, make_vault
from vaultadmin import clock
from vaultadmin.models import AuditEvent
from vaultadmin.models.task import TaskStatus
from vaultadmin.permissions import Permission
from vaultadmin.together import known
from vaultadmin.worklist import registry, selectors, services

pytestmark = pytest.mark.django_db
KIND = "test.verdict"


class Handler:
    """Lets everybody decide but the requester, and remembers what was decided."""

    needs = (Permission.WORKFLOW_PARTICIPATE,)

    def __init__(self):
        self.done = []

    def lock(self, task):
        self.locked = task.pk

    def verdicts(self, task):
        return [("approve", "Approve"), ("reject", "Reject")]

    def refusal(self, task, member):
        own = task.requested_by and task.requested_by.user_id == member.user_id
        return "You cannot decide your own request." if own else ""

    def hands_elsewhere(self, tasks):
        return known({})

    def complete(self, task, *, by, verdict, comment, proof, now):
        self.done.append((task.pk, verdict))

    def shown(self, tasks, member):
        return {task.pk: registry.Shown("/", "/complete/", self.refusal(task, member)) for task in tasks}


@pytest.fixture
def handler(monkeypatch):
    found = Handler()
    monkeypatch.setitem(registry._handlers, KIND, found)
    return found


@pytest.fixture
def vault():
    return make_vault()


def open_task(vault, requester):
    with transaction.atomic():
        return services.open_task(
            vault=vault,
            kind=KIND,
            subject=vault,
            title="Approve",
            by=requester,
            now=clock.now(),
            requested_by=requester,
        )


def test_complete_task_runs_the_verdict_once_and_is_audited(handler, vault):
    requester, approver = (make_member(vault, Permission.WORKFLOW_PARTICIPATE) for _ in range(2))
    task = open_task(vault, requester)

    services.complete(task=task, by=approver, verdict="approve", comment="fine", now=clock.now())

    task.refresh_from_db()
    assert (task.status, task.verdict, task.completed_by) == (TaskStatus.COMPLETED, "approve", approver)
    assert handler.done == [(task.pk, "approve")]
    assert AuditEvent.objects.filter(chain=vault.pk, event="task.completed", reason="fine").count() == 1


def test_complete_twice_is_refused(handler, vault):
    requester, approver = (make_member(vault, Permission.WORKFLOW_PARTICIPATE) for _ in range(2))
    task = open_task(vault, requester)
    services.complete(task=task, by=approver, verdict="approve", comment="", now=clock.now())

    with pytest.raises(services.VerdictRefused, match="already completed"):
        services.complete(task=task, by=approver, verdict="reject", comment="no", now=clock.now())

    assert len(handler.done) == 1


def test_own_request_is_refused(handler, vault):
    requester = make_member(vault, Permission.WORKFLOW_PARTICIPATE)
    task = open_task(vault, requester)

    with pytest.raises(services.VerdictRefused, match="own request"):
        services.complete(task=task, by=requester, verdict="approve", comment="", now=clock.now())


def test_member_of_another_vault_is_refused(handler, vault):
    task = open_task(vault, make_member(vault))
    stranger = make_member(make_vault(), Permission.WORKFLOW_PARTICIPATE)

    with pytest.raises(services.VerdictRefused, match="another Vault"):
        services.complete(task=task, by=stranger, verdict="approve", comment="", now=clock.now())


def test_unknown_verdict_is_refused(handler, vault):
    task = open_task(vault, make_member(vault))

    with pytest.raises(services.VerdictRefused, match="Choose a verdict"):
        services.complete(task=task, by=make_member(vault), verdict="maybe", comment="", now=clock.now())


def test_inbox_leaves_out_own_requests_and_needs_the_permission(handler, vault):
    requester = make_member(vault, Permission.WORKFLOW_PARTICIPATE)
    approver = make_member(vault, Permission.WORKFLOW_PARTICIPATE)
    onlooker = make_member(vault)
    task = open_task(vault, requester)

    assert list(selectors.inbox(approver)) == [task]
    assert not selectors.inbox(requester).exists()
    assert not selectors.inbox(onlooker).exists()
    assert list(selectors.requested_by(requester)) == [task]


def test_open_twice_is_one_task(handler, vault):
    requester = make_member(vault)

    assert open_task(vault, requester) == open_task(vault, requester)


def test_cancel_ends_open_tasks(handler, vault):
    requester = make_member(vault)
    task = open_task(vault, requester)

    with transaction.atomic():
        count = services.cancel_tasks(subject=vault, vault=vault, by=requester, reason="withdrawn", now=clock.now())

    task.refresh_from_db()
    assert (count, task.status) == (1, TaskStatus.CANCELLED)
