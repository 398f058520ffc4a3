"""The remote carrier: the peer lives in another installation, so a message is posted to it over HTTPS.

The bytes are the ones the local carrier hands over. Around them goes the same envelope and signature a Spark message
has, so that the other side knows the sender before it looks inside. Only an answer counts: everything else leaves the
message due, because nothing but a signed answer tells what became of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from connections.peering.addresses import AddressRefused, message_url
from connections.peering.errors import CarrierError
from connections.peering.messages import Message, Party
from connections.peering.protocol import MAX_BYTES, read_message
from connections.spark.envelope import Envelope
from connections.spark.signing import Signer, sign
from vaultadmin import outbound

REQUEST_TYPE: Final = "vault_peering"
JSON: Final = "application/json"
# People wait for the first try of their own messages, so it ends sooner than other calls.
DEADLINE_SECONDS: Final = 8.0
LONGEST_WAIT: Final = timedelta(hours=1)

# An answer is signed whatever its status; a 403 without one is somebody in between.
_ANSWERED = (200, 403)


def deliver(raw: bytes, *, to: Party, url: str, signer: Signer, now: datetime) -> bytes:
    """Post the message below the peer's address and return the bytes of its answer."""
    message = read_message(raw)
    try:
        address = message_url(url, message.type)
    except AddressRefused as error:
        raise CarrierError(f"The other Vault's address cannot be called: {error}") from error
    headers = _envelope(message, address, signer, now)
    headers |= sign(headers, raw, url=address, key=signer.key) | {"Content-Type": JSON}
    return _answer(outbound.send("POST", address, body=raw, headers=headers, deadline=DEADLINE_SECONDS))


def _envelope(message: Message, address: str, signer: Signer, now: datetime) -> dict[str, str]:
    return Envelope(
        certificate_id=signer.certificate_id,
        execution_id=uuid4(),
        sent_at=now,
        request_id=message.message_id,
        request_type=REQUEST_TYPE,
        url=address,
        vault_id=message.sender.vault_id,
    ).headers()


def _answer(answer: outbound.Answer) -> bytes:
    if answer.kind is not None:
        raise CarrierError(answer.error, silence=answer.status is None)
    signed = answer.headers.get("content-type", "").partition(";")[0].strip().lower() == JSON
    if answer.status in _ANSWERED and signed and len(answer.body) <= MAX_BYTES:
        return answer.body
    raise CarrierError(_sentence(answer.status), retry_after=_retry_after(answer))


def _sentence(status: int | None) -> str:
    if status == 401:
        return "The other Vault did not recognise the message as ours; it is sent again."
    if status == 503:
        return "The other Vault cannot take messages at the moment; it is sent again."
    return f"The other Vault answered with the HTTP status {status}; the message is sent again."


def _retry_after(answer: outbound.Answer) -> timedelta:
    """How long the peer asks us to wait, in seconds; what is written otherwise, or beyond an hour, is not followed."""
    text = answer.headers.get("retry-after", "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return timedelta(0)
    return min(timedelta(seconds=int(text)), LONGEST_WAIT)
