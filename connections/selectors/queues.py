"""Queues as the list, their pages, the home and the REST API show them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, Exists, Max, OuterRef, Q, QuerySet, Subquery, Sum, When
from django.db.models.functions import Upper

from connections.constants import ConnectionType, CopyState, IncomingState, LaneOutcome, QueueType
from connections.models import Connection, IncomingMessage, Lane, MessageCopy, Queue, QueueConnection, QueueTally
from vaultadmin.models import Membership
from vaultadmin.query import PAGE, as_key
from vaultadmin.standing import Standing, standing_for
from vaultadmin.together import Asking, rows_of, together

FILTERS = ("q", "type", "status", "delivery")
SORTS = {"name": "name_key", "changed": "modified_at"}
STATUSES = {"active": True, "inactive": False}
DELIVERIES = {"enabled": True, "disabled": False}
# An error nobody waits for any more is told this long.
_RECENT = timedelta(days=1)
_MOST_FAILING = 200


@dataclass(frozen=True)
class Page:
    """One page of queues in the asked order, and the key of the next."""

    rows: Sequence[Queue]
    next_key: str


@dataclass(frozen=True)
class Outcome:
    """How one delivery ended and when; of an error why, and which message it was."""

    word: LaneOutcome
    at: datetime
    error: str = ""
    message_id: UUID | None = None


@dataclass(frozen=True)
class Failing:
    """A queue that needs somebody: its newest error, through how many of its connections, and how much waits in it."""

    queue: Queue
    connection: str
    since: datetime
    error: str
    connections: int
    waiting: int

    @property
    def is_waiting(self) -> bool:
        """Nothing fails any more: what its messages lack is somebody's decision."""
        return self.connections == 0


def queues(member: Membership, asked: dict[str, str]) -> QuerySet[Queue]:
    """Those the member may see and asked for by FILTERS; senseless filters fall away."""
    rows = Queue.objects.visible_to(member)
    if search := asked.get("q", "").replace("\x00", "").strip()[:100]:
        rows = rows.filter(Q(name__icontains=search) | Q(label__icontains=search))
    if asked.get("type") in QueueType.values:
        rows = rows.filter(type=asked["type"])
    if asked.get("status") in STATUSES:
        rows = rows.filter(is_active=STATUSES[asked["status"]])
    if asked.get("delivery") in DELIVERIES:
        rows = rows.filter(delivery_enabled=DELIVERIES[asked["delivery"]])
    return rows


def page(rows: QuerySet[Queue], *, sort: str, after: str) -> Page:
    """The page that follows the queue with the id `after`, sorted by one of SORTS ("-" turns it round)."""
    column = SORTS.get(sort.lstrip("-"), "name_key")
    rows = rows.annotate(
        name_key=Upper("label"),
        has_errors=Exists(_errors().filter(link__queue=OuterRef("pk"))),
        link_count=Count("connections"),
    )
    descending = sort.startswith("-")
    key = as_key(after)
    last = rows.filter(pk=key).first() if key is not None else None
    if last is not None:
        way, value = "lt" if descending else "gt", getattr(last, column)
        rows = rows.filter(Q(**{f"{column}__{way}": value}) | Q(**{column: value, f"pk__{way}": last.pk}))
    order = [f"-{column}", "-pk"] if descending else [column, "pk"]
    found = list(rows.order_by(*order)[: PAGE + 1])
    return Page(found[:PAGE], str(found[PAGE - 1].pk) if len(found) > PAGE else "")


def find(member: Membership, name: str) -> Queue | None:
    """The queue of this name, with what its page needs."""
    rows = Queue.objects.visible_to(member).select_related("vault", "processor_user__user", "handler_user__user")
    return rows.filter(name=name).first()


def waiting_in(queues: Collection[int]) -> dict[int, int]:
    """How many messages wait in each of some queues by id, in one query; nothing for empty ones."""
    rows = QueueTally.objects.filter(queue__in=queues).order_by().values_list("queue")
    return {queue: total for queue, total in rows.annotate(total=Sum("waiting")) if total}


