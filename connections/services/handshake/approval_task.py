"""What an approval task means to the work list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import CharField
from django.db.models.functions import Cast
from django.urls import reverse

from connections.constants import APPROVAL_TASK, Verdict
from connections.models import Binding
from connections.services.handshake import approving, exchange
from vaultadmin import clock
from vaultadmin.models import Membership, Task
from vaultadmin.permissions import Permission
from vaultadmin.signing.services import Proof
from vaultadmin.together import Asking
from vaultadmin.worklist.registry import Hand, Shown

_GONE = "The connection is gone."


class ApprovalTaskHandler:
    """The meaning of `connection.approval`: its subject is a binding."""

    needs: tuple[Permission, ...] = (Permission.CONNECTION_READ, Permission.WORKFLOW_PARTICIPATE)

    def lock(self, task: Task) -> None:
        """Lock the connection and its binding."""
        exchange.lock(int(task.subject_id))

    def verdicts(self, task: Task) -> list[tuple[str, str]]:
        """Approve and Reject."""
        return [(verdict.value, str(verdict.label)) for verdict in Verdict]

    def refusal(self, task: Task, member: Membership) -> str:
        """Why this member may not complete the task; empty when they may."""
        binding = _bindings([task]).get(task.subject_id)
        return approving.approval_refusal(binding, member, now=clock.now()) if binding else _GONE

    def hands_elsewhere(self, tasks: Sequence[Task]) -> Asking[dict[int, set[Hand]]]:
        """Who asked for or decided the same exchange in the other vault, where that one is here, too."""
        return _hands_elsewhere(tasks)

    def complete(
        self, task: Task, *, by: Membership, verdict: str, comment: str, proof: Proof | None, now: datetime
    ) -> None:
        """Carry the verdict out, signed."""
        approving.decide(
            binding_pk=int(task.subject_id),
            verdict=Verdict(verdict),
            comment=comment,
            proof=proof,
            by=by,
            in_place_of=task.completed_for,
            now=now,
        )

    def shown(self, tasks: Sequence[Task], member: Membership) -> dict[int, Shown]:
        """The record and the dialog of each task, or the list where the record has gone."""
        bindings, now = _bindings(tasks), clock.now()
        return {task.pk: _shown(task, bindings.get(task.subject_id), member, now) for task in tasks}


def _shown(task: Task, binding: Binding | None, member: Membership, now: datetime) -> Shown:
    if binding is None:
        return Shown(reverse("connections:list", args=[task.vault_id]), "", _GONE)
    name = [task.vault_id, binding.connection.api_name]
    refusal = approving.approval_refusal(binding, member, now=now)
    return Shown(reverse("connections:record", args=name), reverse("connections:complete", args=name), refusal)


def _bindings(tasks: Sequence[Task]) -> dict[str, Binding]:
    vaults = {task.vault_id for task in tasks}
    found = Binding.objects.filter(pk__in=[task.subject_id for task in tasks], connection__vault__in=vaults)
    return {str(row.pk): row for row in found.select_related("connection__vault", "requested_by")}


def _hands_elsewhere(tasks: Sequence[Task]) -> Asking[dict[int, set[Hand]]]:
    """Across vaults on purpose: the two vaults' verdicts are meant to be given by two people."""
    numbers = {int(task.subject_id): task.pk for task in tasks}
    asked = Binding.objects.filter(pk__in=numbers)
    twins = Binding.objects.filter(exchange__in=asked.order_by().values("exchange")).exclude(pk__in=numbers)
    subjects = twins.order_by().values(text=Cast("pk", CharField()))
    decided = Task.objects.filter(kind=APPROVAL_TASK, subject_id__in=subjects, completed_by__isnull=False)
    exchanges, others, verdicts = yield (
        asked.values_list("exchange", "pk"),
        twins.values_list("pk", "exchange", "requested_by__user"),
        decided.filter(subject_type=Binding._meta.label_lower).values_list(
            "subject_id", "completed_by__user", "completed_for"
        ),
    )
    ours = dict(exchanges)
    task_of: dict[str, int] = {}
    found: dict[int, set[Hand]] = {}
    for pk, same, asked_by in others:
        task_of[str(pk)] = number = numbers[ours[same]]
        found.setdefault(number, set()).add(Hand(asked_by))
    for pk, user, place in verdicts:
        found[task_of[pk]].add(Hand(user, in_place=place is not None))
    return found
