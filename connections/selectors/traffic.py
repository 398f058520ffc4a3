"""What queues and connections carry now and carried of late: backlog, oldest message, waits, hours.

Every question is bounded: counters by queue, one index entry for the oldest message of a lane, at most a thousand
entries for its backlog, and the slots of one day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.db.models import Q, Sum

from connections.models import Connection, Queue, QueueTally, TrafficSlot
from connections.models.traffic import LONG, SHORT, start_of
from connections.spark import waits
from connections.spark.waits import Percentiles
from vaultadmin.models import Vault

COUNTERS = ("sent", "received", "failures", "retries", "timeouts", "fatal")
HOURS = 24
# So far a lane's own backlog is counted; beyond, "more than" says enough.
SEEN_AT_MOST = 1000

_LANES = """
SELECT k.id, q.id, q.name, q.label, q.type, c.id, c.name, c.api_name, k.is_active, q.delivery_enabled,
       COALESCE(l.last_outcome, ''), COALESCE(l.last_error, ''), l.last_error_at,
       l.paused_until, back.number, back.oldest
  FROM connections_queueconnection k
  JOIN connections_queue q ON q.id = k.queue_id
  JOIN connections_connection c ON c.id = k.connection_id
  LEFT JOIN connections_lane l ON l.link_id = k.id
 CROSS JOIN LATERAL (
       SELECT (SELECT count(*) FROM (SELECT 1 FROM connections_messagecopy m
                WHERE m.queue_id = q.id AND m.connection_id = c.id AND m.due_at IS NOT NULL LIMIT %(most)s) seen),
              (SELECT m.entered_at FROM connections_messagecopy m
                WHERE m.queue_id = q.id AND m.connection_id = c.id AND m.due_at IS NOT NULL ORDER BY m.id LIMIT 1)
        WHERE q.type = 'outbound'
        UNION ALL
       SELECT (SELECT count(*) FROM (SELECT 1 FROM connections_incomingmessage m
                WHERE m.queue_id = q.id AND m.connection_id = c.id AND m.due_at IS NOT NULL LIMIT %(most)s) seen),
              (SELECT m.received_at FROM connections_incomingmessage m
                WHERE m.queue_id = q.id AND m.connection_id = c.id AND m.due_at IS NOT NULL ORDER BY m.id LIMIT 1)
        WHERE q.type = 'inbound'
 ) back(number, oldest)
 WHERE (%(vault)s::bigint IS NULL OR k.vault_id = %(vault)s) AND (%(queue)s::bigint IS NULL OR q.id = %(queue)s)
   AND (%(connection)s::bigint IS NULL OR c.id = %(connection)s)
 ORDER BY q.name, c.name, k.id
 LIMIT %(lanes)s
"""
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


def of_queue(queue: Queue, *, now: datetime) -> Traffic:
    """A queue with its connections."""
    return _traffic({"queue": queue.pk, "vault": queue.vault_id}, waiting_in((queue.pk,)), now)


def of_connection(connection: Connection, *, now: datetime) -> Traffic:
    """A connection with the queues it belongs to."""
    return _traffic({"connection": connection.pk, "vault": connection.vault_id}, None, now)


def of_vault(vault: Vault, *, now: datetime) -> Traffic:
    """Every queue of a vault that has connections."""
    waiting = QueueTally.objects.filter(queue__vault=vault).aggregate(total=Sum("waiting"))["total"] or 0
    return _traffic({"vault": vault.pk}, waiting, now)


def waiting_in(queues: Iterable[int]) -> int:
    """Messages in these queues, from their counters."""
    return QueueTally.objects.filter(queue__in=list(queues)).aggregate(total=Sum("waiting"))["total"] or 0


def lanes(*, vault: int | None = None, queue: int | None = None, connection: int | None = None) -> list[Lane]:
    """Lanes of a place, at most two hundred; what waits is counted up to a thousand and one."""
    values: dict[str, Any] = {
        "vault": vault,
        "queue": queue,
        "connection": connection,
        "most": SEEN_AT_MOST + 1,
        "lanes": _MOST_LANES,
    }
    with database.cursor() as cursor:
        cursor.execute(_LANES, values)
        return [Lane(*row) for row in cursor.fetchall()]


def _traffic(place: dict[str, int], waiting: int | None, now: datetime) -> Traffic:
    found = lanes(**place)
    slots: dict[int, list[TrafficSlot]] = defaultdict(list)
    for slot in _slots([lane.link for lane in found], now):
        slots[slot.link_id].append(slot)
    each = [(lane, _flow(slots[lane.link], lane.waiting, lane.oldest_at, now)) for lane in found]
    oldest = min((lane.oldest_at for lane in found if lane.oldest_at is not None), default=None)
    number = sum(lane.waiting for lane in found) if waiting is None else waiting
    return Traffic(each, _flow([slot for some in slots.values() for slot in some], number, oldest, now))


def _slots(links: list[int], now: datetime) -> list[TrafficSlot]:
    """The short ones of the last hour and the long ones of the last day."""
    short = Q(minutes=SHORT, starts_at__gt=start_of(now, SHORT) - timedelta(hours=1))
    long = Q(minutes=LONG, starts_at__gt=start_of(now, LONG) - timedelta(hours=HOURS))
    return list(TrafficSlot.objects.filter(short | long, link__in=links))


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
