"""What an approval task means to the work list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse

from connections.constants import Verdict
from connections.models import Binding
from connections.services import approving, exchange
from vaultadmin import clock
from vaultadmin.models import Membership, Task
from vaultadmin.permissions import Permission
from vaultadmin.signing.services import Proof
from vaultadmin.worklist.registry import Shown

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

    def complete(
        self, task: Task, *, by: Membership, verdict: str, comment: str, proof: Proof | None, now: datetime
    ) -> None:
        """Carry the verdict out, signed."""
        approving.decide(
            binding_pk=int(task.subject_id), verdict=Verdict(verdict), comment=comment, proof=proof, by=by, now=now
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
