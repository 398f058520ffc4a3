"""Filed messages as people find and read them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from connections.models import FiledMessage, IncomingMessage, MessageCopy, Queue
from connections.spark.reading import read_body
from connections.spark.receipts import receipt_for
from vaultadmin.models import Membership

FILTERS = ("q", "queue", "kind")
KINDS = (("messages", "Messages"), ("receipts", "Receipts"))
_LONGEST = 100


@dataclass(frozen=True)
class Origin:
    """What a message says about itself: the name of the vault it is from, and the message it is a receipt for."""

    vault_name: str
    receipt_for: UUID | None


def filed(member: Membership, asked: dict[str, str]) -> QuerySet[FiledMessage]:
    """Those the member may see and asked for by FILTERS; senseless filters fall away.

    Searched are message ids, items and text attributes, whole: that is what the index finds among a million.
    """
    rows = FiledMessage.objects.visible_to(member).select_related("message__connection", "message__queue")
    if search := asked.get("q", "").replace("\x00", "").strip()[:_LONGEST]:
        rows = rows.filter(_named(search))
    if asked.get("queue"):
        rows = rows.filter(message__queue__name=asked["queue"].replace("\x00", "")[:_LONGEST])
    if asked.get("kind") in dict(KINDS):
        rows = rows.filter(message__is_receipt=asked["kind"] == "receipts")
    return rows


def find(member: Membership, number: int) -> FiledMessage | None:
    """One filed message of the member's vault."""
    rows = FiledMessage.objects.visible_to(member).select_related("message__connection", "message__queue")
    return rows.filter(pk=number).first()


def queues(member: Membership) -> QuerySet[Queue]:
    """The inbound queues messages are filed from."""
    return Queue.objects.filter(vault=member.vault_id, type="inbound").order_by("name")


def origin(message: IncomingMessage) -> Origin | None:
    """What a stored message says about itself; None when that is no longer kept."""
    if message.body_removed_at is not None:
        return None
    received = read_body(message.body.encode())
    return Origin(received.vault_name, receipt_for(received.attributes))


def answered(member: Membership, receipt: Origin | None) -> MessageCopy | None:
    """The message of this vault a receipt is for, if the member may see it."""
    if receipt is None or receipt.receipt_for is None:
        return None
    return MessageCopy.objects.visible_to(member).filter(message_id=receipt.receipt_for).first()


def _named(search: str) -> Q:
    wanted = Q(message__keys__contains=[search])
    try:
        return wanted | Q(message__message_id=UUID(search))
    except ValueError:
        return wanted
