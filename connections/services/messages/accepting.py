"""Take a Spark message for an inbound queue: believe it, judge it, store it once (veeva-core section 6.4).

The order is that of what it costs: headers, the keys from our own tables, signature over the raw bytes, time, body,
connection and queue. Whoever is not believed learns nothing, and a message that came before is accepted again without
a second effect. Nearly every message is a new one of a sender that is known: for those there is a short way, which
judges the same and leaves to the long one whatever is not plain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import rsa

from connections import signed_json
from connections.models import IncomingMessage
from connections.services.handshake import clocks, parties, security_events
from connections.services.handshake.pinning import is_valid
from connections.services.handshake.strangers import stand_in
from connections.services.messages import regulars, senders, storing
from connections.services.messages.senders import Sender
from connections.spark import receipts
from connections.spark.envelope import SPARK_MESSAGE
from connections.spark.message import CAPACITY, MAX_ITEM_LENGTH
from connections.spark.reading import BodyRefused, Received, read_body
from connections.spark.verifying import SignatureRefused, SignedRequest, read_request
from vaultadmin import wake
from vaultadmin.models import Vault

LANE = "connections.process"


class IdentityRefused(Exception):
    """We do not believe who sent it. The sentence is for our own trail and never leaves."""


class NotTaken(Exception):
    """The sender is who it says, but the message cannot be taken; one sentence the sender may read.

    `status` is how HTTP says it; 503 asks to send it again without anybody doing anything.
    """

    def __init__(self, sentence: str, *, status: int = 403) -> None:
        super().__init__(sentence)
        self.status = status


class IdTaken(NotTaken):
    """A peer used one message id for two messages."""

    def __init__(self) -> None:
        super().__init__("Another message came with this message id before.", status=409)


@dataclass(frozen=True)
class Posted:
    """One POST as it came in: exact body, headers, and the path it was sent to."""

    raw: bytes
    headers: Sequence[tuple[str, str]]
    path: str


def accept_as_before(posted: Posted, *, vault_id: int, queue_name: str, now: datetime) -> bool:
    """Store a new message of a sender this process has believed before, at the cost of one statement.

    False when nothing was stored, for whatever reason: then `accept` says what becomes of the message.
    """
    door = regulars.door(vault_id, queue_name)
    if door is None:
        return False
    try:
        request = read_request(posted.headers, urls=parties.own_urls(door.dns, posted.path))
        regular = door.regulars.get((request.vault_id, request.certificate_id))
        # The time taken does not tell who is known: see `_believe`.
        request.verify(posted.raw, regular.key if regular is not None else stand_in())
        if regular is None or request.request_type != SPARK_MESSAGE or not is_valid(regular.certificate, now):
            return False
        request.check_time(now)
        received = _read(request, posted.raw)
    except (SignatureRefused, BodyRefused):
        return False
    values = regular.values | _values(posted.raw, received, now)
    if not storing.store_as_remembered(values | {"capacity": CAPACITY}):
        return False
    wake.wake(LANE)
    return True


def accept(posted: Posted, *, vault: Vault | None, queue_name: str, now: datetime) -> bool:
    """Store a message for a queue; False when it was stored before. IdentityRefused or NotTaken when it cannot be."""
    try:
        request, sender = _believe(posted, vault, queue_name, now)
        received = _read(request, posted.raw)
    except (IdentityRefused, SignatureRefused, BodyRefused) as error:
        _remember(vault, queue_name, str(error), now)
        raise IdentityRefused(str(error)) from error
    if vault is None:
        raise IdentityRefused("There is no such Vault.")
    try:
        is_new = _store(posted.raw, received, request, sender, vault=vault, now=now)
    except IdTaken as error:
        _remember(vault, queue_name, f"{error} It came from Vault {sender.peer_vault_id}.", now)
        raise
    regulars.remember(sender, certificate_id=request.certificate_id, vault=vault, queue_name=queue_name)
    return is_new


def _store(
    raw: bytes, received: Received, request: SignedRequest, sender: Sender, *, vault: Vault, now: datetime
) -> bool:
    """Put a believed message into its queue, once by connection and message id."""
    place: dict[str, Any] = {
        "vault": vault.pk,
        "queue": _queue(sender),
        "connection": sender.connection,
        "remote_vault": sender.peer_vault_id,
        "certificate": request.certificate_id,
    }
    if not storing.store(place | _values(raw, received, now)):
        _compare(received, sender.connection, now)
        return False
    wake.wake(LANE)
    return True


def _values(raw: bytes, received: Received, now: datetime) -> dict[str, Any]:
    """What the row says of the message itself."""
    return {
        "message": received.message_id,
        "body": raw.decode(),
        "keys": _keys(received),
        "remote_queue": received.queue_name,
        "is_receipt": receipts.is_receipt(received.attributes),
        "now": now,
    }


def _queue(sender: Sender) -> int:
    """The queue a message of this sender goes to, or NotTaken."""
    if not sender.is_active:
        raise NotTaken("The connection is not Active here.")
    if sender.queue is None:
        raise NotTaken("No inbound queue of this name takes messages of this connection.")
    if not sender.queue_is_active:
        raise NotTaken("The queue is Inactive and takes no new messages.")
    if sender.waiting >= CAPACITY:
        raise NotTaken("The queue is full.", status=503)
    return sender.queue


def _remember(vault: Vault | None, queue_name: str, reason: str, now: datetime) -> None:
    security_events.record_refusal(
        vault=vault, name=queue_name, reason=reason, now=now, event=security_events.MESSAGE_REFUSED
    )


def _compare(received: Received, connection: int, now: datetime) -> None:
    """A message that comes again says the same, but for its times and what its tokens stand for now."""
    kept = IncomingMessage.objects.get(connection=connection, message_id=received.message_id)
    if kept.body_removed_at is not None:
        return
    before = read_body(kept.body.encode())
    if (before.items, set(before.attributes)) != (received.items, set(received.attributes)):
        raise IdTaken


def _believe(posted: Posted, vault: Vault | None, queue_name: str, now: datetime) -> tuple[SignedRequest, Sender]:
    request = read_request(posted.headers, urls=parties.own_urls(vault.dns if vault else None, posted.path))
    if request.request_type != SPARK_MESSAGE:
        raise IdentityRefused("The request is no Spark message.")
    candidates = list(_candidates(request, vault, queue_name, now)) if vault is not None else []
    if not candidates:
        # An unknown sender costs a signature check too, so that the time taken does not tell who is known.
        with suppress(SignatureRefused):
            request.verify(posted.raw, stand_in())
        raise IdentityRefused("No certificate of this Vault's peers may speak for this message.")
    refusal: SignatureRefused | None = None
    for sender in candidates:
        try:
            request.verify(posted.raw, _public_key(sender.pem))
        except SignatureRefused as error:
            refusal = error
        else:
            _check_time(request, sender, vault, now)
            return request, sender
    raise refusal or SignatureRefused("The signature does not fit the request.")


def _candidates(request: SignedRequest, vault: Vault, queue_name: str, now: datetime) -> Iterator[Sender]:
    return senders.known(
        vault=vault,
        peer_vault_id=request.vault_id,
        certificate_id=request.certificate_id,
        queue_name=queue_name,
        now=now,
    )


def _check_time(request: SignedRequest, sender: Sender, vault: Vault | None, now: datetime) -> None:
    """Signed now, give or take. Operators hear of a peer's wrong clock, but not because old words are repeated."""
    try:
        request.check_time(now)
    except SignatureRefused:
        if vault is not None and not _came_before(request, sender):
            peer = sender.peer_installation_id
            clocks.note(peer, said=request.sent_at, now=now)
            clocks.tell_refusal(vault, peer, sender.peer_vault_id, said=request.sent_at, now=now)
        raise


def _came_before(request: SignedRequest, sender: Sender) -> bool:
    try:
        message_id = UUID(request.request_id)
    except ValueError:
        return False
    return IncomingMessage.objects.filter(connection=sender.connection, message_id=message_id).exists()


@lru_cache(maxsize=1024)
def _public_key(pem: str) -> rsa.RSAPublicKey:
    """Parsed once a process: the text itself is the key of the cache, so a changed one is never met."""
    return signed_json.public_key(signed_json.read_certificate(pem))


def _read(request: SignedRequest, raw: bytes) -> Received:
    received = read_body(raw)
    if str(received.message_id) != request.request_id:
        raise BodyRefused("The message id of the body is not the one that was signed.")
    return received


def _keys(received: Received) -> list[str]:
    texts = [value for value in received.attributes.values() if isinstance(value, str)]
    return list(dict.fromkeys(text for text in (*received.items, *texts) if 0 < len(text) <= MAX_ITEM_LENGTH))
