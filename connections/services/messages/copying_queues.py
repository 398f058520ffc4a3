"""Queues of a sandbox: how they are set up is copied, what they carried never is (veeva-core section 12.1)."""

from __future__ import annotations

from connections.models import Connection, Lane, Queue, QueueConnection, Replay
from connections.services.messages import standstill
from vaultadmin.sandboxes.registry import Copying, Part, copy_of


def copy_queues(copying: Copying) -> int:
    """Queues with their connections, switches as in the source; a handler whose user is not there is left out."""
    sources = list(Queue.objects.filter(vault=copying.source).order_by("pk"))
    copies = [_copy(copying, source) for source in sources]
    copying.insert(sources, copies)
    copying.record(copies, "queue.copied")
    links = list(QueueConnection.objects.filter(vault=copying.source).order_by("pk"))
    known = [
        link for link in links if copying.id_of(Queue, link.queue_id) and copying.id_of(Connection, link.connection_id)
    ]
    made = copying.insert(known, [_copy_link(copying, link) for link in known])
    outbound = {copy.pk for copy in copies if copy.is_outbound}
    Lane.objects.bulk_create(Lane(link=link) for link in made if link.queue_id in outbound)
    for copy in copies:
        standstill.note(queue=copy, now=copying.now)
    return len(copies)


def clear_queues(copying: Copying) -> None:
    """Take the copy's own queues away, with every message in them."""
    gone = list(Queue.objects.filter(vault=copying.target).order_by("pk"))
    copying.record(gone, "queue.replaced")
    Replay.objects.filter(vault=copying.target).delete()
    Queue.objects.filter(vault=copying.target).delete()


def _copy(copying: Copying, source: Queue) -> Queue:
    processor_user, handler_user = _member(copying, source.processor_user_id), _member(copying, source.handler_user_id)
    return copy_of(
        source,
        vault_id=copying.target.pk,
        processor_user_id=processor_user,
        handler=source.handler if handler_user else "",
        handler_user_id=handler_user,
        created_at=copying.now,
        modified_at=copying.now,
    )


def _copy_link(copying: Copying, source: QueueConnection) -> QueueConnection:
    return copy_of(
        source,
        vault_id=copying.target.pk,
        queue_id=copying.id_of(Queue, source.queue_id),
        connection_id=copying.id_of(Connection, source.connection_id),
        created_at=copying.now,
        modified_at=copying.now,
    )


def _member(copying: Copying, number: int | None) -> int | None:
    found = copying.members.get(number) if number is not None else None
    return found.pk if found is not None else None


PART = Part("Queues", copy_queues, clear_queues)
