"""What an approval task means to the work list."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from connections.constants import Verdict
from connections.models import Binding
from connections.services import approving, exchange
from vaultadmin.models import Membership, Task


class ApprovalTaskHandler:
    """The meaning of `connection.approval`: its subject is a binding."""

    def lock(self, task: Task) -> None:
        """Lock the connection and its binding."""
        exchange.lock(int(task.subject_id))

    def verdicts(self, task: Task) -> list[tuple[str, str]]:
        """Approve and Reject."""
        return [(verdict.value, str(verdict.label)) for verdict in Verdict]

    def refusal(self, task: Task, member: Membership) -> str:
        """Why this member may not complete the task; empty when they may."""
        binding = _binding(task)
        return approving.approval_refusal(binding, member) if binding else "The connection is gone."

    def complete(self, task: Task, *, by: Membership, verdict: str, comment: str, now: datetime) -> None:
        """Carry the verdict out."""
        approving.decide(binding_pk=int(task.subject_id), verdict=Verdict(verdict), comment=comment, by=by, now=now)

    def url(self, task: Task) -> str:
        """The record the task is about."""
        binding = _binding(task)
        if binding is None:
            return reverse("connections:list", args=[task.vault_id])
        return reverse("connections:record", args=[task.vault_id, binding.connection.api_name])

    def dialog(self, task: Task) -> str:
        """*Complete task* on the record, which shows what approving connects and refuses what has changed since."""
        binding = _binding(task)
        if binding is None:
            return reverse("connections:list", args=[task.vault_id])
        return reverse("connections:complete", args=[task.vault_id, binding.connection.api_name])


def _binding(task: Task) -> Binding | None:
    found = Binding.objects.filter(pk=task.subject_id, connection__vault=task.vault_id)
    binding: Binding | None = found.select_related("connection", "requested_by").first()
    return binding
