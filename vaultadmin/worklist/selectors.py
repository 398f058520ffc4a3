"""What an inbox shows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db import models
from django.db.models import Q, QuerySet

from vaultadmin.models import Membership, Signature, Vault, VaultSettings
from vaultadmin.models.task import Task, TaskStatus
from vaultadmin.permissions import Permission, can
from vaultadmin.worklist.registry import Shown, handler_for


@dataclass(frozen=True)
class InboxRow:
    """A task as one member sees it, with the signature the verdict was given with."""

    task: Task
    shown: Shown
    signature: Signature | None = None


def own_requests_allowed(vault: Vault) -> bool:
    """May a requester decide their own request here? Only in a sandbox, and only where its settings say so."""
    return vault.is_sandbox and VaultSettings.of(vault).own_requests


def inbox(member: Membership) -> QuerySet[Task]:
    """Open tasks of the vault that this member may decide, oldest first: not their own requests."""
    if not can(member, Permission.WORKFLOW_PARTICIPATE):
        return Task.objects.none()
    waiting = Task.objects.open().filter(vault=member.vault_id)
    if not own_requests_allowed(member.vault):
        waiting = waiting.exclude(requested_by__user=member.user_id)
    return waiting.select_related("requested_by__user").order_by("created_at", "pk")


def requested_by(member: Membership) -> QuerySet[Task]:
    """Tasks this member asked for, waiting first, then the newest."""
    mine = Task.objects.filter(vault=member.vault_id, requested_by__user=member.user_id)
    first = models.Case(models.When(status=TaskStatus.AVAILABLE, then=0), default=1)
    return mine.select_related("completed_by__user").order_by(first, "-created_at", "-pk")


def done(member: Membership) -> QuerySet[Task]:
    """What this member decided, newest first."""
    decided = Task.objects.filter(vault=member.vault_id, status=TaskStatus.COMPLETED, completed_by__user=member.user_id)
    return decided.select_related("requested_by__user", "completed_by__user").order_by("-completed_at", "-pk")


def rows(tasks: QuerySet[Task], member: Membership, *, limit: int = 100) -> list[InboxRow]:
    """Tasks with their links, refusals and signatures, in a few queries for all of them."""
    found = list(tasks[:limit])
    kinds: dict[str, list[Task]] = defaultdict(list)
    for task in found:
        kinds[task.kind].append(task)
    shown: dict[int, Shown] = {}
    for of_kind in kinds.values():
        shown |= handler_for(of_kind[0]).shown(of_kind, member)
    signatures = _signatures([task for task in found if task.verdict], member.vault_id)
    return [InboxRow(task, shown[task.pk], signatures.get(task.pk)) for task in found]


def open_task_for(subject: models.Model, *, kind: str) -> Task | None:
    """The open task of a kind about a record, if any."""
    found = Task.objects.open().filter(kind=kind, subject_type=subject._meta.label_lower, subject_id=str(subject.pk))
    return found.select_related("requested_by__user").first()


def _signatures(decided: list[Task], vault_id: int) -> dict[int, Signature]:
    """What the deciders of these tasks signed about the tasks' subjects."""
    if not decided:
        return {}
    about = Q()
    for task in decided:
        about |= Q(subject_type=task.subject_type, subject_id=task.subject_id, signed_at=task.completed_at)
    signed = {(row.subject_type, row.subject_id): row for row in Signature.objects.filter(about, vault_number=vault_id)}
    found = {task.pk: signed.get((task.subject_type, task.subject_id)) for task in decided}
    return {pk: row for pk, row in found.items() if row is not None}
