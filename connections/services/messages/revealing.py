"""Show what a message holds: for a reason, for a few minutes, and on the record (security: payloads are masked)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from connections.models import IncomingMessage, MessageCopy
from connections.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure

SHOWN_FOR: Final = timedelta(minutes=5)
_GONE: Final = "The content of this message was removed after the time messages are kept."


def refusal(message: MessageCopy | IncomingMessage) -> str:
    """Why there is nothing to reveal, in one sentence; empty when there is."""
    removed = message.content.payload_removed_at if isinstance(message, MessageCopy) else message.body_removed_at
    return _GONE if removed is not None else ""


def reveal(*, message: MessageCopy | IncomingMessage, reason: str, by: Membership, now: datetime) -> datetime:
    """Record who looks at the content and why; returns until when it may be shown."""
    ensure(by, Permission.MESSAGES_OPERATE)
    if not reason.strip():
        raise Refused("Say why you need to see it; the reason is kept in the audit trail.", field="reason")
    if sentence := refusal(message):
        raise Refused(sentence)
    until = now + SHOWN_FOR
    with transaction.atomic():
        changes: audit.Changes = {"shown until": (None, until)}
        audit.record(
            vault=by.vault, by=by, event="message.revealed", subject=message, changes=changes, reason=reason.strip()
        )
    return until
