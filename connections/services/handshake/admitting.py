"""Take a peer message that came over the network: first believe it, then hand it to `receiving`.

The order, which is also the order of what it costs (security.md section 5 line 5): headers, shape, the key from our own
tables, signature, destination, time, and only then what the message asks. Nothing the caller writes leads to a file or
an address. Whoever is not believed learns nothing: every refusal of identity looks the same outside, and the reason
stands in one row of our own trail.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connections import conf, signed_json
from connections.models import IncomingPeerMessage, IssuedFile
from connections.peering.messages import Connect, Message
from connections.peering.protocol import ProtocolError, read_message
from connections.peering.remote import REQUEST_TYPE
from connections.services.handshake import clocks, files, parties, receiving, security_events
from connections.services.handshake.pinning import exchange_with, last_words, may_introduce, pinned_certificates
from connections.services.handshake.strangers import stand_in
from connections.spark.verifying import SignatureRefused, SignedRequest, read_request
from vaultadmin.models import Installation, Vault


class IdentityRefused(Exception):
    """We do not believe who sent it. The sentence is for our own trail and never leaves."""


class Misdirected(Exception):
    """A message of a peer we know, but not for this vault."""


@dataclass(frozen=True)
class Posted:
    """One POST as it came in: its exact body, its headers, the path it was sent to, and the message the path names."""

    raw: bytes
    headers: Sequence[tuple[str, str]]
    path: str
    name: str


@dataclass(frozen=True)
class Taken:
    """The signed answer, and whether the clocks are why it says no more than that."""

    answer: bytes
    put_off: bool


def take(posted: Posted, *, vault_id: int, now: datetime) -> Taken:
    """Believe one message and act on it; IdentityRefused, after one row in the trail, or Misdirected."""
    vault = Vault.objects.filter(pk=vault_id).first()
    try:
        request, message = _believe(posted, vault, now)
    except (IdentityRefused, SignatureRefused, ProtocolError, signed_json.DocumentRefused) as error:
        security_events.record_refusal(vault=vault, name=posted.name, reason=str(error), now=now)
        raise IdentityRefused(str(error)) from error
    if vault is None or message.recipient != parties.party(vault):
        raise Misdirected
    _note_clock(message, vault, now)
    if _is_out_of_time(request, message, now):
        clocks.tell_refusal(
            vault, message.sender.installation_id, message.sender.vault_id, said=message.sent_at, now=now
        )
        return Taken(receiving.put_off(message, vault=vault, now=now), put_off=True)
    return Taken(receiving.receive(posted.raw, vault_id=vault_id, now=now), put_off=False)


def _believe(posted: Posted, vault: Vault | None, now: datetime) -> tuple[SignedRequest, Message]:
    request = read_request(posted.headers, urls=parties.own_urls(vault.dns if vault else None, posted.path))
    message = read_message(posted.raw)
    _check_envelope(request, message, posted.name)
    if message.sender.installation_id == Installation.current().pk:
        raise IdentityRefused("The message claims to come from this very installation, which never uses the network.")
    pem = _known_certificate(message, vault, now) if vault is not None else None
    # An unknown sender costs a signature check too, so that the time taken does not tell who is known.
    key = signed_json.public_key(signed_json.read_certificate(pem)) if pem else stand_in()
    request.verify(posted.raw, key)
    if pem is None:
        raise IdentityRefused("No certificate of this Vault's peers may speak for this message.")
    return request, message


def _check_envelope(request: SignedRequest, message: Message, name: str) -> None:
    """What the headers, the address and the body say must be the same."""
    said = (request.request_type, request.request_id, request.certificate_id, request.vault_id)
    meant = (REQUEST_TYPE, str(message.message_id), message.certificate_id, message.sender.vault_id)
    if said != meant or name != message.type or request.sent_at.replace(microsecond=0) != message.sent_at:
        raise IdentityRefused("The headers or the address say something else than the message.")


def _known_certificate(message: Message, vault: Vault, now: datetime) -> str | None:
    """The certificate this message must be signed with, from our own tables.

    Whoever connects for the first time brings a certificate along, and has to know the nonce of a file of ours. A peer
    whose record was deleted here is still known by what it was told, so that it hears an answer and not a refusal.
    """
    body = message.body
    if isinstance(body, Connect):
        return body.certificate_pem if _holds_a_file_of_ours(body) and may_introduce(message, body) else None
    if (binding := exchange_with(message, vault)) is not None:
        return pinned_certificates(binding, now=now).get(message.certificate_id)
    told = last_words(message, vault)
    return told.peer_certificates.get(message.certificate_id) if told is not None else None


def _holds_a_file_of_ours(body: Connect) -> bool:
    """Does the sender know the nonce? Ours can be worked out again, so a deleted file is still known as ours."""
    issued = IssuedFile.objects.filter(pk=body.exchange).first()
    kept = bytes(issued.nonce_hash) if issued is not None else files.nonce_hash(files.nonce_of(body.exchange))
    return hmac.compare_digest(kept, files.nonce_hash(body.nonce))


def _note_clock(message: Message, vault: Vault, now: datetime) -> None:
    """A message that came before says nothing about the clock of today."""
    sender = message.sender
    known = IncomingPeerMessage.objects.filter(
        vault=vault,
        peer_installation_id=sender.installation_id,
        peer_vault_id=sender.vault_id,
        message_id=message.message_id,
    )
    if not known.exists():
        clocks.note(sender.installation_id, said=message.sent_at, now=now)


def _is_out_of_time(request: SignedRequest, message: Message, now: datetime) -> bool:
    try:
        request.check_time(now)
    except SignatureRefused:
        return True
    return abs(now - message.sent_at) > conf.peer_clock_tolerance()
