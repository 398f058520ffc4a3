"""Put a message into an outbound queue, in the caller's transaction: one copy a connection (veeva-core section 5.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection as database
from django.db import transaction

from connections import tokens
from connections.constants import ConnectionType, CopyState, QueueType
from connections.models import Lane, MessageCopy, Queue, SparkMessage
from connections.services.messages import local_puts, tallies
from connections.spark import message as wire
from connections.spark.message import AttributeValue, MessageRefused, PutError
from connections.tokens import CustomValue
from vaultadmin import wake
from vaultadmin.audit import Actor
from vaultadmin.models import Membership, Vault

LANE = "connections.deliver"

# Locked against being taken from the queue until the copies are there: whoever removes one sees what waits for it.
_WAYS = """
SELECT k.id, k.connection_id, c.api_name, c.type, l.stopped_since, l.stood_still,
       c.type = 'local__sys' AND EXISTS (SELECT 1 FROM connections_messagecopy w WHERE w.queue_id = k.queue_id
           AND w.connection_id = k.connection_id AND w.due_at IS NOT NULL)
  FROM connections_queueconnection k
  JOIN connections_connection c ON c.id = k.connection_id
  JOIN connections_lane l ON l.link_id = k.id
 WHERE k.queue_id = %(queue)s AND k.is_active
 ORDER BY k.id
   FOR KEY SHARE OF k
"""


class PutRefused(Exception):
    """The message did not enter a queue that rolls back on errors: the caller's transaction is lost, too."""

    def __init__(self, error: PutError, sentence: str) -> None:
        super().__init__(sentence)
        self.error = error


@dataclass(frozen=True)
class Put:
    """One copy: its message id, and the API name of the connection it leaves through."""

    message_id: UUID
    connection_name: str


@dataclass(frozen=True)
class PutResponse:
    """What became of a put: copies, or a code with one sentence."""

    copies: tuple[Put, ...] = ()
    error: PutError | None = None
    sentence: str = ""


@dataclass(frozen=True)
class Draft:
    """What a program wants to send.

    `paths` are appended to the URLs of External connections, by API name; `custom` are the values `${Custom.…}` stands
    for in this message and in its URLs.
    """

    attributes: Mapping[str, AttributeValue]
    items: Sequence[str] = ()
    paths: Mapping[str, str] | None = None
    custom: Mapping[str, CustomValue] | None = None
    is_receipt: bool = False


def enqueue(
    *, vault: Vault, queue: str, draft: Draft, by: Actor, now: datetime, execution_id: UUID | None = None
) -> PutResponse:
    """Copy a message to every active connection of an outbound queue, inside the caller's transaction.

    Each copy has its own id and fate. When the message cannot enter and the queue's Rollback on Error is on,
    PutRefused is raised and the caller's transaction can only be rolled back; otherwise the answer says why and the
    caller carries on.
    """
    found = Queue.objects.filter(vault=vault, name=queue).first()
    try:
        with transaction.atomic():
            copies = _put(_open(found, queue), draft, by, now, execution_id or uuid4())
    except MessageRefused as refusal:
        if found is None or not found.rollback_on_error:
            return PutResponse(error=refusal.error, sentence=str(refusal))
        if transaction.get_connection().in_atomic_block:
            # Whoever catches the exception must not commit by mistake what came before.
            transaction.set_rollback(True)
        raise PutRefused(refusal.error, str(refusal)) from refusal
    return PutResponse(copies=copies)


def _open(queue: Queue | None, name: str) -> Queue:
    if queue is None:
        raise MessageRefused(PutError.QUEUE_UNKNOWN, f"This Vault has no queue “{name[:80]}”.")
    if queue.type != QueueType.OUTBOUND:
        kind = QueueType(queue.type).label
        raise MessageRefused(
            PutError.QUEUE_WRONG_TYPE, f"“{queue}” is an {kind} queue; messages leave by Outbound ones."
        )
    if not queue.is_active:
        raise MessageRefused(PutError.QUEUE_INACTIVE, f"The queue “{queue}” is Inactive and takes no new messages.")
    return queue


