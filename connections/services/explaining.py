"""Rebuild what an attempt signed, from what was kept of it, and compare what a receiver built with it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from django.db import transaction

from connections import tokens
from connections.models import DeliveryAttempt, MessageCopy
from connections.spark import explaining
from connections.spark.envelope import SPARK_MESSAGE, Envelope, SparkBody
from connections.spark.explaining import Difference
from connections.spark.signing import string_to_verify
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure

# Longer than any string we sign: a body has at most 256 KiB of message.
MAX_PASTED = 400_000


@dataclass(frozen=True)
class Rebuilt:
    """The string-to-verify of one attempt. `payload` is where the message itself stands in it, which may be masked.

    `is_exact` says that it is the very string that was signed, by its digest. Where tokens were filled in, their
    values are not kept, and `has_unknown` says so; otherwise a name has changed since.
    """

    text: str
    payload: tuple[int, int]
    is_exact: bool
    has_unknown: bool
    digest: str


@dataclass(frozen=True)
class Verdict:
    """What a pasted string is: the one that was signed, or the first place where it is another one."""

    is_signed: bool
    difference: Difference | None


def refusal(attempt: DeliveryAttempt, copy: MessageCopy) -> str:
    """Why there is no string to show, in one sentence; empty when there is one."""
    if not attempt.url or not attempt.certificate_id:
        return "Nothing was signed in this attempt: it ended before a request was made, or it never left this Vault."
    if copy.content.payload_removed_at is not None:
        return "The content was removed after the time messages are kept, so the string cannot be rebuilt."
    return ""


def rebuild(attempt: DeliveryAttempt, copy: MessageCopy) -> Rebuilt:
    """The string as it was signed, tokens left as they were put."""
    content = copy.content
    envelope = Envelope(
        certificate_id=attempt.certificate_id,
        execution_id=attempt.execution_id,
        sent_at=attempt.started_at,
        request_id=copy.message_id,
        request_type=SPARK_MESSAGE,
        url=attempt.url,
        vault_id=copy.vault_id,
    )
    body = SparkBody(
        vault_name=copy.vault.name,
        vault_host_name=copy.vault.dns,
        queue_name=copy.queue.name,
        entered_at=copy.entered_at,
        sent_at=attempt.started_at,
        attempt=attempt.number,
        message_id=copy.message_id,
        message=content.payload,
    ).write()
    string = string_to_verify(envelope.headers(), body, attempt.url)
    digest = hashlib.sha256(string).digest()
    text = string.decode()
    # The message is the last part of the body.
    end = len(text) - len(attempt.url) - len("}\n")
    signed = bytes(attempt.signed_digest) if attempt.signed_digest is not None else b""
    span = (end - len(content.payload), end)
    return Rebuilt(text, span, digest == signed, content.has_tokens, signed.hex())


def shown(rebuilt: Rebuilt, *, revealed: bool) -> str:
    """The string as a person sees it: the message in it masked until it is revealed."""
    if revealed:
        return rebuilt.text
    begin, end = rebuilt.payload
    return f"{rebuilt.text[:begin]}•••{rebuilt.text[end:]}"


def compare(attempt: DeliveryAttempt, copy: MessageCopy, pasted: str, *, revealed: bool, by: Membership) -> Verdict:
    """Check a receiver's string. Inside a masked message the difference is told without what stands there."""
    ensure(by, Permission.MESSAGES_OPERATE)
    rebuilt = rebuild(attempt, copy)
    text = pasted.replace("\r\n", "\n")
    is_signed = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() == rebuilt.digest
    found = None if is_signed else explaining.first_difference(rebuilt.text, text, unknown=_unknown(rebuilt))
    with transaction.atomic():
        changes: audit.Changes = {"attempt": (None, attempt.number), "same": (None, is_signed or found is None)}
        audit.record(vault=by.vault, by=by, event="message.signature_compared", subject=copy, changes=changes)
    begin, end = rebuilt.payload
    if found is not None and not revealed and begin <= found.at < end:
        found = Difference(found.line, found.column, "", "", found.hint, found.at)
    return Verdict(is_signed, found)


def _unknown(rebuilt: Rebuilt) -> re.Pattern[str] | None:
    return tokens.PATTERN if rebuilt.has_unknown else None
