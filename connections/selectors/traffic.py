"""What queues and connections carry now and carried of late: backlog, oldest message, waits, hours.

Every question is bounded: counters by queue, one index entry for the oldest message of a lane, at most a thousand
entries for its backlog, and the slots of one day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Func, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.expressions import BaseExpression

from connections.constants import QueueType
from connections.models import (
    Connection,
    IncomingMessage,
    MessageCopy,
    Queue,
    QueueConnection,
    QueueTally,
    TrafficSlot,
)
from connections.models import Lane as LaneRow
from connections.models.traffic import LONG, SHORT, start_of
from connections.spark import waits
from connections.spark.waits import Percentiles
from vaultadmin.models import Vault
from vaultadmin.standing import Standing, standing
from vaultadmin.together import Asking

COUNTERS = ("sent", "received", "failures", "retries", "timeouts", "fatal")
HOURS = 24
# So far a lane's own backlog is counted; beyond, "more than" says enough.
SEEN_AT_MOST = 1000

_MOST_LANES = 200


@dataclass(frozen=True)
class Lane:
    """One connection of one queue: what waits for it, since when, and how it fared last."""

    link: int
    queue: int
    queue_name: str
    queue_label: str
    queue_type: str
    connection: int
    connection_name: str
    connection_api_name: str
    is_active: bool
    delivery_enabled: bool
    last_outcome: str
    last_error: str
    last_error_at: datetime | None
    paused_until: datetime | None
    waiting: int
    oldest_at: datetime | None

    @property
    def has_more(self) -> bool:
        """Do more wait than were counted?"""
        return self.waiting > SEEN_AT_MOST


@dataclass(frozen=True)
class Hour:
    """What went through in the hour from `starts_at` on."""

    starts_at: datetime
    through: int
    failures: int


@dataclass(frozen=True)
class Flow:
    """Several lanes together. `waiting` is exact; `day` and `today` hold the counters of `ConnectionStats`."""

    waiting: int
    oldest_at: datetime | None
    last_hour: Percentiles | None
    last_day: Percentiles | None
    hour: dict[str, int]
    day: dict[str, int]
    today: dict[str, int]
    hours: Sequence[Hour]


@dataclass(frozen=True)
class Traffic:
    """Lanes one by one, and all of them together."""

    lanes: Sequence[tuple[Lane, Flow]]
    total: Flow


def of_queue(queue: Queue, *, now: datetime) -> Asking[Traffic]:
    """A queue with its connections."""
    place = lanes(queue=queue.pk, vault=queue.vault_id)
    return (yield from _traffic(place, QueueTally.objects.filter(queue=queue.pk), now))


def of_connection(connection: Connection, *, now: datetime) -> Asking[Traffic]:
    """A connection with the queues it belongs to."""
    place = lanes(connection=connection.pk, vault=connection.vault_id)
    return (yield from _traffic(place, None, now))


def of_vault(vault: Vault, *, now: datetime) -> Asking[Traffic]:
    """Every queue of a vault that has connections."""
    place = lanes(vault=vault.pk)
    return (yield from _traffic(place, QueueTally.objects.filter(queue__vault=vault), now))


@standing
def lanes(**place: Any) -> QuerySet[QueueConnection]:
    """Lanes of a place, at most two hundred, with what waits, counted up to a thousand and one, and since when."""
    out, taken = (
        model.objects.filter(queue=OuterRef("queue"), connection=OuterRef("connection"), due_at__isnull=False)
        for model in (MessageCopy, IncomingMessage)
    )
    rows = QueueConnection.objects.filter(**place, queue__type__in=[QueueType.OUTBOUND, QueueType.INBOUND])
    counted = rows.select_related("queue", "connection", "lane").annotate(
        waiting=_by_type(_number(out), _number(taken)),
        oldest_at=_by_type(_first(out, "entered_at"), _first(taken, "received_at")),
    )
    return counted.order_by("queue__name", "connection__name", "pk")[:_MOST_LANES]


def _by_type(outbound: BaseExpression, inbound: BaseExpression) -> Case:
    """Only the one that fits the queue is carried out."""
    return Case(When(queue__type=QueueType.OUTBOUND, then=outbound), default=inbound)


def _number(rows: QuerySet[Any]) -> Func:
    few = rows.order_by().values(one=Value(1))[: SEEN_AT_MOST + 1]
    return Func(ArraySubquery(few), function="CARDINALITY", output_field=IntegerField())


def _first(rows: QuerySet[Any], column: str) -> Subquery:
    return Subquery(rows.order_by("pk").values(column)[:1])


def lane_of(link: Any) -> Lane:
    """One row of `lanes`."""
    known: LaneRow | None = getattr(link, "lane", None)
    return Lane(
        link=link.pk,
        queue=link.queue_id,
        queue_name=link.queue.name,
        queue_label=link.queue.label,
        queue_type=link.queue.type,
        connection=link.connection_id,
        connection_name=link.connection.name,
        connection_api_name=link.connection.api_name,
        is_active=link.is_active,
        delivery_enabled=link.queue.delivery_enabled,
        last_outcome=known.last_outcome if known else "",
        last_error=known.last_error if known else "",
        last_error_at=known.last_error_at if known else None,
        paused_until=known.paused_until if known else None,
        waiting=link.waiting,
        oldest_at=link.oldest_at,
    )


def _traffic(place: Standing, tallies: QuerySet[QueueTally] | None, now: datetime) -> Asking[Traffic]:
    counters = QueueTally.objects.none() if tallies is None else tallies
    sums = counters.order_by().values_list("queue__vault").annotate(total=Sum("waiting"))
    links, waiting = yield place, sums
    found = [lane_of(link) for link in links]
    (taken,) = yield (_slots([lane.link for lane in found], now),)
    slots: dict[int, list[TrafficSlot]] = defaultdict(list)
    for slot in taken:
        slots[slot.link_id].append(slot)
    each = [(lane, _flow(slots[lane.link], lane.waiting, lane.oldest_at, now)) for lane in found]
    oldest = min((lane.oldest_at for lane in found if lane.oldest_at is not None), default=None)
    number = sum(lane.waiting for lane in found) if tallies is None else sum(total for _, total in waiting)
    return Traffic(each, _flow(taken, number, oldest, now))


def _slots(links: list[int], now: datetime) -> QuerySet[TrafficSlot]:
    """The short ones of the last hour and the long ones of the last day."""
    short = Q(minutes=SHORT, starts_at__gt=start_of(now, SHORT) - timedelta(hours=1))
    long = Q(minutes=LONG, starts_at__gt=start_of(now, LONG) - timedelta(hours=HOURS))
    return TrafficSlot.objects.filter(short | long, link__in=links)


def _flow(slots: Sequence[TrafficSlot], waiting: int, oldest: datetime | None, now: datetime) -> Flow:
    short = [slot for slot in slots if slot.minutes == SHORT]
    long = [slot for slot in slots if slot.minutes == LONG]
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return Flow(
        waiting=waiting,
        oldest_at=oldest,
        last_hour=waits.percentiles(waits.add(slot.waits for slot in short)),
        last_day=waits.percentiles(waits.add(slot.waits for slot in long)),
        hour=_sums(short),
        day=_sums(long),
        today=_sums([slot for slot in long if slot.starts_at >= midnight]),
        hours=_hours(long, now),
    )


def _sums(slots: Sequence[TrafficSlot]) -> dict[str, int]:
    return {name: sum(getattr(slot, name) for slot in slots) for name in COUNTERS}


def _hours(slots: Sequence[TrafficSlot], now: datetime) -> list[Hour]:
    """The last day hour by hour, oldest first, quiet ones as zeros."""
    last = start_of(now, LONG)
    through: dict[datetime, int] = defaultdict(int)
    failures: dict[datetime, int] = defaultdict(int)
    for slot in slots:
        through[slot.starts_at] += slot.sent + slot.received
        failures[slot.starts_at] += slot.failures
    starts = [last - timedelta(hours=back) for back in reversed(range(HOURS))]
    return [Hour(start, through[start], failures[start]) for start in starts]
