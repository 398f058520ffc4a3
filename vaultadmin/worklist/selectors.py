"""What an inbox shows."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.db.models import QuerySet

from vaultadmin.models import Membership
from vaultadmin.models.task import Task, TaskStatus
from vaultadmin.permissions import Permission, can
from vaultadmin.worklist.registry import handler_for


@dataclass(frozen=True)
class InboxRow:
    """A task as one member sees it: where it leads, its dialog, and why they cannot complete it, if they cannot."""

    task: Task
    url: str
    dialog: str
    refusal: str


def inbox(member: Membership) -> QuerySet[Task]:
    """Open tasks of the vault that this member may decide: not their own requests."""
    if not can(member, Permission.WORKFLOW_PARTICIPATE):
        return Task.objects.none()
    waiting = Task.objects.open().filter(vault=member.vault_id)
    return waiting.exclude(requested_by__user=member.user_id).select_related("requested_by__user")


def requested_by(member: Membership) -> QuerySet[Task]:
    """Tasks this member asked for, waiting first."""
    mine = Task.objects.filter(vault=member.vault_id, requested_by__user=member.user_id)
    return mine.select_related("completed_by__user")


def done(member: Membership) -> QuerySet[Task]:
    """What this member decided, newest first."""
    decided = Task.objects.filter(vault=member.vault_id, status=TaskStatus.COMPLETED, completed_by__user=member.user_id)
    return decided.select_related("requested_by__user", "completed_by__user").order_by("-completed_at", "-pk")


def rows(tasks: QuerySet[Task], member: Membership, *, limit: int = 100) -> list[InboxRow]:
    """Tasks with their links and refusals."""
    return [_row(task, member) for task in tasks[:limit]]


def _row(task: Task, member: Membership) -> InboxRow:
    handler = handler_for(task)
    return InboxRow(task, handler.url(task), handler.dialog(task), handler.refusal(task, member))


def open_task_for(subject: models.Model, *, kind: str) -> Task | None:
    """The open task of a kind about a record, if any."""
    found = Task.objects.open().filter(kind=kind, subject_type=subject._meta.label_lower, subject_id=str(subject.pk))
    return found.select_related("requested_by__user").first()
