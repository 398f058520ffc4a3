"""What people do with messages whose processing was given up: have them processed again, or remove them."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from connections.constants import IncomingState
from connections.models import IncomingMessage
from connections.services.messages import queue_log, tallies
from connections.services.messages.accepting import LANE
from connections.services.refusals import Refused
from vaultadmin import audit, wake
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure

REASON_LENGTH = 255


def refusal(message: IncomingMessage) -> str:
    """Why nothing can be done with a message here; empty when something can."""
    if message.state == IncomingState.SET_ASIDE:
        return ""
    return f"Only messages that are set aside can be processed again or removed; this one is {_words(message)}."


def again_refusal(message: IncomingMessage) -> str:
    """Why a message cannot be processed again; empty when it can."""
    if message.body_removed_at is not None:
        return "What this message said is no longer kept, so it cannot be processed again."
    return refusal(message)


def process_again(*, message: IncomingMessage, by: Membership, now: datetime) -> IncomingMessage:
    """Give a message to its queue's processor anew, with all its tries. In a sequential queue it comes first."""
    ensure(by, Permission.MESSAGES_OPERATE)
    with transaction.atomic():
        row = _lock(message, by)
        if sentence := again_refusal(row):
            raise Refused(sentence)
        tries = row.attempts
        row.state, row.due_at, row.settled_at = IncomingState.WAITING.value, now, None
        row.attempts = row.crashes = 0
        row.save()
        tallies.add({row.queue_id: 1})
        changes: audit.Changes = {"Attempts": (tries, 0), "Queue": (None, row.queue.name)}
        audit.record(vault=by.vault, by=by, event="incoming_message.process_again", subject=row, changes=changes)
        wake.wake(LANE)
    return row


def remove(*, message: IncomingMessage, reason: str, by: Membership, now: datetime) -> IncomingMessage:
    """Give a message up for good: it stays in the list, as removed, and nobody processes it."""
    ensure(by, Permission.MESSAGES_OPERATE)
    if not reason.strip():
        raise Refused("Say why the message is removed.", field="reason")
    with transaction.atomic():
        row = _lock(message, by)
        if sentence := refusal(row):
            raise Refused(sentence)
        row.state, row.settled_at = IncomingState.REMOVED.value, now
        row.save()
        queue_log.write_incoming([row.pk], now=now, why=f"Removed: {reason.strip()}")
        changes: audit.Changes = {"State": ("Set aside", "Removed"), "Queue": (None, row.queue.name)}
        audit.record(
            vault=by.vault,
            by=by,
            event="incoming_message.removed",
            subject=row,
            changes=changes,
            reason=reason.strip()[:REASON_LENGTH],
        )
    return row


def _lock(message: IncomingMessage, by: Membership) -> IncomingMessage:
    rows = IncomingMessage.objects.select_for_update(of=("self",), no_key=True).select_related("queue")
    found: IncomingMessage | None = rows.filter(pk=message.pk, vault=by.vault_id).first()
    if found is None:
        raise Refused("This message is no longer kept.")
    return found


def _words(message: IncomingMessage) -> str:
    return str(IncomingState(message.state).label).lower()
