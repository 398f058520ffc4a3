"""Who holds a task: its assignee for as long as they may decide it, otherwise everybody who may."""

from __future__ import annotations

from vaultadmin.models import Membership, Vault, VaultSettings
from vaultadmin.models.task import Task
from vaultadmin.permissions import can
from vaultadmin.worklist.registry import handler_for


def own_requests_allowed(vault: Vault) -> bool:
    """May a requester decide their own request here? Only in a sandbox, and only where its settings say so."""
    return vault.is_sandbox and VaultSettings.of(vault).own_requests


def holder(task: Task) -> Membership | None:
    """The assignee, unless they may not decide the task any more; None means that it is available to everybody."""
    member = task.assigned_to
    if not task.is_open or member is None or assignee_refusal(task, member):
        return None
    return member


def refusal(task: Task, member: Membership) -> str:
    """Why the task is somebody else's to decide, in one sentence; empty when this member may decide it."""
    held_by = holder(task)
    if held_by is None or held_by.pk == member.pk:
        return ""
    return f"Assigned to {held_by}. Reassign it on the page Tasks if somebody else has to decide."


def assignee_refusal(task: Task, member: Membership) -> str:
    """Why the task cannot be given to this member, in one sentence; empty when it can."""
    if member.vault_id != task.vault_id:
        return "A task can only be assigned to a member of its own Vault."
    if member.user.is_system:
        return f"{member} is an account of the product itself and decides nothing."
    missing = [permission for permission in handler_for(task).needs if not can(member, permission)]
    if missing:
        return f"{member} is not active here, or their security profile does not include “{missing[0].label}”."
    requester = task.requested_by
    if requester and requester.user_id == member.user_id and not own_requests_allowed(task.vault):
        return f"{member} made this request, so somebody else has to decide it."
    return ""


def candidates(task: Task) -> list[Membership]:
    """Everybody the task can be given to, by name."""
    members = Membership.objects.for_request().filter(vault=task.vault_id, is_active=True, user__is_active=True)
    return [member for member in members if not assignee_refusal(task, member)]
