"""*Send signed test message*: an ordinary message through an ordinary queue, so that it proves the whole way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from connections.constants import QueueType
from connections.models import Connection, MessageCopy, Queue, SparkMessage
from connections.services.messages import putting
from connections.services.messages.putting import Draft, PutRefused
from connections.services.refusals import Refused
from connections.spark.message import AttributeValue
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure
from vaultadmin.together import Asking, answer

MARK = "test__sys"


@dataclass(frozen=True)
class Sent:
    """What was put: its copies' message ids by the API name of their connection."""

    copies: dict[str, UUID]


def queues_of(connection: Connection) -> QuerySet[Queue]:
    """The active outbound queues messages leave by through this connection."""
    rows = Queue.objects.filter(
        vault=connection.vault_id,
        type=QueueType.OUTBOUND,
        is_active=True,
        connections__connection=connection,
        connections__is_active=True,
    )
    return rows.order_by("label", "pk")


def refusal(connection: Connection) -> Asking[str]:
    """Why no test message can be sent through a connection; empty when one can."""
    (found,) = yield (queues_of(connection).order_by().values_list("pk", flat=True)[:1],)
    return "" if found else "No active Outbound queue names this connection."


def refusal_of_queue(queue: Queue) -> Asking[str]:
    """Why no test message can leave by an outbound queue; empty when one can."""
    (found,) = yield (queue.connections.filter(is_active=True).order_by().values_list("pk", flat=True)[:1],)
    if not queue.is_active:
        return "This queue is inactive: new messages are refused."
    return "" if found else "This queue has no connection a message could leave through."


def send(*, connection: Connection, queue: Queue, key: UUID, by: Membership, now: datetime) -> Sent:
    """Put a message that says it is a test into a queue of this connection. The same `key` again sends nothing more."""
    ensure(by, Permission.MESSAGES_OPERATE)
    with transaction.atomic():
        locked = Queue.objects.select_for_update(no_key=True).get(pk=queue.pk)
        if not queues_of(connection).filter(pk=locked.pk, vault=by.vault_id).exists():
            raise Refused("This queue no longer names the connection; choose another one.", field="queue")
        return _send(locked, connection, "connection.test_message_sent", key, by, now)


def send_by_queue(*, queue: Queue, key: UUID, by: Membership, now: datetime) -> Sent:
    """Put a message that says it is a test into an outbound queue. The same `key` again sends nothing more."""
    ensure(by, Permission.MESSAGES_OPERATE)
    with transaction.atomic():
        locked = Queue.objects.select_for_update(no_key=True).get(
            pk=queue.pk, vault=by.vault_id, type=QueueType.OUTBOUND
        )
        if refused := answer(refusal_of_queue(locked)):
            raise Refused(refused)
        return _send(locked, locked, "queue.test_message_sent", key, by, now)


def _send(queue: Queue, subject: Connection | Queue, event: str, key: UUID, by: Membership, now: datetime) -> Sent:
    if again := _sent_before(queue, key):
        return again
    named = {"connection__sys": subject.api_name} if isinstance(subject, Connection) else {}
    copies = {copy.connection_name: copy.message_id for copy in _put(queue, {MARK: True, **named}, key, by, now).copies}
    changes: audit.Changes = {"Queue": (None, queue.name)}
    changes |= {f"Message through {name}": (None, str(message_id)) for name, message_id in copies.items()}
    audit.record(vault=by.vault, by=by, event=event, subject=subject, changes=changes)
    return Sent(copies)


def _put(
    queue: Queue, attributes: dict[str, AttributeValue], key: UUID, by: Membership, now: datetime
) -> putting.PutResponse:
    try:
        put = putting.enqueue(
            vault=by.vault, queue=queue.name, draft=Draft(attributes), by=by, now=now, execution_id=key
        )
    except PutRefused as error:
        raise Refused(str(error)) from error
    if put.error is not None:
        raise Refused(put.sentence)
    return put


def _sent_before(queue: Queue, key: UUID) -> Sent | None:
    if not SparkMessage.objects.filter(queue=queue, execution_id=key).exists():
        return None
    copies = MessageCopy.objects.filter(content__queue=queue, content__execution_id=key).select_related("connection")
    return Sent({str(copy.connection): copy.message_id for copy in copies})
