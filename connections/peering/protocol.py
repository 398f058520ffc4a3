"""The messages two vaults exchange, signed: bytes ↔ values. Pure (veeva-core section 3 rule 4).

Every message is signed with the sending side's certificate. Every answer is signed too and carries the answering
side's view of the exchange, so an answer is also a look at the other side: whatever got lost or came twice, one heard
answer brings the asker up to date.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from connections import signed_json
from connections.connection_file import NONCE_BYTES
from connections.constants import BindingState
from connections.peering.messages import (
    Answer,
    Body,
    CertificateNotice,
    Connect,
    Decision,
    Message,
    MessageType,
    Outcome,
    Party,
    Refusal,
    VaultDetails,
    View,
)
from connections.shape import Fields, ShapeError, write_base64, write_moment

PROTOCOL = "vault-peering"
VERSION = 1
MAX_BYTES = 64 * 1024

_ENVELOPE = [
    "protocol",
    "version",
    "type",
    "message_id",
    "sent_at",
    "sender",
    "recipient",
    "certificate_id",
    "body",
    "signature",
]
_ANSWER = [
    "protocol",
    "version",
    "type",
    "message_id",
    "sent_at",
    "sender",
    "recipient",
    "certificate_id",
    "outcome",
    "code",
    "view",
    "signature",
]
_PARTY = ("installation_id", "vault_id")
_VAULT = ["name", "dns", "domain", "application", "peering_url"]
_DECISION = ["exchange", "decided_by", "decided_at", "comment"]
_SIGNED = ["meaning", "method"]
_VIEW = ["state", "decided_by", "decided_at"]


class ProtocolError(ValueError):
    """The bytes are no message of this protocol, or not signed by whom they should be."""


def write_body(body: Body) -> dict[str, Any]:
    """A body as JSON, which is also how an outgoing row keeps it."""
    if isinstance(body, Connect):
        return {
            "exchange": str(body.exchange),
            "nonce": write_base64(body.nonce),
            "file_sha256": body.file_sha256,
            "connection_id": body.connection_id,
            "requested_by": body.requested_by,
            "vault": asdict(body.vault),
            "certificate_pem": body.certificate_pem,
        }
    if isinstance(body, CertificateNotice):
        return {
            "exchange": str(body.exchange),
            "certificate_id": body.certificate_id,
            "certificate_pem": body.certificate_pem,
            "in_use_from": write_moment(body.in_use_from),
            "retired_id": body.retired_id,
        }
    return {
        "exchange": str(body.exchange),
        "decided_by": body.decided_by,
        "decided_at": write_moment(body.decided_at),
        "comment": body.comment,
        "meaning": body.meaning,
        "method": body.method,
    }


def write_message(
    type_: str,
    message_id: UUID,
    body: dict[str, Any],
    *,
    sender: Party,
    recipient: Party,
    certificate_id: str,
    sent_at: datetime,
    key: rsa.RSAPrivateKey,
) -> bytes:
    """Sign one message. Each attempt is signed anew with its own time; the id stays."""
    document = _frame(str(MessageType(type_)), message_id, sender, recipient, certificate_id, sent_at)
    return signed_json.sign({**document, "body": body}, key)


def read_message(raw: bytes) -> Message:
    """Parse a message. Its signature is not checked yet: see `verify`."""
    try:
        document = signed_json.parse(raw, max_bytes=MAX_BYTES)
        top = Fields(document, _ENVELOPE)
        _check_protocol(top)
        type_ = MessageType(top.text("type"))
        return Message(
            type=type_,
            message_id=top.uuid("message_id"),
            sent_at=top.moment("sent_at"),
            sender=_party(top, "sender"),
            recipient=_party(top, "recipient"),
            certificate_id=top.filled("certificate_id", longest=5),
            body=_BODIES.get(type_, _decision)(top),
            document=document,
        )
    except (signed_json.DocumentRefused, ValueError) as error:
        raise ProtocolError(str(error)) from error


def verify(document: dict[str, Any], certificate: x509.Certificate) -> None:
    """The document is signed with this certificate's key, or ProtocolError."""
    try:
        signed_json.verify(document, certificate)
    except signed_json.DocumentRefused as error:
        raise ProtocolError(str(error)) from error


def verify_pinned(document: dict[str, Any], pinned: Mapping[str, str]) -> None:
    """The document is signed with the pinned certificate it names, or ProtocolError."""
    pem = pinned.get(document["certificate_id"])
    if pem is None:
        raise ProtocolError("The certificate is not one this Vault knows of the other Vault.")
    verify(document, signed_json.read_certificate(pem))


