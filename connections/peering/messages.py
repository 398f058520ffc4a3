"""What two vaults can tell each other, as values; `protocol` makes bytes of them and reads them back.

Every message names one *exchange*, the file id of the connection file it began with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class MessageType(StrEnum):
    """What one side can tell the other."""

    CONNECT = "connect"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    DELETE = "delete"
    CERTIFICATE = "certificate"


class Outcome(StrEnum):
    """How a message was taken: done, refused for good, or to be sent again later."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    LATER = "later"


class Refusal(StrEnum):
    """Why a message was refused for good. The receiving side of the answer has the sentences."""

    NONE = ""
    FILE_UNKNOWN = "file_unknown"
    FILE_USED = "file_used"
    FILE_EXPIRED = "file_expired"
    FILE_REVOKED = "file_revoked"
    WRONG_VAULT = "wrong_vault"
    NOT_READY = "not_ready"
    EXCHANGE_UNKNOWN = "exchange_unknown"
    UNTRUSTED = "untrusted"
    CLOCK = "clock"
    ADDRESS = "address"


@dataclass(frozen=True)
class Party:
    """A peer's identity: two installations may both have a vault 1001."""

    installation_id: UUID
    vault_id: int


@dataclass(frozen=True)
class VaultDetails:
    """What the other side shows under Remote Vault Details."""

    name: str
    dns: str
    domain: str
    application: str
    peering_url: str


@dataclass(frozen=True)
class Connect:
    """Target → source: I hold your file; this is who I am."""

    exchange: UUID
    nonce: bytes
    file_sha256: str
    connection_id: str
    requested_by: str
    vault: VaultDetails
    certificate_pem: str


@dataclass(frozen=True)
class Decision:
    """A person on the sending side approved, rejected, withdrew or deleted the record; when and who, as printed.

    A withdrawal by nobody is a request that lapsed. `meaning` and `method` are those of the signature, where the act
    was signed; a side that does not send them is understood, too.
    """

    exchange: UUID
    decided_by: str
    decided_at: datetime
    comment: str
    meaning: str = ""
    method: str = ""


@dataclass(frozen=True)
class CertificateNotice:
    """The sending side signs with this certificate too, and with the one of `retired_id`, if any, no longer."""

    exchange: UUID
    certificate_id: str
    certificate_pem: str
    in_use_from: datetime
    retired_id: str


Body = Connect | Decision | CertificateNotice


@dataclass(frozen=True)
class Message:
    """One message. `document` is what was signed."""

    type: MessageType
    message_id: UUID
    sent_at: datetime
    sender: Party
    recipient: Party
    certificate_id: str
    body: Body
    document: dict[str, Any]


@dataclass(frozen=True)
class View:
    """How one side sees an exchange: its state there and, once decided, who approved when."""

    state: str
    decided_by: str = ""
    decided_at: datetime | None = None


@dataclass(frozen=True)
class Answer:
    """The answer to one message."""

    message_id: UUID
    sender: Party
    recipient: Party
    certificate_id: str
    sent_at: datetime
    outcome: Outcome
    code: Refusal
    view: View | None
