"""Process due messages: effects and the mark that they happened come in one transaction, of few messages or of one."""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
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
# So many seconds what processors write may wait for others that share its transaction.
MOMENT = 0.2
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
    """One batch, as many messages at a time as a moment allows. What the time is not left for goes back."""
    worked = 0
    while worked < len(batch):
        if worked and time.monotonic() >= stop_at:
            taking.give_back(batch[worked:])
            break
        worked += _work_on(batch[worked:], now, until=min(stop_at, time.monotonic() + MOMENT))
    return worked


def _work_on(batch: Sequence[Taken], now: Callable[[], datetime], *, until: float) -> int:
    """Process messages in one transaction until the moment is over; returns how many were begun.

    Should anything fail, nothing of it stays, and each of them gets a transaction of its own: what a processor does
    wrong then belongs to its message and to nobody else.
    """
    begun: list[Taken] = []
    try:
        with transaction.atomic():
            rows = _ours(batch)
            for taken in batch:
                begun.append(taken)
                if taken.row in rows:
                    _process(rows[taken.row], now())
                if time.monotonic() >= until:
                    break
            _processed([rows[taken.row] for taken in begun if taken.row in rows], now())
    except Exception as error:
        if isinstance(error, (InterfaceError, DatabaseError)) and _is_cut_off():
            raise
        if len(begun) > 1:
            for taken in begun:
                _work_on([taken], now, until=until)
        else:
            _failed(batch[0], error, now())
            return 1
    return len(begun)


def _is_cut_off() -> bool:
    return connection.connection is None or connection.connection.closed


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
        row = _ours([taken]).get(taken.row)
        if row is None:
            return
        row.last_error = _sentence(error)
        if row.attempts >= TRIES:
            _set_aside(row, now)
            return
        row.due_at = now + _WAITS[min(row.attempts, len(_WAITS)) - 1]
        row.lease_token = row.lease_until = None
        row.crashes = 0
        row.save()
        _count_failure(row, Counts(failures=1), now)


def _sentence(error: Exception) -> str:
    """What people read; the words of an unexpected error may hold what the message holds, and stand in the log only."""
    if isinstance(error, CannotProcess):
        return str(error)[:255]
    return f"The processor broke off ({type(error).__name__}). The log says more."


def _ours(batch: Sequence[Taken]) -> dict[int, IncomingMessage]:
    """The rows that are still under our lease, locked, by id: those somebody else has by now are left out."""
    rows = IncomingMessage.objects.select_for_update(of=("self",)).select_related(
        "queue__vault", "queue__processor_user__user", "connection"
    )
    mine = rows.filter(pk__in=[taken.row for taken in batch], lease_token=batch[0].token)
    return {row.pk: row for row in mine.order_by("pk")}


def _processed(rows: Sequence[IncomingMessage], now: datetime) -> None:
    """Mark messages whose effects are part of this transaction, and count them, all at once."""
    IncomingMessage.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=IncomingState.PROCESSED.value, due_at=None, settled_at=now, lease_token=None, lease_until=None
    )
    tallies.add(Counter({queue: -number for queue, number in Counter(row.queue_id for row in rows).items()}))
    waits: dict[tuple[int, int], list[float]] = defaultdict(list)
    for row in rows:
        if row.connection_id is not None:
            waits[row.queue_id, row.connection_id].append(max((now - row.received_at).total_seconds(), 0.0))
    traffic.count_many({place: Passage(waits=waited) for place, waited in waits.items()}, at=now)


def _set_aside(row: IncomingMessage, now: datetime) -> None:
    row.state, row.due_at, row.settled_at = IncomingState.SET_ASIDE.value, None, now
    row.lease_token = row.lease_until = None
    row.save()
    tallies.add({row.queue_id: -1})
    _count_failure(row, Counts(failures=1, fatal=1), now)


def _count_failure(row: IncomingMessage, counts: Counts, now: datetime) -> None:
    if row.connection_id is not None:
        traffic.count_many({(row.queue_id, row.connection_id): Passage(counts)}, at=now)
