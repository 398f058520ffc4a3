"""Open, complete and cancel tasks. Every step is audited in its own transaction's chain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models, transaction

from vaultadmin import audit
from vaultadmin.models import Membership, Vault
from vaultadmin.models.task import Task, TaskStatus
from vaultadmin.signing.services import Proof
from vaultadmin.worklist import notices
from vaultadmin.worklist.holding import Standing
from vaultadmin.worklist.registry import handler_for


class VerdictRefused(Exception):
    """The task cannot be completed this way; one sentence a person can act on."""


def open_task(
    *,
    vault: Vault,
    kind: str,
    subject: models.Model,
    title: str,
    by: audit.Actor,
    now: datetime,
    requested_by: Membership | None = None,
    requester_label: str = "",
    due_at: datetime | None = None,
) -> Task:
    """Put a task on the vault's list; one open task per kind and subject. Runs inside the caller's transaction.

    `requested_by` is the member whose request it is (they may never decide it); for a request from another vault it
    is None and `requester_label` says who asked. After `due_at` the app ends what nobody decided.
    """
    existing = Task.objects.open().filter(vault=vault, kind=kind, **_subject(subject)).first()
    if existing is not None:
        return existing
    task = Task.objects.create(
        vault=vault,
        kind=kind,
        title=title,
        requested_by=requested_by,
        requester_label=requester_label or (str(requested_by) if requested_by else ""),
        created_at=now,
        due_at=due_at,
        **_subject(subject),
    )
    audit.record(vault=vault, by=by, event="task.opened", subject=task)
    notices.opened(task, now=now)
    return task


def complete(
    *,
    task: Task,
    by: Membership,
    verdict: str,
    comment: str,
    proof: Proof | None = None,
    in_place_of: int | None = None,
    now: datetime,
) -> Task:
    """Complete a task with a verdict: asks the app whether this person may, then lets it act, all or nothing.

    `proof` is what the person showed to sign; whether the verdict needs a signature is the app's rule. `in_place_of`
    is the member (id) in whose place they knew to decide; nobody decides in another's place without knowing.
    """
    with transaction.atomic():
        handler = handler_for(task)
        handler.lock(task)
        locked = Task.objects.select_for_update().get(pk=task.pk)
        if locked.vault_id != by.vault_id:
            raise VerdictRefused("This task belongs to another Vault.")
        if not locked.is_open:
            raise VerdictRefused(f"This task is already {locked.get_status_display().lower()}.")
        standing = Standing(by, [locked], now=now)
        if refusal := handler.refusal(locked, by) or standing.refusal(locked):
            raise VerdictRefused(refusal)
        place = standing.place(locked)
        if (place.pk if place else None) != in_place_of:
            raise VerdictRefused("In whose place you decide this has changed since you opened it. Look at it again.")
        labels = dict(handler.verdicts(locked))
        if verdict not in labels:
            raise VerdictRefused("Choose a verdict.")
        decided: dict[str, Any] = {"verdict": verdict, "comment": comment, "completed_by": by, "completed_for": place}
        _close(locked, TaskStatus.COMPLETED, now, **decided)
        handler.complete(locked, by=by, verdict=verdict, comment=comment, proof=proof, now=now)
        changes: audit.Changes = {"Verdict": (None, labels[verdict])}
        if place is not None:
            changes["In place of"] = (None, str(place))
        audit.record(vault=locked.vault, by=by, event="task.completed", subject=locked, changes=changes, reason=comment)
        notices.ended(locked, by=by, now=now)
    return locked


def cancel_tasks(*, subject: models.Model, vault: Vault, by: audit.Actor, reason: str, now: datetime) -> int:
    """Cancel every open task about a record, inside the caller's transaction; returns how many."""
    tasks = list(Task.objects.select_for_update().open().filter(vault=vault, **_subject(subject)))
    for task in tasks:
        _close(task, TaskStatus.CANCELLED, now, comment=reason)
        audit.record(vault=vault, by=by, event="task.cancelled", subject=task, reason=reason)
        notices.ended(task, by=by, now=now)
    return len(tasks)


def overturned(*, subject: models.Model, vault: Vault, now: datetime) -> None:
    """The other side ended what was approved here: tell the people of it, inside the caller's transaction."""
    decided = Task.objects.filter(vault=vault, status=TaskStatus.COMPLETED, **_subject(subject))
    for task in decided.select_related("completed_by__user", "completed_for__user", "requested_by__user"):
        notices.overturned(task, now=now)


def _close(task: Task, status: TaskStatus, now: datetime, **sets: Any) -> None:
    task.status = status
    task.completed_at = now
    for name, value in sets.items():
        setattr(task, name, value)
    task.save(update_fields=["status", "completed_at", *sets])


def _subject(subject: models.Model) -> dict[str, str]:
    return {"subject_type": subject._meta.label_lower, "subject_id": str(subject.pk)}
