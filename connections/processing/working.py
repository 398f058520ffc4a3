"""Process due messages: one transaction a message, so that effects and the mark that they happened come together."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, connection, transaction

from connections import processors
from connections.constants import IncomingState
from connections.models import IncomingMessage, Queue
from connections.processing import taking
from connections.processing.taking import Taken
from connections.processors import Inbound
from connections.services import tallies
from connections.spark.reading import read_body
from vaultadmin import audit

logger = logging.getLogger(__name__)
DRAIN_FOR = 30.0
TRIES = 5
CRASHES = 3
_WAITS = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))


def work(*, now: Callable[[], datetime]) -> int:
    """Process what is due until nothing is left or the time is up; returns how many messages were worked on."""
    stop_at = time.monotonic() + DRAIN_FOR
    worked = 0
    while time.monotonic() < stop_at:
        batch = taking.take(now=now())
        if not batch:
            break
        for taken in batch:
            worked += 1
            if not _work_on(taken, now) and taken.sequential:
                break
        taking.give_back(batch)
    return worked


def _work_on(taken: Taken, now: Callable[[], datetime]) -> bool:
    """One message; whether it is over."""
    try:
        with transaction.atomic():
            row = _ours(taken)
            if row is None:
                return True
            _process(row, now())
            _close(row, IncomingState.PROCESSED, now())
    except (InterfaceError, DatabaseError) as error:
        if connection.connection is None or connection.connection.closed:
            raise
        return _failed(taken, error, now())
    except Exception as error:  # a processor's own failure belongs to its message and to nobody else
        return _failed(taken, error, now())
    return True


def _process(row: IncomingMessage, now: datetime) -> None:
    queue: Queue = row.queue
    received = read_body(row.body.encode())
    actor = queue.processor_user or audit.System(f"Message processor of {queue.name}")
    message = Inbound(
        vault=queue.vault,
        message_id=row.message_id,
        attributes=received.attributes,
        items=received.items,
        queue_name=queue.name,
        connection_id=row.connection_id,
        remote_vault_id=row.remote_vault_id,
        remote_queue_name=row.remote_queue_name,
        is_receipt=row.is_receipt,
        received_at=row.received_at,
    )
    processors.registered[queue.processor].run(message, actor, now)


def _failed(taken: Taken, error: Exception, now: datetime) -> bool:
    """Try it again later, a bounded number of times; then it is set aside for people and holds nobody up."""
    logger.warning("a message could not be processed", exc_info=error)
    with transaction.atomic():
        row = _ours(taken)
        if row is None:
            return True
        row.last_error = f"{type(error).__name__}: {error}"[:255]
        if row.attempts >= TRIES:
            _close(row, IncomingState.SET_ASIDE, now)
            return True
        row.due_at = now + _WAITS[min(row.attempts, len(_WAITS)) - 1]
        row.lease_token = row.lease_until = None
        row.crashes = 0
        row.save()
    return False


def _ours(taken: Taken) -> IncomingMessage | None:
    """The row under our lease, locked; None when somebody else has it by now."""
    rows = IncomingMessage.objects.select_for_update(of=("self",)).select_related(
        "queue__vault", "queue__processor_user"
    )
    found: IncomingMessage | None = rows.filter(pk=taken.row, lease_token=taken.token).first()
    return found


def _close(row: IncomingMessage, state: IncomingState, now: datetime) -> None:
    row.state, row.due_at, row.settled_at = state.value, None, now
    row.lease_token = row.lease_until = None
    row.save()
    tallies.add({row.queue_id: -1})
