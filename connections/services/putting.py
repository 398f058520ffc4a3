"""Put a message into an outbound queue, in the caller's transaction: one copy a connection (veeva-core section 5.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction

from connections import tokens
from connections.constants import ConnectionType, QueueType
from connections.models import Lane, MessageCopy, Queue, QueueConnection, SparkMessage
from connections.services import tallies
from connections.spark import message as wire
from connections.spark.message import AttributeValue, MessageRefused, PutError
from connections.tokens import CustomValue
from vaultadmin import wake
from vaultadmin.audit import Actor
from vaultadmin.models import Membership, Vault

LANE = "connections.deliver"


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
    links = list(queue.connections.filter(is_active=True).select_related("connection", "lane").order_by("pk"))
    if not links:
        raise MessageRefused(PutError.NO_ACTIVE_CONNECTION, f"No active connection belongs to the queue “{queue}”.")
    paths = _paths(draft.paths or {}, links)
    tallies.make_room(queue, len(links))
    message = SparkMessage.objects.create(
        vault_id=queue.vault_id,
        queue=queue,
        payload=wire.write_payload(draft.attributes, draft.items),
        has_tokens=any(isinstance(value, str) and tokens.PATTERN.search(value) for value in draft.attributes.values()),
        custom=dict(draft.custom or {}),
        keys=_keys(draft),
        item_count=len(draft.items),
        is_receipt=draft.is_receipt,
        execution_id=execution_id,
        put_by=_label(by),
        entered_at=now,
    )
    copies = [_copy(message, queue, link, paths.get(link.connection.api_name, ""), now) for link in links]
    MessageCopy.objects.bulk_create(copies)
    tallies.add({queue.pk: len(copies)})
    wake.wake(LANE, queue_id=queue.pk)
    return tuple(Put(copy.message_id, link.connection.api_name) for copy, link in zip(copies, links, strict=True))


def _copy(message: SparkMessage, queue: Queue, link: QueueConnection, path: str, now: datetime) -> MessageCopy:
    return MessageCopy(
        vault_id=queue.vault_id,
        queue=queue,
        content=message,
        connection_id=link.connection_id,
        message_id=uuid4(),
        path=path,
        entered_at=now,
        stood_still_before=_standstill(link, now),
        due_at=now,
    )


def _standstill(link: QueueConnection, now: datetime) -> timedelta:
    lane: Lane = link.lane
    return lane.standstill(now)


def _paths(paths: Mapping[str, str], links: list[QueueConnection]) -> dict[str, str]:
    external = {link.connection.api_name for link in links if link.connection.type == ConnectionType.EXTERNAL}
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