def _put(queue: Queue, draft: Draft, by: Actor, now: datetime, execution_id: UUID) -> tuple[Put, ...]:
    wire.check(draft.attributes, draft.items)
    wire.check_custom(draft.custom or {})
    ways = list(_ways(queue))
    if not ways:
        raise MessageRefused(PutError.NO_ACTIVE_CONNECTION, f"No active connection belongs to the queue “{queue}”.")
    paths = _paths(draft.paths or {}, ways)
    has_tokens = any(isinstance(text, str) and tokens.PATTERN.search(text) for text in draft.attributes.values())
    # What holds tokens is filled in by the sender, as for every other connection.
    straight = {way.link: local_puts.target(way.link) for way in ways if way.is_open and not has_tokens}
    waiting = len(ways) - len(straight)
    tallies.make_room(queue, waiting)
    message = SparkMessage.objects.create(
        vault_id=queue.vault_id,
        queue=queue,
        payload=wire.write_payload(draft.attributes, draft.items),
        has_tokens=has_tokens,
        custom=wire.plain(draft.custom or {}),
        keys=_keys(draft),
        item_count=len(draft.items),
        is_receipt=draft.is_receipt,
        execution_id=execution_id,
        put_by=_label(by),
        entered_at=now,
    )
    copies = [_copy(message, way, paths.get(way.api_name, ""), now, straight=way.link in straight) for way in ways]
    MessageCopy.objects.bulk_create(copies)
    for way, copy in zip(ways, copies, strict=True):
        if way.link in straight:
            local_puts.arrive(copy, straight[way.link], now=now)
    if waiting:
        tallies.add({queue.pk: waiting})
        wake.wake(LANE)
    return tuple(Put(copy.message_id, way.api_name) for copy, way in zip(copies, ways, strict=True))


@dataclass(frozen=True, slots=True)
class _Way:
    """One active connection of a queue as a put sees it."""

    link: int
    connection: int
    api_name: str
    type: str
    stopped_since: datetime | None
    stood_still: timedelta
    has_waiting: bool

    @property
    def is_open(self) -> bool:
        """Does a message go into the inbound queue at once? Not past others that wait, nor while the lane stands."""
        return self.type == ConnectionType.LOCAL and self.stopped_since is None and not self.has_waiting


def _ways(queue: Queue) -> Iterator[_Way]:
    with database.cursor() as cursor:
        cursor.execute(_WAYS, {"queue": queue.pk})
        yield from (_Way(*row) for row in cursor.fetchall())


def _copy(message: SparkMessage, way: _Way, path: str, now: datetime, *, straight: bool) -> MessageCopy:
    lane = Lane(stopped_since=way.stopped_since, stood_still=way.stood_still)
    return MessageCopy(
        vault_id=message.vault_id,
        queue=message.queue,
        content=message,
        connection_id=way.connection,
        message_id=uuid4(),
        path=path,
        entered_at=now,
        stood_still_before=lane.standstill(now),
        state=(CopyState.DELIVERED if straight else CopyState.WAITING).value,
        due_at=None if straight else now,
        settled_at=now if straight else None,
        attempts=int(straight),
    )


def _paths(paths: Mapping[str, str], ways: list[_Way]) -> dict[str, str]:
    external = {way.api_name for way in ways if way.type == ConnectionType.EXTERNAL}
    for name, path in paths.items():
        if name not in external:
            sentence = f"A path can only be given for an External connection of the queue; “{name[:80]}” is none."
            raise MessageRefused(PutError.BAD_PATH, sentence)
        wire.check_path(path)
    return dict(paths)


def _keys(draft: Draft) -> list[str]:
    """What people find a message by: its items and its text attributes, whole, without those that stand for others."""
    texts = [value for value in draft.attributes.values() if isinstance(value, str) and "${" not in value]
    return list(dict.fromkeys(text for text in (*draft.items, *texts) if 0 < len(text) <= wire.MAX_ITEM_LENGTH))


def _label(by: Actor) -> str:
    return str(by) if isinstance(by, Membership) else getattr(by, "name", str(by))
