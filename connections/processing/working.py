"""Process due messages: one transaction a message, so that effects and the mark that they happened come together."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, connection, transaction

from connections import processors
from connections.constants import ConnectionType, IncomingState
from connections.models import IncomingMessage, Queue
from connections.processing import taking
from connections.processing.taking import Taken
from connections.processors import CannotProcess, Inbound, Processor
from connections.services.messages import arrivals, tallies, traffic
from connections.services.messages.traffic import Passage
from connections.services.stats import Counts
from connections.spark.reading import read_body
from vaultadmin import audit
from vaultadmin.audit import Actor

logger = logging.getLogger(__name__)
DRAIN_FOR = 30.0
TRIES = 5
_WAITS = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))


def work(*, now: Callable[[], datetime]) -> int:
    """Process what is due until nothing is left or the time is up; returns how many messages were worked on.

    What came in is counted on the way, so that the sums do not wait for the messages.
    """
    arrivals.count_up()
    stop_at = time.monotonic() + DRAIN_FOR
    worked = 0
    for take in (taking.take_suspect, taking.take):
        while time.monotonic() < stop_at and (batch := take(now=now())):
            worked += _work_off(batch, now, stop_at)
            arrivals.count_up()
    return worked


def _work_off(batch: list[Taken], now: Callable[[], datetime], stop_at: float) -> int:
    """One batch, message by message. What the time is not left for goes back."""
    for number, taken in enumerate(batch):
        if number and time.monotonic() >= stop_at:
            taking.give_back(batch[number:])
            return number
        _work_on(taken, now)
    return len(batch)


def _work_on(taken: Taken, now: Callable[[], datetime]) -> None:
    try:
        with transaction.atomic():
            row = _ours(taken)
            if row is not None:
                _process(row, now())
                _close(row, IncomingState.PROCESSED, now())
    except (InterfaceError, DatabaseError) as error:
        if connection.connection is None or connection.connection.closed:
            raise
        _failed(taken, error, now())
    except Exception as error:  # a processor's own failure belongs to its message and to nobody else
        _failed(taken, error, now())


def _process(row: IncomingMessage, now: datetime) -> None:
    queue: Queue = row.queue
    processor, actor = _processor_of(queue)
    received = read_body(row.body.encode())
    here = row.connection is not None and row.connection.type == ConnectionType.LOCAL
    message = Inbound(
        row=row.pk,
        vault=queue.vault,
        message_id=row.message_id,
        attributes=received.attributes,
        items=received.items,
        queue_name=queue.name,
        connection_id=None if here else row.connection_id,
        remote_vault_id=None if here else row.remote_vault_id,
        remote_queue_name="" if here else row.remote_queue_name,
        is_receipt=row.is_receipt,
        received_at=row.received_at,
    )
    processor.run(message, actor, now)


def _processor_of(queue: Queue) -> tuple[Processor, Actor]:
    """What works on the queue's messages, and as whom."""
    processor, user = processors.registered.get(queue.processor), queue.processor_user
    if processor is None:
        raise CannotProcess(f"There is no Message Processor “{queue.processor}”; choose another one for the queue.")
    if user is not None and not (user.is_active and user.user.is_active):
        raise CannotProcess(f"The Message Processor User {user} is inactive; choose another one for the queue.")
    return processor, user or audit.System(f"Message processor of {queue.name}")


def _failed(taken: Taken, error: Exception, now: datetime) -> None:
    """Try it again later, a bounded number of times; then it is set aside for people and holds nobody up."""
    expected = isinstance(error, CannotProcess)
    logger.warning("a message could not be processed: %s", _sentence(error), exc_info=None if expected else error)
    with transaction.atomic():
        row = _ours(taken)
        if row is None:
            return
        row.last_error = _sentence(error)
        if row.attempts >= TRIES:
            _close(row, IncomingState.SET_ASIDE, now)
            return
        row.due_at = now + _WAITS[min(row.attempts, len(_WAITS)) - 1]
        row.lease_token = row.lease_until = None
        row.crashes = 0
        row.save()
        _count(row, Passage(Counts(failures=1)), now)


def _sentence(error: Exception) -> str:
    """What people read; the words of an unexpected error may hold what the message holds, and stand in the log only."""
    if isinstance(error, CannotProcess):
        return str(error)[:255]
    return f"The processor broke off ({type(error).__name__}). The log says more."


def _ours(taken: Taken) -> IncomingMessage | None:
    """The row under our lease, locked; None when somebody else has it by now."""
    rows = IncomingMessage.objects.select_for_update(of=("self",)).select_related(
        "queue__vault", "queue__processor_user__user", "connection"
    )
    found: IncomingMessage | None = rows.filter(pk=taken.row, lease_token=taken.token).first()
    return found


def _close(row: IncomingMessage, state: IncomingState, now: datetime) -> None:
    row.state, row.due_at, row.settled_at = state.value, None, now
    row.lease_token = row.lease_until = None
    row.save()
    tallies.add({row.queue_id: -1})
    if state is IncomingState.PROCESSED:
        _count(row, Passage(waits=[max((now - row.received_at).total_seconds(), 0.0)]), now)
    else:
        _count(row, Passage(Counts(failures=1, fatal=1)), now)


def _count(row: IncomingMessage, passage: Passage, now: datetime) -> None:
    if row.connection_id is not None:
        traffic.count_many({(row.queue_id, row.connection_id): passage}, at=now)
