"""Give copies up: out of the queue without a further call, and the queue's own handler is told (veeva-core 5.2)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection as database
from django.db import transaction

from connections import processors
from connections.constants import CopyState
from connections.models import EntryType, Queue
from connections.services import stats
from connections.services.messages import queue_log, tallies, traffic
from connections.services.messages.traffic import Passage
from connections.services.stats import Counts
from vaultadmin import audit

logger = logging.getLogger(__name__)

_END = """
UPDATE connections_messagecopy c
   SET state = %(state)s, due_at = NULL, settled_at = %(now)s, reason = %(reason)s, lease_token = NULL,
       lease_until = NULL
 WHERE c.id = ANY(%(ids)s)
RETURNING c.message_id
"""
_CLOSE_TRIES = """
UPDATE connections_deliveryattempt SET ended_at = %(now)s, error = %(error)s
 WHERE copy_id = ANY(%(ids)s) AND ended_at IS NULL
"""
SENDERS_DIED = "It was set aside: every sender that had it in hands ended before the outcome was known."
TOO_LATE = "Its time to be delivered ran out before another attempt could be made."
_UNKNOWN = "The sender ended before the outcome was known."


def set_aside(queue: int, connection: int, ids: Sequence[int], *, now: datetime) -> None:
    """Of these copies nobody knows whether they arrived, and no sender survives them: people decide what becomes."""
    _end(queue, connection, ids, CopyState.SET_ASIDE, SENDERS_DIED, now)


def too_late(queue: int, connection: int, ids: Sequence[int], *, now: datetime) -> None:
    """Their retry window ended."""
    _end(queue, connection, ids, CopyState.FAILED, TOO_LATE, now)


def close_tries(ids: Sequence[int], *, now: datetime) -> None:
    """Close the attempts of senders that died; should one of them wake up, it still says how its call ended."""
    if ids:
        with database.cursor() as cursor:
            cursor.execute(_CLOSE_TRIES, {"ids": list(ids), "now": now, "error": _UNKNOWN})


def tell_handler(queue_id: int, message_ids: Sequence[UUID], *, now: datetime) -> None:
    """Call the queue's Message Delivery Event Handler for copies given up, in the transaction that does it.

    A handler that fails undoes what it did and nothing else: the copy is given up all the same.
    """
    queue = Queue.objects.select_related("vault", "handler_user__user").get(pk=queue_id)
    handler = processors.handlers.get(queue.handler)
    if handler is None or queue.handler_user is None:
        return
    actor = audit.System(f"Java SDK Service Account on behalf of {queue.handler_user}")
    for message_id in message_ids:
        try:
            with transaction.atomic():
                handler.run(message_id, actor, now)
        except Exception:  # what a handler does wrong is its own
            logger.exception("the message delivery event handler %s failed", queue.handler)


def _end(queue: int, connection: int, ids: Sequence[int], state: CopyState, reason: str, now: datetime) -> None:
    if not ids:
        return
    values: dict[str, Any] = {"ids": list(ids), "state": state.value, "reason": reason, "now": now}
    with database.cursor() as cursor:
        cursor.execute(_END, values)
        message_ids = [message_id for (message_id,) in cursor.fetchall()]
    close_tries(ids, now=now)
    queue_log.write(ids, entry_type=EntryType.REMOVAL, now=now, why=reason)
    tallies.add({queue: -len(message_ids)})
    tell_handler(queue, message_ids, now=now)
    counts = Counts(fatal=len(message_ids))
    traffic.count_many({(queue, connection): Passage(counts)}, at=now)
    stats.count_many({connection: counts}, at=now)