def waiting_by_queue(member: Membership) -> Asking[dict[int, int]]:
    """How many messages wait in each queue the member sees, by id; nothing for empty ones."""
    (found,) = yield (_tallies(member),)
    return {queue: total for queue, total in found if total}


def links(queue: Queue) -> QuerySet[QueueConnection]:
    """The connections of a queue in order, with the lanes of an outbound one."""
    rows: QuerySet[QueueConnection] = queue.connections.select_related("connection", "lane")
    return _with_straight(rows).order_by("connection__name", "pk")


def waiting_for(queue: Queue) -> Asking[dict[int, int]]:
    """How many copies wait for each connection of an outbound queue, by connection; a queue holds few enough."""
    rows = MessageCopy.objects.filter(queue=queue, due_at__isnull=False).order_by().values_list("connection")
    (found,) = yield (rows.annotate(number=Count("pk")),)
    return {connection: number for connection, number in found if connection is not None}


def waiting_through(member: Membership, connection: Connection) -> Asking[int]:
    """How many copies wait for a connection, in all queues that name it and the member sees."""
    named = connection.queue_connections.filter(queue__in=Queue.objects.visible_to(member)).values("queue")
    rows = MessageCopy.objects.filter(queue__in=named, connection=connection, due_at__isnull=False).order_by()
    (found,) = yield (rows.values_list("connection").annotate(number=Count("pk")),)
    return sum(number for _, number in found)


def set_aside_in(queue: Queue) -> Asking[int]:
    """How many messages of an inbound queue are set aside, because their processing was given up."""
    rows = IncomingMessage.objects.filter(queue=queue, state=IncomingState.SET_ASIDE).order_by()
    (found,) = yield (rows.values_list("queue").annotate(number=Count("pk")),)
    return sum(number for _, number in found)


def outcome(link: Any) -> Outcome | None:
    """How the last delivery through one of the `links` of a queue, or of those `using` a connection, ended; None while
    there was none."""
    lane: Lane | None = getattr(link, "lane", None)
    if lane is None:
        return None
    known = None
    if lane.last_outcome == LaneOutcome.OK and lane.last_delivered_at is not None:
        known = Outcome(LaneOutcome.OK, lane.last_delivered_at)
    elif lane.last_outcome == LaneOutcome.ERROR and lane.last_error_at is not None:
        known = Outcome(LaneOutcome.ERROR, lane.last_error_at, lane.last_error, lane.last_error_id)
    straight = link.straight_at
    return Outcome(LaneOutcome.OK, straight) if straight and (known is None or known.at < straight) else known


def find_link(queue: Queue, pk: int) -> QueueConnection | None:
    """One connection of a queue."""
    found: QueueConnection | None = queue.connections.select_related("connection", "queue").filter(pk=pk).first()
    return found


def using(member: Membership, connection: Connection) -> Standing:
    """The places where queues name a connection, as far as the member sees the queues."""
    return _using(member, connection=connection.pk)


@standing_for
def _using(member: Membership, *, connection: Any) -> QuerySet[QueueConnection]:
    named = QueueConnection.objects.filter(connection=connection)
    rows: QuerySet[QueueConnection] = named.select_related("queue", "lane", "connection")
    return _with_straight(rows.filter(queue__in=Queue.objects.visible_to(member))).order_by("queue__name", "pk")


def choices(member: Membership, queue: Queue) -> QuerySet[Connection]:
    """The connections a queue could still be given."""
    rows: QuerySet[Connection] = Connection.objects.filter(vault=member.vault_id)
    rows = rows.exclude(queue_connections__queue=queue)
    if queue.is_inbound:
        rows = rows.exclude(type=ConnectionType.EXTERNAL)
    return rows.order_by("name", "pk")


