"""Connect queues to connections (veeva-core section 5.1, `Queueconnection`)."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from connections import rules
from connections.constants import ConnectionType, CopyState, QueueType
from connections.models import Connection, Lane, MessageCopy, Queue, QueueConnection
from connections.services.messages import queues, standstill
from connections.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import ensure
from vaultadmin.together import Asking

_NAMED = 3
AUDITED = ["queue", "connection", "label", "is_active", "deliver_to_queue"]


def add(
    *, queue: Queue, connection: Connection, by: Membership, now: datetime, deliver_to_queue: str = "", label: str = ""
) -> QueueConnection:
    """Let messages of a queue leave through a connection, or let an inbound queue take from it."""
    ensure(by, queues.needed(queue.type))
    try:
        with transaction.atomic():
            locked = queues.lock(queue, by)
            _check_label(label)
            _check(locked, connection, by, deliver_to_queue)
            link = QueueConnection(
                vault=by.vault,
                queue=locked,
                connection=connection,
                label=label,
                deliver_to_queue=deliver_to_queue,
                created_at=now,
                modified_at=now,
            )
            link.save(force_insert=True)
            if locked.is_outbound:
                Lane.objects.create(link=link)
                standstill.note(queue=locked, now=now)
            changes = audit.created(link, AUDITED)
            audit.record(vault=by.vault, by=by, event="queue.connected", subject=locked, changes=changes)
    except IntegrityError as error:
        raise Refused(f"“{connection}” belongs to this queue already.", field="connection") from error
    return link


def edit(
    *,
    link: QueueConnection,
    label: str,
    is_active: bool,
    by: Membership,
    now: datetime,
    deliver_to_queue: str = "",
    seen: datetime | None = None,
) -> QueueConnection:
    """Change a queue's connection: inactive, it gets no new copies, and those that wait for it stand still."""
    ensure(by, queues.needed(link.queue.type))
    with transaction.atomic():
        queue = queues.lock(link.queue, by)
        row = _lock(link)
        if seen is not None and row.modified_at != seen:
            raise Refused("Somebody changed this connection of the queue meanwhile; look at it again before you save.")
        _check_label(label)
        _check(queue, row.connection, by, deliver_to_queue)
        before = audit.snapshot(row, AUDITED)
        row.label, row.is_active, row.deliver_to_queue = label, is_active, deliver_to_queue
        if changes := audit.diff(before, row, AUDITED):
            row.modified_at = now
            row.save()
            standstill.note(queue=queue, now=now)
            audit.record(vault=by.vault, by=by, event="queue.connection_edited", subject=queue, changes=changes)
    return row


def remove_refusal(link: QueueConnection) -> str:
    """Why a connection cannot be taken from its queue; empty when it can."""
    waiting = MessageCopy.objects.filter(queue=link.queue_id, connection=link.connection_id, state=CopyState.WAITING)
    if link.queue.is_outbound and waiting.exists():
        return "Messages still wait for this connection. Let them leave, or reset the queue first."
    return ""


def remove(*, link: QueueConnection, by: Membership, now: datetime) -> None:
    """Take a connection from its queue."""
    ensure(by, queues.needed(link.queue.type))
    with transaction.atomic():
        queue = queues.lock(link.queue, by)
        row = _lock(link)
        if refusal := remove_refusal(row):
            raise Refused(refusal)
        changes = {label: (value, None) for label, (_, value) in audit.created(row, AUDITED).items()}
        audit.record(vault=by.vault, by=by, event="queue.disconnected", subject=queue, changes=changes)
        row.delete()


def blocks_delete(connection: Connection) -> Asking[str]:
    """Why a connection cannot be deleted: the queues that name it."""
    (rows,) = yield (connection.queue_connections.select_related("queue").order_by("pk")[: _NAMED + 1],)
    if not rows:
        return ""
    if len(rows) == 1:
        return f"The queue “{rows[0].queue}” uses this connection; take it out there first."
    named = ", ".join(f"“{row.queue}”" for row in rows[:_NAMED]) + (" and others" if len(rows) > _NAMED else "")
    return f"The queues {named} use this connection; take it out there first."


def _check_label(label: str) -> None:
    if len(label) > queues.LABEL_LENGTH:
        raise Refused(f"Label can have at most {queues.LABEL_LENGTH} characters.", field="label")


def _check(queue: Queue, connection: Connection, by: Membership, deliver_to: str) -> None:
    if connection.vault_id != by.vault_id:
        raise Refused("Choose a connection of this Vault.", field="connection")
    if queue.type == QueueType.JOB:
        raise Refused("A job queue has no connections.", field="connection")
    if connection.type == ConnectionType.EXTERNAL and queue.is_inbound:
        raise Refused("An inbound queue takes from Vault to Vault and Local connections.", field="connection")
    if queue.is_inbound or connection.type == ConnectionType.EXTERNAL:
        if deliver_to:
            raise Refused("There is no queue on the other side to deliver to.", field="deliver_to_queue")
        return
    try:
        rules.check_own_name(deliver_to, label="Deliver to Queue")
    except rules.RuleBroken as error:
        raise Refused(str(error), field="deliver_to_queue") from error
    if connection.type == ConnectionType.LOCAL and not _is_inbound_here(queue, deliver_to):
        raise Refused("This Vault has no inbound queue of this name.", field="deliver_to_queue")


def _is_inbound_here(queue: Queue, name: str) -> bool:
    return Queue.objects.filter(vault=queue.vault_id, name=name, type=QueueType.INBOUND).exists()


def _lock(link: QueueConnection) -> QueueConnection:
    rows = QueueConnection.objects.select_for_update(of=("self",)).select_related("connection", "queue")
    found: QueueConnection | None = rows.filter(pk=link.pk).first()
    if found is None:
        raise Refused("Somebody took this connection from the queue meanwhile.")
    return found
