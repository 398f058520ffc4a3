"""Complete the approval task of a connection (veeva-core section 3 rule 5, section 19 no. 17)."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction

from connections.constants import APPROVAL_TASK, BindingState, Verdict
from connections.models import Binding
from connections.peering.protocol import Decision, MessageType
from connections.selectors.foresight import plan_of
from connections.services import delivering, exchange
from connections.services.refusals import Refused
from vaultadmin.models import Membership, Signature
from vaultadmin.permissions import Permission, can
from vaultadmin.signing import services as signing
from vaultadmin.worklist import holding
from vaultadmin.worklist import selectors as worklist_selectors
from vaultadmin.worklist import services as worklist
from vaultadmin.worklist.holding import own_requests_allowed

_COMPARE = "Compare the six words with the other side and say so, or reject the request."
_LONGEST_NAME = 80


class Changed(Refused):
    """What would be approved is not what was looked at; it must be looked at again."""

    def __init__(self) -> None:
        super().__init__("What you are asked to approve has changed since you opened it; look at it again.")


def approval_refusal(binding: Binding, member: Membership, *, now: datetime) -> str:
    """Why this member may not decide, in one sentence; empty when they may."""
    if binding.state == BindingState.LAPSED or (binding.is_open and has_lapsed(binding, now=now)):
        return "This request lapsed because nobody decided in time. Ask for a new connection file."
    if binding.state != BindingState.APPROVING or binding.local_verdict:
        return "This request no longer waits for a decision here."
    if not can(member, Permission.CONNECTION_READ):
        return f"Your security profile does not include “{Permission.CONNECTION_READ.label}”."
    if not can(member, Permission.WORKFLOW_PARTICIPATE):
        return f"Your security profile does not include “{Permission.WORKFLOW_PARTICIPATE.label}”."
    if binding.requested_by.user_id == member.user_id and not own_requests_allowed(binding.connection.vault):
        return "You made this request, so somebody else has to decide it."
    return ""


def refusal_now(binding: Binding, member: Membership, *, now: datetime) -> str:
    """As `approval_refusal`, and whether the task is somebody else's at the moment."""
    if refusal := approval_refusal(binding, member, now=now):
        return refusal
    task = worklist_selectors.open_task_for(binding, kind=APPROVAL_TASK)
    return holding.refusal(task, member) if task else ""


def has_lapsed(binding: Binding, *, now: datetime) -> bool:
    """Is the time to decide over, whether or not the sweep has been here yet?"""
    return binding.lapses_at is not None and now >= binding.lapses_at


def complete(
    *,
    binding: Binding,
    verdict: str,
    comment: str,
    seen_version: str,
    proof: signing.Proof,
    words_compared: bool = False,
    by: Membership,
    now: datetime,
) -> Binding:
    """Decide the request as seen and signed: Changed when what would be approved is not what was on the screen.

    `words_compared` says that the six words were compared with the other side; approving a vault of another
    installation needs it.
    """
    with transaction.atomic():
        locked = exchange.lock(binding.pk)
        if locked is None:
            raise Refused("This request is gone.")
        member = Membership.objects.for_request().get(pk=by.pk)
        task = worklist_selectors.open_task_for(locked, kind=APPROVAL_TASK)
        if task is None or has_lapsed(locked, now=now):
            raise Refused(approval_refusal(locked, member, now=now) or "This request no longer waits here.")
        if exchange.version_of(locked) != seen_version:
            raise Changed
        if words_compared:
            locked.words_compared = True
            locked.save()
        try:
            worklist.complete(task=task, by=member, verdict=verdict, comment=comment, proof=proof, now=now)
        except worklist.VerdictRefused as error:
            raise Refused(str(error), field="compared" if str(error) == _COMPARE else "") from error
        decided: Binding = Binding.objects.select_related("connection").get(pk=binding.pk)
    return decided


def decide(
    *, binding_pk: int, verdict: Verdict, comment: str, proof: signing.Proof | None, by: Membership, now: datetime
) -> None:
    """Carry a verdict out, inside the transaction that completes the task, and tell the other vault after it."""
    binding = exchange.lock(binding_pk)
    if binding is None or (refusal := approval_refusal(binding, by, now=now)):
        raise worklist.VerdictRefused(refusal if binding else "This request is gone.")
    if verdict is Verdict.APPROVE and binding.joins_installations and not binding.words_compared:
        raise worklist.VerdictRefused(_COMPARE)
    signature = _sign(binding, verdict, proof, by, now)
    body = Decision(
        binding.exchange,
        signature.signer_name,
        now,
        comment,
        meaning=signature.meaning,
        method=signature.get_method_display(),
    )
    if verdict is Verdict.APPROVE:
        exchange.approve_here(binding, by=by, comment=comment, signature=signature, now=now)
        message = exchange.post(binding, MessageType.APPROVE, body, now=now)
    else:
        exchange.reject_here(binding, by=by, comment=comment, signature=signature, now=now)
        message = exchange.post(binding, MessageType.REJECT, body, now=now)
    transaction.on_commit(partial(delivering.deliver_one, message.pk, now=now), robust=True)


def _sign(binding: Binding, verdict: Verdict, proof: signing.Proof | None, by: Membership, now: datetime) -> Signature:
    if proof is None:
        raise worklist.VerdictRefused("This verdict needs your signature; give it on the connection's page.")
    connection = binding.connection
    what = "Approval" if verdict is Verdict.APPROVE else "Rejection"
    peer = f"{binding.peer_name[:_LONGEST_NAME]} ({binding.peer_vault_id})"
    try:
        return signing.sign(
            subject=binding,
            label=connection.name,
            statement=plan_of(binding),
            meaning=f"{what} of connection “{connection.name[:_LONGEST_NAME]}” with {peer}",
            by=by,
            proof=proof,
            now=now,
        )
    except signing.NotProven as error:
        raise worklist.VerdictRefused(str(error)) from error
