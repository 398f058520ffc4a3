"""Send peer messages from their rows: claim, talk, settle. No transaction is open while the carrier talks."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.db.models import F

from connections.constants import BindingState
from connections.models import Binding, OutgoingPeerMessage
from connections.peering import carriers
from connections.peering.errors import CarrierError
from connections.peering.messages import Answer, MessageType, Outcome, Refusal
from connections.peering.protocol import ProtocolError, read_answer, write_message
from connections.services.handshake import announcing, clocks, exchange, parties, routes
from connections.services.signing import certificates
from connections.spark.signing import Signer
from vaultadmin import claims, place

LEASE = timedelta(seconds=60)
# So few that all of them, each waiting as long as a carrier may, are through before the lease ends.
BATCH = 6
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=10)

SENTENCES = {
    Refusal.FILE_UNKNOWN: "The Vault that issued this file no longer knows it: its connection was deleted or reset. "
    "Ask for a new file.",
    Refusal.FILE_USED: "This connection file was already used; it works only once. Ask for a new file.",
    Refusal.FILE_EXPIRED: "This connection file has expired. Ask for a new file.",
    Refusal.FILE_REVOKED: "This connection file was revoked, or a newer one was downloaded. Ask for the newest file.",
    Refusal.WRONG_VAULT: "This connection file was made for another Vault.",
    Refusal.NOT_READY: "The connection in the other Vault is not waiting to be established. "
    "Ask for a new file once it is Pending.",
    Refusal.EXCHANGE_UNKNOWN: "The other Vault no longer knows this request. Start again with a new file.",
    Refusal.ADDRESS: "The other Vault cannot call this one back: the address this installation gives out is none it "
    "may call. Ask your operator to set VAULTADMIN_PUBLIC_URL.",
    Refusal.UNTRUSTED: "The other Vault did not recognise this Vault. Start again with a new file.",
}


@dataclass(frozen=True)
class Delivery:
    """What became of one try: an outcome, or none yet (the row tries again by itself)."""

    outcome: Outcome | None
    sentence: str = ""


def deliver_due(*, now: datetime, limit: int = 200) -> int:
    """Send what is due, oldest first, at most `limit` messages; returns how many were tried.

    A host that is silent is waited for once: the other messages for it are put off with the first.
    """
    if place.held():
        return 0
    tried, silent = 0, dict[str, CarrierError]()
    while tried < limit:
        claim = _claim(OutgoingPeerMessage.objects.due(now), now, limit=BATCH)
        for pk in claim.ids:
            _deliver(pk, claim.token, now, silent)
        tried += len(claim.ids)
        if not claim:
            break
    return tried


def deliver_one(pk: int, *, now: datetime) -> Delivery:
    """Try one message at once, inside the request of the person who caused it."""
    if place.held():
        return Delivery(None, place.HELD)
    claim = _claim(OutgoingPeerMessage.objects.due(now).filter(pk=pk), now, limit=1)
    return _deliver(pk, claim.token, now, {}) if claim else Delivery(None)


def _claim(due: object, now: datetime, *, limit: int) -> claims.Claim:
    return claims.claim(due, limit=limit, lease=LEASE, now=now, attempts=F("attempts") + 1)  # type: ignore[arg-type]


def _deliver(pk: int, token: UUID, now: datetime, silent: dict[str, CarrierError]) -> Delivery:
    row = OutgoingPeerMessage.objects.select_related(
        "vault", "signing_certificate", "binding__own_certificate", "binding__connection__signing_certificate"
    ).get(pk=pk)
    host = urlsplit(row.peer_url).netloc
    try:
        if host in silent:
            raise silent[host]
        answer = _talk(row, now)
    except CarrierError as error:
        if error.silence:
            silent[host] = error
        return _try_again(row, token, now, str(error), asked_to_wait=error.retry_after)
    except ProtocolError as error:
        return _try_again(row, token, now, str(error))
    clocks.note(answer.sender.installation_id, said=answer.sent_at, now=now)
    if answer.outcome is Outcome.LATER:
        return _try_again(row, token, now, "The clocks of the two Vaults differ by more than five minutes.")
    with transaction.atomic():
        # The connection first, as everywhere; the lease then says whether this answer is still ours to write.
        binding = exchange.lock(row.binding_id) if row.binding_id is not None else None
        ours = claims.settle(
            OutgoingPeerMessage.objects.filter(pk=pk),
            token=token,
            settled_at=now,
            outcome=answer.outcome,
            last_error="",
        )
        if binding is not None and ours:
            _apply(binding, row, answer, now)
    return Delivery(answer.outcome, SENTENCES.get(answer.code, ""))


def _talk(row: OutgoingPeerMessage, now: datetime) -> Answer:
    route = routes.of(row, now=now)
    me = parties.party(route.vault)
    signer = Signer(route.certificate.certificate_id, certificates.private_key(route.certificate))
    raw = write_message(
        row.type,
        row.message_id,
        row.body,
        sender=me,
        recipient=route.peer,
        certificate_id=signer.certificate_id,
        sent_at=now,
        key=signer.key,
    )
    reply = carriers.carrier_for(route.peer).deliver(raw, to=route.peer, url=route.url, signer=signer, now=now)
    answer = read_answer(reply, pinned=route.pinned)
    if (answer.message_id, answer.sender, answer.recipient) != (row.message_id, route.peer, me):
        raise ProtocolError("The answer belongs to another message.")
    return answer


def _try_again(
    row: OutgoingPeerMessage, token: UUID, now: datetime, error: str, *, asked_to_wait: timedelta = timedelta(0)
) -> Delivery:
    """The row stays due, later each time. What the peer asks for only delays, it never shortens or ends the trying."""
    wait = min(FIRST_WAIT * 2 ** min(row.attempts - 1, 10), LONGEST_WAIT) * random.uniform(0.9, 1.1)
    due_at = now + max(wait, asked_to_wait)
    claims.settle(OutgoingPeerMessage.objects.filter(pk=row.pk), token=token, due_at=due_at, last_error=error[:255])
    return Delivery(None, error)


def _apply(binding: Binding, row: OutgoingPeerMessage, answer: Answer, now: datetime) -> None:
    """Carry out what the answer means for this side."""
    if row.type == MessageType.CERTIFICATE:
        announcing.answered(row.message_id, accepted=answer.outcome is Outcome.ACCEPTED, now=now)
    if answer.outcome is Outcome.REFUSED:
        _apply_refusal(binding, row, answer, now)
        return
    if row.type == MessageType.CONNECT and binding.state == BindingState.PROPOSED:
        by = exchange.peer_actor(binding)
        if binding.needs_approval:
            exchange.accept(binding, by=by, now=now)
        else:
            exchange.establish(binding, by=by, now=now)
    if answer.view is not None:
        exchange.apply_view(binding, answer.view, now=now)


def _apply_refusal(binding: Binding, row: OutgoingPeerMessage, answer: Answer, now: datetime) -> None:
    if not binding.is_open:
        return
    refused = binding.state == BindingState.PROPOSED and row.type == MessageType.CONNECT
    state = BindingState.REFUSED if refused else BindingState.WITHDRAWN
    sentence = SENTENCES.get(answer.code, "")
    exchange.close(binding, state, by=exchange.peer_actor(binding), who=binding.peer_name, reason=sentence, now=now)
