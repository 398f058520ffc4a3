"""Messages through a Local connection go straight into an inbound queue of the same vault (veeva-core section 5.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from connections.constants import AttemptOutcome, ConnectionState, QueueType
from connections.models import DeliveryAttempt, IncomingMessage, MessageCopy, Queue, QueueConnection
from connections.services import stats
from connections.services.messages import accepting, tallies, traffic
from connections.services.messages.traffic import Passage
from connections.services.stats import Counts
from connections.spark.envelope import SparkBody
from connections.spark.message import MessageRefused, PutError
from vaultadmin import wake


@dataclass(frozen=True)
class Target:
    """A queue's Local connection, and the inbound queue it leads to."""

    link: QueueConnection
    queue: Queue


def target(link_id: int) -> Target:
    """Where a message goes now, with room for it; MessageRefused when it cannot."""
    link = QueueConnection.objects.select_related("connection", "queue").get(pk=link_id)
    connection, name = link.connection, link.deliver_to_queue
    if connection.state != ConnectionState.ACTIVE:
        sentence = f"The connection “{connection}” is {connection.get_state_display()}; nothing can go through it."
        raise MessageRefused(PutError.NO_ACTIVE_CONNECTION, sentence)
    rows = Queue.objects.select_related("vault")
    found: Queue | None = rows.filter(vault=link.vault_id, name=name, type=QueueType.INBOUND).first()
    if found is None:
        raise MessageRefused(PutError.QUEUE_UNKNOWN, f"This Vault has no inbound queue “{name}” to deliver to.")
    if not found.is_active:
        raise MessageRefused(PutError.QUEUE_INACTIVE, f"The queue “{found}” is Inactive and takes no new messages.")
    tallies.make_room(found, 1)
    return Target(link, found)


def arrive(copy: MessageCopy, into: Target, *, now: datetime) -> None:
    """Write a delivered copy into its inbound queue, in the transaction that puts it."""
    content = copy.content
    DeliveryAttempt.objects.create(
        copy=copy,
        number=1,
        execution_id=content.execution_id,
        started_at=now,
        ended_at=now,
        outcome=AttemptOutcome.DELIVERED.value,
        milliseconds=0,
    )
    vault, queue = into.queue.vault, into.link.queue
    body = SparkBody(
        vault.name, vault.dns, queue.name, copy.entered_at, now, 1, copy.message_id, content.payload
    ).write()
    _store(into, body, copy.message_id, content.keys, is_receipt=content.is_receipt, now=now)
    # Not before the end: the row of the day stays locked, and a caller may put to several queues in any order.
    transaction.on_commit(partial(_count, into, now=now, sent=1), robust=True)


def deliver(link_id: int, copy_id: int, body: bytes, *, now: datetime) -> None:
    """Take a copy that had to wait into its inbound queue, once; MessageRefused when it cannot."""
    with transaction.atomic():
        into = target(link_id)
        copy = MessageCopy.objects.select_related("content").get(pk=copy_id)
        content = copy.content
        if _store(into, body, copy.message_id, content.keys, is_receipt=content.is_receipt, now=now):
            _count(into, now=now)


def _count(into: Target, *, now: datetime, sent: int = 0) -> None:
    connection = into.link.connection_id
    with transaction.atomic():
        passages = {(into.queue.pk, connection): Passage(Counts(received=1))}
        if sent:
            passages[into.link.queue_id, connection] = Passage(Counts(sent=sent), [0.0])
        traffic.count_many(passages, at=now)
        stats.count(connection, at=now, sent=sent, received=1)


def _store(into: Target, body: bytes, message_id: UUID, keys: list[str], *, is_receipt: bool, now: datetime) -> bool:
    link = into.link
    _, is_new = IncomingMessage.objects.get_or_create(
        connection_id=link.connection_id,
        message_id=message_id,
        defaults={
            "vault_id": link.vault_id,
            "queue": into.queue,
            "body": body.decode(),
            "keys": keys,
            "remote_vault_id": link.vault_id,
            "remote_queue_name": link.queue.name,
            "is_receipt": is_receipt,
            "received_at": now,
            "due_at": now,
        },
    )
    if is_new:
        tallies.add({into.queue.pk: 1})
        wake.wake(accepting.LANE)
    return is_new