def inbound_names(member: Membership) -> list[str]:
    """The inbound queues of the vault: what a Local connection can deliver to."""
    return list(
        Queue.objects.filter(vault=member.vault_id, type=QueueType.INBOUND)
        .order_by("name")
        .values_list("name", flat=True)
    )


def administered(vault_id: int, types: Collection[QueueType]) -> QuerySet[Queue]:
    """The queues of a vault of some types, for who may administer these."""
    return Queue.objects.filter(vault=vault_id, type__in=types)


def failing(member: Membership, *, now: datetime) -> Asking[list[Failing]]:
    """Queues that need somebody, those first that hold most: an error with messages behind it, or a fresh one."""
    asked: list[Asking[Any]] = [rows_of(_failing_lanes(member)), waiting_by_queue(member), _parked(member)]
    errors, waiting, parked = yield from together(asked)
    by_queue: dict[int, list[Lane]] = {}
    for lane in errors:
        by_queue.setdefault(lane.link.queue_id, []).append(lane)
    found = [_failing(rows, waiting.get(queue, 0), now) for queue, rows in by_queue.items()]
    urgent = [one for one in found if one.waiting > 0 or now - one.since < _RECENT]
    return sorted([*urgent, *parked], key=lambda one: -one.waiting)


def _parked(member: Membership) -> Asking[list[Failing]]:
    """Inbound queues with messages somebody has to have processed again or to remove."""
    queues, found = yield _inbound(member), _counts_set_aside(member)
    by_key = {queue.pk: queue for queue in queues}
    return [Failing(by_key[queue], "", newest, _set_aside(number), 0, number) for queue, number, newest in found]


def _set_aside(number: int) -> str:
    if number == 1:
        return "1 message was set aside after its last try. Process it again, or remove it."
    return f"{number:,} messages were set aside after their last try. Process them again, or remove them."


@standing_for
def _failing_lanes(member: Membership) -> QuerySet[Lane]:
    rows = _errors().filter(link__queue__in=Queue.objects.visible_to(member), link__is_active=True)
    return rows.select_related("link__queue", "link__connection").order_by("-last_error_at", "pk")[:_MOST_FAILING]


@standing_for
def _tallies(member: Membership) -> QuerySet[Any]:
    visible = Queue.objects.visible_to(member).order_by()
    rows = QueueTally.objects.filter(queue__in=visible).order_by().values_list("queue")
    return rows.annotate(total=Sum("waiting"))


@standing_for
def _inbound(member: Membership) -> QuerySet[Queue]:
    return Queue.objects.visible_to(member).filter(type=QueueType.INBOUND)


@standing_for
def _counts_set_aside(member: Membership) -> QuerySet[Any]:
    inbound = Queue.objects.visible_to(member).filter(type=QueueType.INBOUND).order_by()
    rows = IncomingMessage.objects.filter(queue__in=inbound, state=IncomingState.SET_ASIDE).order_by()
    return rows.values_list("queue").annotate(number=Count("pk"), newest=Max("settled_at"))


def _failing(lanes: list[Lane], waiting: int, now: datetime) -> Failing:
    newest = lanes[0]
    link = newest.link
    return Failing(link.queue, str(link), newest.last_error_at or now, newest.last_error, len(lanes), waiting)


def _with_straight(links: QuerySet[QueueConnection]) -> QuerySet[QueueConnection]:
    """With `straight_at`: when a message last went straight into its inbound queue; no lane sees those."""
    rows = MessageCopy.objects.filter(
        queue=OuterRef("queue"), connection=OuterRef("connection"), state=CopyState.DELIVERED
    )
    newest = Subquery(rows.order_by("-pk").values("settled_at")[:1])
    return links.annotate(straight_at=Case(When(connection__type=ConnectionType.LOCAL, then=newest)))


def _errors() -> QuerySet[Lane]:
    """Lanes whose last attempt went wrong."""
    return Lane.objects.filter(last_outcome=LaneOutcome.ERROR)
