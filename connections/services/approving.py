"""Complete the approval task of a connection (veeva-core section 3 rule 5, section 19 no. 17)."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction

from connections.constants import APPROVAL_TASK, BindingState, Verdict
from connections.models import Binding
from connections.peering.protocol import Decision, MessageType
from connections.services import delivering, exchange
from connections.services.refusals import Refused
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can
from vaultadmin.worklist import selectors as worklist_selectors
from vaultadmin.worklist import services as worklist


def approval_refusal(binding: Binding, member: Membership) -> str:
    """Why this member may not decide, in one sentence; empty when they may."""
    if binding.state != BindingState.APPROVING or binding.local_verdict:
        return "This request no longer waits for a decision here."
    if not can(member, Permission.CONNECTION_READ):
        return f"Your security profile does not include “{Permission.CONNECTION_READ.label}”."
    if not can(member, Permission.WORKFLOW_PARTICIPATE):
        return f"Your security profile does not include “{Permission.WORKFLOW_PARTICIPATE.label}”."
    if binding.requested_by.user_id == member.user_id:
        return "You made this request, so somebody else has to decide it."
    return ""


def complete(
    *, binding: Binding, verdict: str, comment: str, seen_version: str, by: Membership, now: datetime
) -> Binding:
    """Decide the request as seen: refused when what would be approved changed since the dialog was opened."""
    with transaction.atomic():
        locked = exchange.lock(binding.pk)
        if locked is None:
            raise Refused("This request is gone.")
        task = worklist_selectors.open_task_for(locked, kind=APPROVAL_TASK)
        if task is None:
            raise Refused(approval_refusal(locked, by) or "This request no longer waits for a decision here.")
        if exchange.version_of(locked) != seen_version:
            raise Refused("What you are asked to approve has changed since you opened it; look at it again.")
        try:
            worklist.complete(task=task, by=by, verdict=verdict, comment=comment, now=now)
        except worklist.VerdictRefused as error:
            raise Refused(str(error)) from error
        decided: Binding = Binding.objects.select_related("connection").get(pk=binding.pk)
    return decided


def decide(*, binding_pk: int, verdict: Verdict, comment: str, by: Membership, now: datetime) -> None:
    """Carry a verdict out, inside the transaction that completes the task, and tell the other vault after it."""
    binding = exchange.lock(binding_pk)
    if binding is None or (refusal := approval_refusal(binding, by)):
        raise worklist.VerdictRefused(refusal if binding else "This request is gone.")
    body = Decision(binding.exchange, by.user.name, now, comment)
    if verdict is Verdict.APPROVE:
        exchange.approve_here(binding, by=by, comment=comment, now=now)
        message = exchange.post(binding, MessageType.APPROVE, body, now=now)
    else:
        exchange.reject_here(binding, by=by, comment=comment, now=now)
        message = exchange.post(binding, MessageType.REJECT, body, now=now)
    transaction.on_commit(partial(delivering.deliver_one, message.pk, now=now), robust=True)
