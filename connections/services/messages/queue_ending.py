"""Empty a queue and delete one (veeva-core sections 5.2 and 5.3): neither can be undone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.db.models import Q

from connections.constants import ConnectionType, QueueType
from connections.models import EntryType, IncomingMessage, Lane, MessageCopy, Queue, QueueConnection
from connections.services.messages import alerts, queue_log, queues, tallies
from connections.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.audit import Actor
from vaultadmin.models import Membership
from vaultadmin.permissions import ensure
from vaultadmin.together import Asking, answer, rows_of, together

logger = structlog.get_logger(__name__)
# In the words of the REST API.
DONE = "Deleted messages in queue."
_WHY = "The queue was reset."

# A message that is being sent right now loses its lease here: its attempt is still closed, but moves nothing.
_REMOVE_COPIES = """
UPDATE connections_messagecopy
   SET state = 'removed', due_at = NULL, settled_at = %(now)s, lease_token = NULL, lease_until = NULL
 WHERE id IN (SELECT id FROM connections_messagecopy WHERE queue_id = %(queue)s AND due_at IS NOT NULL
               ORDER BY id FOR UPDATE)
RETURNING id
"""
_REMOVE_INCOMING = """
UPDATE connections_incomingmessage
   SET state = 'removed', due_at = NULL, settled_at = %(now)s, lease_token = NULL, lease_until = NULL
 WHERE id IN (SELECT id FROM connections_incomingmessage WHERE queue_id = %(queue)s AND due_at IS NOT NULL
               ORDER BY id FOR UPDATE)
RETURNING id
"""


def reset(*, queue: Queue, by: Membership, now: datetime, confirmation: str | None = None, reason: str = "") -> int:
    """*Reset*: every message that waits in the queue becomes Removed; returns how many there were.

    People type the queue's name as `confirmation`; programs that call the REST API need none. What enters the queue
    while this runs stays. The queue itself is not locked, so that nobody who puts messages waits for this.
    """
    ensure(by, queues.needed(queue.type))
    if confirmation is not None:
        _check_typed(queue, confirmation)
    with transaction.atomic():
        found = Queue.objects.select_related("vault").filter(pk=queue.pk, vault=by.vault_id).first()
        if found is None:
            raise Refused(queues.GONE)
        removed = _remove_all(found, now)
        changes: audit.Changes = {"Messages in queue": (removed, 0)}
        audit.record(vault=by.vault, by=by, event="queue.reset", subject=found, changes=changes, reason=reason)
    logger.info("queue_reset", vault=by.vault_id, queue=found.name, removed=removed)
    return removed


def remove_waiting(*, by: Actor, now: datetime, reason: str) -> int:
    """Empty every queue of the installation, inside the caller's transaction; returns how many messages went."""
    leaving = MessageCopy.objects.filter(due_at__isnull=False).values("queue")
    arrived = IncomingMessage.objects.filter(due_at__isnull=False).values("queue")
    total = 0
    held = Queue.objects.filter(Q(pk__in=leaving) | Q(pk__in=arrived))
    for queue in held.select_related("vault").order_by("pk"):
        removed = _remove_all(queue, now, why=reason)
        changes: audit.Changes = {"Messages in queue": (removed, 0)}
        audit.record(vault=queue.vault, by=by, event="queue.reset", subject=queue, changes=changes, reason=reason)
        total += removed
    return total


def delete_refusal(queue: Queue) -> Asking[str]:
    """Why a queue cannot be deleted, in one sentence; empty when it can."""
    asked: list[Asking[Any]] = [tallies.asked(queue), _fed_by(queue), _has_carried(queue)]
    waiting, feeding, has_carried = yield from together(asked)
    if waiting > 0:
        return "Messages wait in this queue. Let them leave, or reset the queue first."
    if feeding:
        named = ", ".join(f"“{name}”" for name in feeding)
        return f"The queue {named} delivers to this one; change that first."
    if has_carried:
        return (
            "The message log holds what this queue carried, and that is kept. To stop using the queue, set its Status "
            "to Inactive."
        )
    return ""


def delete(*, queue: Queue, confirmation: str, by: Membership, reason: str = "") -> None:
    """*Delete*: a queue that never carried a message goes with its Queue Connections; its history stays."""
    ensure(by, queues.needed(queue.type))
    _check_typed(queue, confirmation)
    try:
        with transaction.atomic():
            _delete(queues.lock(queue, by), by, reason)
    except IntegrityError as error:
        raise Refused("A message came into this queue meanwhile; look at it again.") from error


def _delete(queue: Queue, by: Membership, reason: str) -> None:
    """Its Queue Connections are locked before the question is asked: whoever puts a message holds them, too."""
    held = queue.connections.select_for_update(of=("self",)).select_related("connection").order_by("pk")
    names = [link.connection.name for link in held]
    if refusal := answer(delete_refusal(queue)):
        raise Refused(refusal)
    changes: audit.Changes = {label: (old, None) for label, (_, old) in audit.created(queue, queues.AUDITED).items()}
    if names:
        changes["Queue Connections"] = (names, None)
    audit.record(vault=by.vault, by=by, event="queue.deleted", subject=queue, changes=changes, reason=reason)
    alerts.let_go(by=by, queue=queue)
    queue.delete()


def _check_typed(queue: Queue, confirmation: str) -> None:
    if confirmation.strip() != queue.name:
        raise Refused(f"Type the queue's name, {queue.name}, to confirm.", field="confirmation")


def _remove_all(queue: Queue, now: datetime, *, why: str = _WHY) -> int:
    """Lanes first, in the sender's order: whoever settles or claims holds them before it touches a copy."""
    lanes = Lane.objects.select_for_update().filter(link__queue=queue).order_by("pk")
    list(lanes.values_list("pk", flat=True))
    with database.cursor() as cursor:
        cursor.execute(_REMOVE_COPIES, {"queue": queue.pk, "now": now})
        copies = [copy for (copy,) in cursor.fetchall()]
        cursor.execute(_REMOVE_INCOMING, {"queue": queue.pk, "now": now})
        incoming = [message for (message,) in cursor.fetchall()]
    removed = len(copies) + len(incoming)
    queue_log.write(copies, entry_type=EntryType.REMOVAL, now=now, why=why)
    queue_log.write_incoming(incoming, now=now, why=why)
    tallies.add({queue.pk: -removed})
    return removed


def _fed_by(queue: Queue) -> Asking[list[str]]:
    """Queues of this vault whose Local connections name this one."""
    if queue.type != QueueType.INBOUND:
        return []
    links = QueueConnection.objects.filter(
        vault=queue.vault_id, deliver_to_queue=queue.name, connection__type=ConnectionType.LOCAL
    )
    return (yield from rows_of(links.order_by("queue__label").values_list("queue__label", flat=True)[:3]))


def _has_carried(queue: Queue) -> Asking[bool]:
    copies, messages, incoming = yield (
        MessageCopy.objects.filter(queue=queue).order_by().values_list("pk", flat=True)[:1],
        queue.messages.order_by().values_list("pk", flat=True)[:1],
        IncomingMessage.objects.filter(queue=queue).order_by().values_list("pk", flat=True)[:1],
    )
    return bool(copies or messages or incoming)
