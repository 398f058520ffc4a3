"""Complete the approval task of a connection (veeva-core section 3 rule 5, section 19 no. 17)."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db import transaction

from connections.constants import APPROVAL_TASK, BindingState, Verdict
from connections.models import Binding
from connections.peering.messages import Decision, MessageType
from connections.selectors.foresight import plan_of
from connections.services.handshake import delivering, exchange
from connections.services.refusals import Refused
from vaultadmin.models import Membership, Signature
from vaultadmin.permissions import Permission, can
from vaultadmin.signing import services as signing
from vaultadmin.together import Asking
from vaultadmin.worklist import selectors as worklist_selectors
from vaultadmin.worklist import services as worklist
from vaultadmin.worklist.holding import Standing, own_requests_allowed

_COMPARE = "Compare the six words with the other side and say so, or reject the request."
# Two names, or three, with the words around them fit a meaning's 255 characters.
_LONGEST_NAME, _NAME_BESIDE_A_THIRD = 80, 64


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


def refusal_now(binding: Binding, member: Membership, *, now: datetime) -> Asking[str]:
    """As `approval_refusal`, and whether the task is somebody else's at the moment."""
    if refusal := approval_refusal(binding, member, now=now):
        return refusal
    task = yield from worklist_selectors.task_about(binding, kind=APPROVAL_TASK)
    return (yield from Standing(member, [task], now=now).asked()).refusal(task) if task else ""


def place_of(binding: Binding, member: Membership, *, now: datetime) -> Membership | None:
    """In whose place this member would decide; None when as themselves."""
    task = worklist_selectors.open_task_for(binding, kind=APPROVAL_TASK)
    return Standing(member, [task], now=now).place(task) if task else None


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
    in_place_of: int | None = None,
    by: Membership,
    now: datetime,
) -> Binding:
    """Decide the request as seen and signed: Changed when what would be approved is not what was on the screen.

    `in_place_of` is the member (id) in whose place the dialog said that the person decides. `words_compared` says that
    the six words were compared with the other side; approving a vault of another installation needs it.
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
            worklist.complete(
                task=task,
                by=member,
                verdict=verdict,
                comment=comment,
                proof=proof,
                in_place_of=in_place_of,
                now=now,
            )
        except worklist.VerdictRefused as error:
            raise Refused(str(error), field="compared" if str(error) == _COMPARE else "") from error
        decided: Binding = Binding.objects.select_related("connection").get(pk=binding.pk)
    return decided


def decide(
    *,
    binding_pk: int,
    verdict: Verdict,
    comment: str,
    proof: signing.Proof | None,
    by: Membership,
    in_place_of: Membership | None,
    now: datetime,
) -> None:
    """Carry a verdict out, inside the transaction that completes the task, and tell the other vault after it.

    What is signed says in whose place, so both vaults show it with the verdict.
    """
    binding = exchange.lock(binding_pk)
    if binding is None or (refusal := approval_refusal(binding, by, now=now)):
        raise worklist.VerdictRefused(refusal if binding else "This request is gone.")
    if verdict is Verdict.APPROVE and binding.joins_installations and not binding.words_compared:
        raise worklist.VerdictRefused(_COMPARE)
    signature = _sign(binding, _meaning(binding, verdict, in_place_of), proof, by, now)
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


def _meaning(binding: Binding, verdict: Verdict, in_place_of: Membership | None) -> str:
    """What the signature stands for, short enough to be kept whole."""
    what = "Approval" if verdict is Verdict.APPROVE else "Rejection"
    longest = _NAME_BESIDE_A_THIRD if in_place_of else _LONGEST_NAME
    peer = f"{binding.peer_name[:longest]} ({binding.peer_vault_id})"
    place = f", for {in_place_of.user.name[:longest]}" if in_place_of else ""
    return f"{what} of connection “{binding.connection.name[:longest]}” with {peer}{place}"


def _sign(binding: Binding, meaning: str, proof: signing.Proof | None, by: Membership, now: datetime) -> Signature:
    if proof is None:
        raise worklist.VerdictRefused("This verdict needs your signature; give it on the connection's page.")
    try:
        return signing.sign(
            subject=binding,
            label=binding.connection.name,
            statement=plan_of(binding),
            meaning=meaning,
            by=by,
            proof=proof,
            now=now,
        )
    except signing.NotProven as error:
        raise worklist.VerdictRefused(str(error)) from error
