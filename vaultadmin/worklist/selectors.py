"""What an inbox shows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.expressions import BaseExpression
from django.db.models.functions import Coalesce

from vaultadmin import clock
from vaultadmin.models import Delegation, Membership, Signature
from vaultadmin.models.task import OPEN, Task, TaskStatus
from vaultadmin.standing import standing
from vaultadmin.together import Asking, answer, rows_of, together
from vaultadmin.worklist import holding
from vaultadmin.worklist.holding import Standing, own_requests_allowed
from vaultadmin.worklist.registry import Shown, handler_for, kinds_for, missing_for

_ASSIGNEE = ("assigned_to__user", "assigned_to__profile")


@dataclass(frozen=True)
class InboxRow:
    """A task as one member sees it, with the signature the verdict was given with."""

    task: Task
    shown: Shown
    signature: Signature | None = None
    held_by: Membership | None = None
    member: Membership | None = None
    # Under which delegation this member decides the task, when it is assigned to somebody who lent them theirs.
    delegation: Delegation | None = None
    # Whether this member may give the task to somebody, and whether they may take it themselves.
    may_assign: bool = False
    may_take: bool = False


def inbox(member: Membership) -> QuerySet[Task]:
    """Open tasks of the vault that this member may decide, oldest first: not their own requests, nor other people's."""
    return _for_people(member).exclude(pk__in=_held_by_others(member))


def waiting(member: Membership) -> int:
    """How many tasks the inbox holds: one query unless somebody else was given a task."""
    rows = _for_people(member).order_by()
    counted = rows.aggregate(every=models.Count("pk"), others=models.Count("pk", filter=_given_to_others(member.pk)))
    return _without_held(member, counted["every"], counted["others"])


def waiting_for(member: Membership) -> tuple[tuple[tuple[str, ...], bool], dict[str, int]]:
    """What `waiting_parts` takes of a member: the kinds of task they decide and whether their own, and who they are."""
    shape = tuple(kinds_for(member)), own_requests_allowed(member.vault)
    return shape, {"vault": member.vault_id, "user": member.user_id, "member": member.pk}


def waiting_parts(
    kinds: tuple[str, ...], own: bool, *, vault: Any, user: Any, member: Any
) -> dict[str, BaseExpression]:
    """`waiting` as parts of a question about something else, for every page asks; its row answers `waiting_of`."""
    rows = _open_tasks(kinds, own, vault=vault, user=user).order_by()
    return {"tasks": _number(rows), "tasks_given": _number(rows.filter(_given_to_others(member)))}


def waiting_of(row: Any, member: Membership) -> int:
    """How many tasks the inbox holds, from a row that was asked for with `waiting_parts`."""
    return _without_held(member, row.tasks, row.tasks_given)


def _given_to_others(member: Any) -> Q:
    return Q(status=TaskStatus.ASSIGNED) & ~Q(assigned_to=member)


def _number(rows: QuerySet[Task]) -> Coalesce:
    # All of them are of one vault: grouped by it there is one count, or no row.
    return Coalesce(models.Subquery(rows.values("vault").annotate(number=models.Count("pk")).values("number")), 0)


def _without_held(member: Membership, every: int, given: int) -> int:
    return every - (len(_held_by_others(member)) if given else 0)


def with_others(member: Membership) -> QuerySet[Task]:
    """Open tasks that are assigned to somebody else, oldest first; this member may reassign them."""
    return _for_people(member).filter(pk__in=_held_by_others(member))


def find(member: Membership, pk: int) -> Task | None:
    """A task of the member's vault."""
    return Task.objects.filter(vault=member.vault_id, pk=pk).select_related("vault", *_ASSIGNEE).first()


def requested_by(member: Membership) -> QuerySet[Task]:
    """Tasks this member asked for, waiting first, then the newest."""
    mine = Task.objects.filter(vault=member.vault_id, requested_by__user=member.user_id)
    first = models.Case(models.When(status__in=OPEN, then=0), default=1)
    return mine.select_related("completed_by__user", "completed_for__user", *_ASSIGNEE).order_by(
        first, "-created_at", "-pk"
    )


def done(member: Membership) -> QuerySet[Task]:
    """What this member decided, or somebody else in their place, newest first."""
    by_them = Q(completed_by__user=member.user_id) | Q(completed_for__user=member.user_id)
    decided = Task.objects.filter(by_them, vault=member.vault_id, status=TaskStatus.COMPLETED)
    people = ("requested_by__user", "completed_by__user", "completed_for__user")
    return decided.select_related(*people).order_by("-completed_at", "-pk")


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
    standing = Standing(member, found, now=clock.now())
    return [_row(task, shown[task.pk], signatures.get(task.pk), member, standing) for task in found]


def open_task_for(subject: models.Model, *, kind: str) -> Task | None:
    """The open task of a kind about a record, if any."""
    return answer(task_about(subject, kind=kind))


def task_about(subject: models.Model, *, kind: str) -> Asking[Task | None]:
    """The same, asked together with other questions of a page."""
    found = Task.objects.open().filter(kind=kind, subject_type=subject._meta.label_lower, subject_id=str(subject.pk))
    whole = found.select_related("requested_by__user", "vault", *_ASSIGNEE)
    (rows,) = yield (whole.order_by("pk")[:1],)
    return next(iter(rows), None)


def _for_people(member: Membership) -> QuerySet[Task]:
    own = own_requests_allowed(member.vault)
    return _open_tasks(tuple(kinds_for(member)), own, vault=member.vault_id, user=member.user_id)


def _open_tasks(kinds: tuple[str, ...], own: bool, *, vault: Any, user: Any) -> QuerySet[Task]:
    """Open tasks of these kinds in a vault; only with `own` those this person asked for, too."""
    if not kinds:
        return Task.objects.none()
    waiting = Task.objects.open().filter(vault=vault, kind__in=kinds)
    if not own:
        waiting = waiting.exclude(requested_by__user=user)
    return waiting.select_related("requested_by__user", "vault", *_ASSIGNEE).order_by("created_at", "pk")


def _held_by_others(member: Membership) -> list[int]:
    """Tasks of others, who did not lend theirs. An assignee who may not decide any more holds nothing."""
    now, (shape, values) = clock.now(), waiting_for(member)
    found, lent = answer(together([rows_of(_assigned(*shape, **values)), rows_of(holding.lent_to(member, now=now))]))
    standing = Standing(member, found, now=now, lent=lent)
    return [task.pk for task in found if standing.is_kept_from(task)]


@standing
def _assigned(kinds: tuple[str, ...], own: bool, *, vault: Any, user: Any, member: Any) -> QuerySet[Task]:
    """Open tasks that somebody else was given."""
    tasks = _open_tasks(kinds, own, vault=vault, user=user)
    return tasks.filter(status=TaskStatus.ASSIGNED).exclude(assigned_to=member)


def _row(task: Task, shown: Shown, signature: Signature | None, member: Membership, standing: Standing) -> InboxRow:
    if not task.is_open:
        return InboxRow(task, shown, signature)
    held_by = holding.holder(task)
    may_assign = missing_for(task, member) is None
    own = held_by is not None and held_by.pk == member.pk
    may_take = may_assign and not own and not holding.assignee_refusal(task, member)
    shown = replace(shown, refusal=shown.refusal or standing.refusal(task))
    return InboxRow(task, shown, signature, held_by, member, standing.delegation(task), may_assign, may_take)


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
