"""What a request of ours says about itself: the nine signed headers and the Spark body (veeva-core 6.1, 6.2). Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

SPARK_MESSAGE: Final = "spark_message"
NOT_BEFORE: Final = timedelta(minutes=1)
NOT_AFTER: Final = timedelta(minutes=5)
# Made once: a sender writes hundreds of bodies a second.
_as_text: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


@dataclass(frozen=True)
class Envelope:
    """The signed headers of one attempt to send one message."""

    certificate_id: str
    execution_id: UUID
    sent_at: datetime
    request_id: UUID
    request_type: str
    url: str
    vault_id: int

    def headers(self) -> dict[str, str]:
        """The headers as sent. `url` is written as it is: sender and receiver never re-normalise it."""
        return {
            "X-VaultAPISignature-CertificateId": self.certificate_id,
            "X-VaultAPISignature-ExecutionId": str(self.execution_id),
            "X-VaultAPISignature-RequestDateTime": write_instant(self.sent_at),
            "X-VaultAPISignature-RequestId": str(self.request_id),
            "X-VaultAPISignature-RequestNotAfter": write_instant(self.sent_at + NOT_AFTER),
            "X-VaultAPISignature-RequestNotBefore": write_instant(self.sent_at - NOT_BEFORE),
            "X-VaultAPISignature-RequestType": self.request_type,
            "X-VaultAPISignature-URL": self.url,
            "X-VaultAPISignature-VaultId": str(self.vault_id),
        }


@dataclass(frozen=True)
class SparkBody:
    """One attempt to deliver one message of a queue."""

    vault_name: str
    vault_host_name: str
    queue_name: str
    entered_at: datetime
    sent_at: datetime
    attempt: int
    message_id: UUID
    message: str
    """The JSON text of attributes and items (`connections.spark.message.write_payload`)."""

    def write(self) -> bytes:
        """The body's bytes, keys in the documented order. Written once an attempt: these bytes are signed and sent."""
        document = {
            "vault_name": self.vault_name,
            "vault_host_name": self.vault_host_name,
            "queue_name": self.queue_name,
            "enter_queue_timestamp": write_instant(self.entered_at),
            "send_message_timestamp": write_instant(self.sent_at),
            "send_attempt": self.attempt,
            "message_id": str(self.message_id),
        }
        head = _as_text(document)
        return f'{head[:-1]},"message":{self.message}}}'.encode()


def write_instant(value: datetime) -> str:
    """A UTC time to the millisecond, `2025-01-15T10:00:00.000Z`; finer fractions are cut off."""
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
