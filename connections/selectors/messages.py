"""Questions of the message pages: what fits the filters, newest first by key, and what belongs to one message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from connections.constants import CopyState, IncomingState
from connections.models import Connection, DeliveryAttempt, IncomingMessage, Lane, MessageCopy, Queue, SparkMessage
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission
from vaultadmin.together import Asking

OUT, IN = "out", "in"
DIRECTIONS: Final = ((OUT, "Outgoing"), (IN, "Incoming"))
FILTERS: Final = ("q", "direction", "state", "queue", "connection", "since", "until")
READERS: Final = (Permission.MESSAGES_OPERATE, Permission.SPARK_QUEUES)
PERIODS: Final = (("1h", "Last hour", timedelta(hours=1)), ("24h", "Last 24 hours", timedelta(days=1)))
PERIODS_LONG: Final = (("7d", "Last 7 days", timedelta(days=7)), ("30d", "Last 30 days", timedelta(days=30)))
ALL_PERIODS: Final = (*PERIODS, *PERIODS_LONG)
DOTS: Final = 5
# A key that more messages than these share finds the newest of them.
_MOST_BY_KEY: Final = 1_000


@dataclass(frozen=True)
class Asked:
    """The filters of a list, read from its address: what means nothing is left out."""

    q: str = ""
    direction: str = OUT
    state: str = ""
    queue: str = ""
    connection: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_outgoing(self) -> bool:
        """Copies on their way out, not what came in?"""
        return self.direction == OUT


def read(values: Mapping[str, str], *, now: datetime) -> Asked:
    """Filters from an address or from a plan that kept them."""
    direction = IN if values.get("direction") == IN else OUT
    states = CopyState.values if direction == OUT else IncomingState.values
    state = values.get("state", "")
    return Asked(
        q=values.get("q", "").replace("\x00", "").strip()[:200],
        direction=direction,
        state=state if state in states else "",
        queue=values.get("queue", "").replace("\x00", "")[:40],
        connection=values.get("connection", "").replace("\x00", "")[:40],
        since=moment(values.get("since", ""), now=now),
        until=moment(values.get("until", ""), now=now),
    )


def moment(text: str, *, now: datetime) -> datetime | None:
    """A time as an address names it: a period until now, or a time of which UTC is meant unless it says otherwise."""
    for name, _label, length in ALL_PERIODS:
        if text == name:
            return now - length
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def outgoing(member: Membership, asked: Asked) -> QuerySet[MessageCopy]:
    """Visible copies that fit, in no order yet, without their payloads."""
    rows = _of_places(MessageCopy.objects.visible_to(member), asked)
    if asked.state:
        rows = rows.filter(state=asked.state)
    if asked.since:
        rows = rows.filter(entered_at__gte=asked.since)
    if asked.until:
        rows = rows.filter(entered_at__lt=asked.until)
    if asked.q:
        rows = rows.filter(_found_out(member, asked.q))
    return rows.select_related("queue", "connection", "content").defer("content__payload", "content__custom")


def incoming(member: Membership, asked: Asked) -> QuerySet[IncomingMessage]:
    """Visible messages of inbound queues that fit, in no order yet, without their bodies."""
    rows = _of_places(IncomingMessage.objects.visible_to(member), asked)
    if asked.state:
        rows = rows.filter(state=asked.state)
    if asked.since:
        rows = rows.filter(received_at__gte=asked.since)
    if asked.until:
        rows = rows.filter(received_at__lt=asked.until)
    if asked.q:
        number = _uuid(asked.q)
        found = Q(keys__contains=[asked.q])
        rows = rows.filter(found | _came_in_as(member, number) if number else found)
    return rows.select_related("queue", "connection").defer("body")


def queues(member: Membership, *, outbound: bool) -> QuerySet[Queue]:
    """What the filter of queues offers."""
    return Queue.objects.visible_to(member).filter(type="outbound" if outbound else "inbound").order_by("name")


def connections(member: Membership) -> QuerySet[Connection]:
    """What the filter of connections offers: those queues name, now or with messages of theirs."""
    rows: QuerySet[Connection] = Connection.objects.filter(vault=member.vault_id, queue_connections__isnull=False)
    return rows.distinct().order_by("name")


def newest_of(member: Membership, connection: Connection, *, number: int) -> QuerySet[MessageCopy]:
    """What left through a connection last."""
    rows = MessageCopy.objects.visible_to(member).filter(connection=connection).select_related("queue")
    return rows.order_by("-pk")[:number]


def find_copy(member: Membership, message_id: UUID) -> MessageCopy | None:
    """One outgoing copy with everything its page shows."""
    rows = MessageCopy.objects.visible_to(member).select_related("queue", "connection", "content", "vault", "resend_of")
    return rows.filter(message_id=message_id).first()


def find_incoming(member: Membership, key: int) -> IncomingMessage | None:
    """One message that came in."""
    rows = IncomingMessage.objects.visible_to(member).select_related("queue", "connection", "vault")
    return rows.filter(pk=key).first()


def find_arrived(member: Membership, message_id: UUID) -> IncomingMessage | None:
    """The newest message that came in under an id."""
    rows = IncomingMessage.objects.visible_to(member).filter(_came_in_as(member, message_id))
    return rows.order_by("-pk").first()


def siblings(copy: MessageCopy) -> QuerySet[MessageCopy]:
    """The other copies of the same message: those of other connections, and what was sent again."""
    rows = MessageCopy.objects.filter(content=copy.content_id).exclude(pk=copy.pk)
    return rows.select_related("connection", "queue").order_by("pk")


def lanes_of(copies: Iterable[MessageCopy]) -> Asking[dict[tuple[int, int | None], Lane]]:
    """How the lanes of copies stand, by queue and connection."""
    queues = sorted({copy.queue_id for copy in copies})
    (rows,) = yield (Lane.objects.filter(link__queue__in=queues).select_related("link").order_by("pk"),)
    return {(lane.link.queue_id, lane.link.connection_id): lane for lane in rows}


def next_try(copy: MessageCopy, lane: Lane | None) -> datetime | None:
    """When a copy is tried next as things stand; None when it is settled, or nothing leaves through its lane."""
    if copy.due_at is None or lane is None or lane.stopped_since is not None:
        return None
    return max(copy.due_at, lane.paused_until) if lane.paused_until is not None else copy.due_at


def newest_tries(copies: Iterable[MessageCopy]) -> Asking[dict[int, list[DeliveryAttempt]]]:
    """The last attempts of each copy, oldest first: what the dots of a list show."""
    last = {copy.pk: copy.attempts for copy in copies if copy.attempts}
    wanted = Q(pk__in=[])
    for number in set(last.values()):
        ids = [pk for pk, attempts in last.items() if attempts == number]
        wanted |= Q(copy__in=ids, number__gt=number - DOTS)
    few = DeliveryAttempt.objects.filter(wanted).only("copy_id", "number", "outcome", "status", "started_at")
    (rows,) = yield (few.order_by("copy_id", "number"),)
    found: dict[int, list[DeliveryAttempt]] = {pk: [] for pk in last}
    for attempt in rows:
        found[attempt.copy_id].append(attempt)
    return found


def _of_places(rows: QuerySet[Any], asked: Asked) -> QuerySet[Any]:
    if asked.queue:
        rows = rows.filter(queue__name=asked.queue)
    if asked.connection:
        rows = rows.filter(connection__api_name=asked.connection)
    return rows


def _found_out(member: Membership, text: str) -> Q:
    """A message id, or a business key: an item or the text of an attribute, whole."""
    if number := _uuid(text):
        return Q(message_id=number) | Q(content__in=_with_key(member, text))
    return Q(content__in=_with_key(member, text))


def _with_key(member: Membership, text: str) -> list[int]:
    # First the few by the index of keys, then their copies: the other way round reads every copy of the vault.
    rows = SparkMessage.objects.filter(keys__contains=[text[:100]], vault=member.vault_id)
    return list(rows.order_by("-pk").values_list("pk", flat=True)[:_MOST_BY_KEY])


def _came_in_as(member: Membership, message_id: UUID) -> Q:
    # The index of ids begins with the connection, so they are named; Local messages have none.
    homes = Connection.objects.filter(vault=member.vault_id).values("pk")
    return Q(message_id=message_id) & (Q(connection__in=homes) | Q(connection__isnull=True))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
