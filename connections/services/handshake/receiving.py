"""Take a message from another vault: judge it, act once, answer signed.

The checks, in order: shape; addressed to this vault; clocks agree; the key belongs to who it claims to be; seen
before; then what the message type asks. A message that was judged by its content is remembered with its outcome, so
that the same message again, however often and late, has no second effect and gets the same outcome.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from connections import conf, signed_json
from connections.constants import BindingState, ConnectionState, Side
from connections.models import Binding, Connection, IncomingPeerMessage, IssuedFile, SigningCertificate
from connections.peering.addresses import AddressRefused, check_peering_url
from connections.peering.messages import (
    CertificateNotice,
    Connect,
    Decision,
    Message,
    MessageType,
    Outcome,
    Party,
    Refusal,
)
from connections.peering.protocol import ProtocolError, read_message, verify, verify_pinned, write_answer
from connections.services.handshake import exchange, files, parting
from connections.services.handshake.learning import learn
from connections.services.handshake.pinning import exchange_with, last_words, may_introduce, pinned_certificates
from connections.services.signing import certificates, own_certificates
from vaultadmin import audit
from vaultadmin.models import Installation, Vault
from vaultadmin.strict_json import canonical


@dataclass(frozen=True)
class _Result:
    outcome: Outcome
    code: Refusal = Refusal.NONE
    binding: Binding | None = None


_ACCEPTED = Outcome.ACCEPTED


def receive(raw: bytes, *, vault_id: int, now: datetime) -> bytes:
    """Take one message for a vault and return the signed answer; ProtocolError when the bytes are no message."""
    message = read_message(raw)
    vault = Vault.objects.filter(pk=vault_id).first()
    if vault is None or message.recipient != Party(Installation.current().pk, vault_id):
        return _answer(message, _Result(Outcome.REFUSED, Refusal.EXCHANGE_UNKNOWN), vault, now)
    if abs(now - message.sent_at) > conf.peer_clock_tolerance():
        return put_off(message, vault=vault, now=now)
    with transaction.atomic():
        result = (
            _connect(message, message.body, vault, now)
            if isinstance(message.body, Connect)
            else _of_a_peer(message, message.body, vault, now)
        )
    return _answer(message, result, vault, now)


def put_off(message: Message, *, vault: Vault, now: datetime) -> bytes:
    """The signed answer to a message whose time is too far from ours: not now, and why."""
    return _answer(message, _Result(Outcome.LATER, Refusal.CLOCK, exchange_with(message, vault)), vault, now)


def _connect(message: Message, body: Connect, vault: Vault, now: datetime) -> _Result:
    """Source side: somebody holds a file of ours and tells us who they are."""
    certificate = signed_json.read_certificate(body.certificate_pem)
    if not may_introduce(message, body) or not _is_signed(message, certificate):
        return _Result(Outcome.REFUSED, Refusal.UNTRUSTED)
    issued = IssuedFile.objects.filter(pk=body.exchange, connection__vault=vault).first()
    connection = exchange.lock_connection(issued.connection_id) if issued else None
    if issued is None or connection is None:
        return _Result(Outcome.REFUSED, Refusal.FILE_UNKNOWN)
    issued = IssuedFile.objects.select_for_update().get(pk=issued.pk)
    if not _holds_the_file(issued, body):
        return _Result(Outcome.REFUSED, Refusal.FILE_UNKNOWN)
    if seen := _seen(message, vault):
        return seen
    code = _connect_refusal(issued, connection, message.sender, now) or _address_refusal(message.sender, body)
    if code:
        return _remember(message, vault, _Result(Outcome.REFUSED, code), now)
    binding = _bind(issued, connection, message, body, now)
    return _remember(message, vault, _Result(_ACCEPTED, binding=binding), now)


def _is_signed(message: Message, certificate: object) -> bool:
    try:
        verify(message.document, certificate)  # type: ignore[arg-type]
    except ProtocolError:
        return False
    return True


def _holds_the_file(issued: IssuedFile, body: Connect) -> bool:
    same_nonce = hmac.compare_digest(bytes(issued.nonce_hash), files.nonce_hash(body.nonce))
    return same_nonce and hmac.compare_digest(issued.sha256, body.file_sha256)


def _connect_refusal(issued: IssuedFile, connection: Connection, sender: Party, now: datetime) -> Refusal:
    if issued.revoked_at is not None:
        return Refusal.FILE_REVOKED
    if issued.used_at is not None:
        return Refusal.FILE_USED
    if now >= issued.expires_at:
        return Refusal.FILE_EXPIRED
    ours = Party(Installation.current().pk, connection.vault_id)
    if sender == ours or issued.remote_vault_id not in (None, sender.vault_id):
        return Refusal.WRONG_VAULT
    free = connection.state in (ConnectionState.PENDING, ConnectionState.DISCONNECTED)
    if not free or connection.bindings.open().exists():
        return Refusal.NOT_READY
    return Refusal.NONE


def _address_refusal(sender: Party, body: Connect) -> Refusal:
    """Approvals have to reach the peer later, so another installation must give an address this one may call."""
    if sender.installation_id == Installation.current().pk:
        return Refusal.NONE
    try:
        check_peering_url(body.vault.peering_url)
    except AddressRefused:
        return Refusal.ADDRESS
    return Refusal.NONE


def _bind(issued: IssuedFile, connection: Connection, message: Message, body: Connect, now: datetime) -> Binding:
    issued.used_at, issued.used_by_host, issued.used_by_vault_id = now, body.vault.dns, message.sender.vault_id
    issued.save(update_fields=["used_at", "used_by_host", "used_by_vault_id"])
    binding: Binding = Binding(
        connection=connection,
        exchange=issued.file_id,
        side=Side.SOURCE,
        state=BindingState.PROPOSED,
        needs_approval=issued.remote_vault_id is None,
        own_certificate=issued.certificate,
        peer_installation_id=message.sender.installation_id,
        peer_vault_id=message.sender.vault_id,
        peer_connection_id=body.connection_id,
        peer_certificate_id=message.certificate_id,
        peer_certificate_pem=body.certificate_pem,
        peer_url=body.vault.peering_url,
        peer_name=body.vault.name,
        peer_dns=body.vault.dns,
        peer_domain=body.vault.domain,
        peer_application=body.vault.application,
        file_sha256=issued.sha256,
        requested_by=issued.issued_by,
        remote_requested_by=body.requested_by,
        requested_at=now,
    )
    exchange.fix_terms(binding)
    binding.save(force_insert=True)
    by = exchange.peer_actor(binding)
    changes: audit.Changes = {"Generation": (None, issued.generation), "Used by": (None, body.vault.dns)}
    audit.record(vault=connection.vault, by=by, event="connection_file.used", subject=connection, changes=changes)
    if binding.needs_approval:
        exchange.accept(binding, by=by, now=now)
    else:
        exchange.establish(binding, by=by, now=now)
    return binding


def _of_a_peer(message: Message, body: Decision | CertificateNotice, vault: Vault, now: datetime) -> _Result:
    """Either side: the peer of an exchange says something, signed with a certificate pinned on its binding."""
    binding = _find(message, vault)
    if binding is None:
        return _Result(Outcome.REFUSED, Refusal.EXCHANGE_UNKNOWN)
    try:
        verify_pinned(message.document, pinned_certificates(binding, now=now))
    except ProtocolError:
        return _Result(Outcome.REFUSED, Refusal.UNTRUSTED)
    if seen := _seen(message, vault):
        return seen
    code = Refusal.NONE
    if isinstance(body, CertificateNotice):
        code = _announced(binding, body, now)
    else:
        binding = _decided(binding, message.type, body, now)
    outcome = Outcome.REFUSED if code else _ACCEPTED
    return _remember(message, vault, _Result(outcome, code, binding), now)


def _announced(binding: Binding, body: CertificateNotice, now: datetime) -> Refusal:
    """The peer signs with another certificate from now on, too."""
    if not binding.is_open and binding.state != BindingState.IN_FORCE:
        return Refusal.EXCHANGE_UNKNOWN
    return learn(binding, body, now=now)


def _decided(binding: Binding, type_: MessageType, body: Decision, now: datetime) -> Binding:
    """A person over there approved, rejected, withdrew, or deleted the record; the binding as it is then."""
    facts: dict[str, Any] = {"who": body.decided_by, "at": body.decided_at, "comment": body.comment}
    signed: dict[str, Any] = {"meaning": body.meaning, "method": body.method}
    if type_ is MessageType.APPROVE:
        exchange.approved_there(binding, now=now, **facts, **signed)
    elif type_ is MessageType.DELETE:
        return parting.deleted_there(binding, now=now, **facts)
    else:
        exchange.closed_there(binding, _ended_as(type_, body), now=now, **facts, **signed)
    return binding


def _ended_as(type_: MessageType, body: Decision) -> BindingState:
    if type_ is MessageType.REJECT:
        return BindingState.REJECTED
    # A withdrawal nobody made: the request lapsed over there.
    return BindingState.WITHDRAWN if body.decided_by else BindingState.LAPSED


def _find(message: Message, vault: Vault) -> Binding | None:
    """The exchange with exactly this peer, locked."""
    found = exchange_with(message, vault)
    return exchange.lock(found.pk) if found is not None else None


def _seen(message: Message, vault: Vault) -> _Result | None:
    """What became of this very message; the same id around another body is not believed."""
    row = IncomingPeerMessage.objects.filter(
        vault=vault,
        peer_installation_id=message.sender.installation_id,
        peer_vault_id=message.sender.vault_id,
        message_id=message.message_id,
    ).first()
    if row is None:
        return None
    if row.body_sha256 != _body_hash(message):
        return _Result(Outcome.REFUSED, Refusal.UNTRUSTED)
    binding = Binding.objects.filter(
        exchange=row.exchange,
        connection__vault=vault,
        peer_installation_id=row.peer_installation_id,
        peer_vault_id=row.peer_vault_id,
    ).first()
    return _Result(Outcome(row.outcome), Refusal(row.code), binding)


def _remember(message: Message, vault: Vault, result: _Result, now: datetime) -> _Result:
    IncomingPeerMessage.objects.create(
        vault=vault,
        peer_installation_id=message.sender.installation_id,
        peer_vault_id=message.sender.vault_id,
        message_id=message.message_id,
        type=message.type.value,
        body_sha256=_body_hash(message),
        exchange=message.body.exchange,
        received_at=now,
        outcome=result.outcome,
        code=result.code,
    )
    return result


def _body_hash(message: Message) -> str:
    return hashlib.sha256(canonical(message.document["body"])).hexdigest()


def _answer(message: Message, result: _Result, vault: Vault | None, now: datetime) -> bytes:
    certificate = _signing_certificate(message, result, vault, now)
    return write_answer(
        message,
        outcome=result.outcome,
        code=result.code,
        view=result.binding.view if result.binding is not None else None,
        certificate_id=certificate.certificate_id,
        sent_at=now,
        key=certificates.private_key(certificate),
    )


def _signing_certificate(message: Message, result: _Result, vault: Vault | None, now: datetime) -> SigningCertificate:
    """The certificate the asker knows: what we hold of the connection, or of the file, says which."""
    binding = result.binding or (exchange_with(message, vault) if vault is not None else None)
    if binding is not None:
        return own_certificates.for_peer(binding, now=now)
    issued = IssuedFile.objects.filter(pk=message.body.exchange, connection__vault=vault).first()
    told = last_words(message, vault) if vault is not None else None
    known = issued.certificate if issued is not None else told.signing_certificate if told is not None else None
    return known if known is not None and known.private_key_id is not None else certificates.current()
