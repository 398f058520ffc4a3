"""Give an open task to somebody, take it, or put it back to everybody. Every step is audited."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.models.task import Task, TaskStatus
from vaultadmin.worklist import notices
from vaultadmin.worklist.holding import assignee_refusal
from vaultadmin.worklist.registry import handler_for, missing_for


class AssignmentRefused(Exception):
    """The task cannot be given away like this; one sentence a person can act on."""


def assign(
    *, task: Task, to: Membership | None, seen: int | None, comment: str = "", by: Membership, now: datetime
) -> Task:
    """Give the task to a member, or with None back to everybody who may decide it.

    `seen` is the assignee (membership id, or None) the person saw: when it is another one now, somebody was faster
    and nothing changes. The new assignee is told by mail unless they took it themselves.
    """
    with transaction.atomic():
        handler_for(task).lock(task)
        locked = Task.objects.select_for_update().get(pk=task.pk)
        _ensure(locked, to, seen, by)
        if to is not None and locked.assigned_to_id == to.pk:
            return locked
        before, after = (str(locked.assigned_to) if locked.assigned_to else None), (str(to) if to else None)
        locked.assigned_to = to
        locked.status = TaskStatus.ASSIGNED if to else TaskStatus.AVAILABLE
        locked.save(update_fields=["assigned_to", "status"])
        changes: audit.Changes = {"Assigned to": (before, after)}
        audit.record(vault=by.vault, by=by, event="task.reassigned", subject=locked, changes=changes, reason=comment)
        if to is not None and to.pk != by.pk:
            notices.assigned(locked, to=to, now=now)
    return locked


def _ensure(task: Task, to: Membership | None, seen: int | None, by: Membership) -> None:
    if task.vault_id != by.vault_id:
        raise AssignmentRefused("This task belongs to another Vault.")
    if missing := missing_for(task, by):
        raise AssignmentRefused(f"Your security profile does not include “{missing.label}”.")
    if not task.is_open:
        raise AssignmentRefused(f"This task is already {task.get_status_display().lower()}.")
    if task.assigned_to_id != seen:
        whom = f"assigned to {task.assigned_to}" if task.assigned_to else "put back to everybody"
        raise AssignmentRefused(f"This task was {whom} since you looked. Look at it again.")
    if to is None and task.assigned_to_id is None:
        raise AssignmentRefused("This task is assigned to nobody.")
    if to is not None and (refusal := assignee_refusal(task, to)):
        raise AssignmentRefused(refusal)