def write_answer(
    message: Message,
    *,
    outcome: Outcome,
    code: Refusal = Refusal.NONE,
    view: View | None,
    certificate_id: str,
    sent_at: datetime,
    key: rsa.RSAPrivateKey,
) -> bytes:
    """Sign the answer to a message."""
    frame = _frame("answer", message.message_id, message.recipient, message.sender, certificate_id, sent_at)
    return signed_json.sign({**frame, "outcome": outcome, "code": code, "view": _write_view(view)}, key)


def read_answer(raw: bytes, *, pinned: Mapping[str, str]) -> Answer:
    """Parse an answer and check that one of the pinned certificates (PEM by id) signed it."""
    try:
        document = signed_json.parse(raw, max_bytes=MAX_BYTES)
        top = Fields(document, _ANSWER)
        _check_protocol(top)
        answer = Answer(
            message_id=top.uuid("message_id"),
            sender=_party(top, "sender"),
            recipient=_party(top, "recipient"),
            certificate_id=top.filled("certificate_id", longest=5),
            sent_at=top.moment("sent_at"),
            outcome=Outcome(top.text("outcome")),
            code=Refusal(top.text("code")),
            view=_view(top),
        )
    except (signed_json.DocumentRefused, ValueError) as error:
        raise ProtocolError(str(error)) from error
    verify_pinned(document, pinned)
    return answer


def _frame(
    type_: str, message_id: UUID, sender: Party, recipient: Party, certificate_id: str, sent_at: datetime
) -> dict[str, Any]:
    return {
        "protocol": PROTOCOL,
        "version": VERSION,
        "type": type_,
        "message_id": str(message_id),
        "sent_at": write_moment(sent_at),
        "sender": {"installation_id": str(sender.installation_id), "vault_id": sender.vault_id},
        "recipient": {"installation_id": str(recipient.installation_id), "vault_id": recipient.vault_id},
        "certificate_id": certificate_id,
    }


def _check_protocol(top: Fields) -> None:
    if top.text("protocol") != PROTOCOL or top.number("version") != VERSION:
        raise ShapeError("The protocol or its version is not one this Vault speaks.")


def _party(top: Fields, name: str) -> Party:
    party = top.section(name, _PARTY)
    return Party(party.uuid("installation_id"), party.number("vault_id"))


def _connect(top: Fields) -> Connect:
    body = top.section("body", [*Connect.__dataclass_fields__])
    vault = body.section("vault", _VAULT)
    return Connect(
        exchange=body.uuid("exchange"),
        nonce=body.octets("nonce", size=NONCE_BYTES),
        file_sha256=body.filled("file_sha256", longest=64),
        connection_id=body.filled("connection_id", longest=15),
        requested_by=body.filled("requested_by", longest=128),
        vault=VaultDetails(
            name=vault.filled("name", longest=128),
            dns=vault.filled("dns", longest=253),
            domain=vault.text("domain", longest=253),
            application=vault.text("application", longest=64),
            peering_url=vault.filled("peering_url", longest=2000),
        ),
        certificate_pem=body.text("certificate_pem", longest=signed_json.MAX_PEM, lines=True),
    )


def _decision(top: Fields) -> Decision:
    body = top.section("body", _DECISION, optional=_SIGNED)
    return Decision(
        exchange=body.uuid("exchange"),
        decided_by=body.text("decided_by", longest=128),
        decided_at=body.moment("decided_at"),
        comment=body.text("comment", longest=2000, lines=True),
        meaning=body.text_or_empty("meaning"),
        method=body.text_or_empty("method", longest=32),
    )


def _certificate(top: Fields) -> CertificateNotice:
    body = top.section("body", [*CertificateNotice.__dataclass_fields__])
    return CertificateNotice(
        exchange=body.uuid("exchange"),
        certificate_id=body.filled("certificate_id", longest=5),
        certificate_pem=body.text("certificate_pem", longest=signed_json.MAX_PEM, lines=True),
        in_use_from=body.moment("in_use_from"),
        retired_id=body.text("retired_id", longest=5),
    )


_BODIES: dict[MessageType, Callable[[Fields], Body]] = {
    MessageType.CONNECT: _connect,
    MessageType.CERTIFICATE: _certificate,
}


def _write_view(view: View | None) -> dict[str, Any] | None:
    if view is None:
        return None
    decided_at = write_moment(view.decided_at) if view.decided_at else None
    return {"state": view.state, "decided_by": view.decided_by, "decided_at": decided_at}


def _view(top: Fields) -> View | None:
    if top.raw("view") is None:
        return None
    view = top.section("view", _VIEW)
    decided_at = None if view.raw("decided_at") is None else view.moment("decided_at")
    return View(str(BindingState(view.text("state"))), view.text("decided_by", longest=128), decided_at)
