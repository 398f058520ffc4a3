"""The processor that answers every message with a receipt to its sender."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Case, Count, IntegerField, Q, Value, When

from connections.constants import ConnectionType, QueueType
from connections.models import IncomingMessage, Queue, QueueConnection
from connections.processors import CannotProcess, Inbound, Processor
from connections.services.messages import putting
from connections.services.messages.putting import Draft, PutRefused
from connections.spark import receipts
from vaultadmin.audit import Actor

NAME = "answer_with_receipt__sys"
# An outbound queue made for receipts is told by its name.
OWN_QUEUE = "receipt"


def answer(inbound: Inbound, by: Actor, now: datetime) -> None:
    """Put a receipt into the queue that leads back. A receipt is never answered, so two who answer do so once each."""
    if inbound.is_receipt:
        return
    row = IncomingMessage.objects.select_related("connection").get(pk=inbound.row)
    if row.connection is None:
        raise CannotProcess("The connection this message came through was deleted.")
    queue = way_back(row)
    if queue is None:
        raise CannotProcess(
            f"No active outbound queue leads back through “{row.connection}” and through no other connection."
        )
    attributes = receipts.write(
        message_id=inbound.message_id,
        queue_name=inbound.queue_name,
        items=len(inbound.items),
        received_at=inbound.received_at,
        processed_at=now,
    )
    draft = Draft(attributes=attributes, is_receipt=True)
    try:
        put = putting.enqueue(vault=inbound.vault, queue=queue.name, draft=draft, by=by, now=now)
    except PutRefused as refusal:
        raise CannotProcess(str(refusal)) from refusal
    if put.error is not None:
        raise CannotProcess(put.sentence)


def way_back(row: IncomingMessage) -> Queue | None:
    """The outbound queue a receipt for this message leaves by.

    It is connected with the connection the message came through and with no other, as every connection of a queue gets
    a copy. Of several, one whose name says so comes first, and of a Local connection one that leads elsewhere.
    """
    back = QueueConnection.objects.filter(
        connection=row.connection_id, is_active=True, queue__type=QueueType.OUTBOUND, queue__is_active=True
    )
    alone = back.annotate(others=Count("queue__connections", filter=Q(queue__connections__is_active=True))).filter(
        others=1
    )
    here = Q(deliver_to_queue=row.queue.name, connection__type=ConnectionType.LOCAL)
    preferred = alone.annotate(
        rank=Case(
            When(here, then=Value(2)),
            When(queue__name__startswith=OWN_QUEUE, then=Value(0)),
            default=Value(1),
            output_field=IntegerField(),
        )
    )
    link = preferred.select_related("queue").order_by("rank", "queue__name").first()
    return link.queue if link is not None else None


PROCESSOR = Processor(
    label="Answer with a receipt",
    description=(
        "Answers every message with a receipt through the outbound queue that leads back through the same connection, "
        "and through no other; one whose name begins with “receipt” comes first. Receipts are not answered."
    ),
    run=answer,
)
