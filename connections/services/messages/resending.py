"""Send messages again: the frozen payload as a new copy with an id of its own, signed anew, linked to the original."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet

from connections.constants import CopyState
from connections.models import MessageCopy, QueueConnection
from connections.services.messages import putting, tallies
from connections.services.refusals import Refused
from connections.spark.message import MessageRefused
from vaultadmin import audit, wake
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure

# So many can be ticked: a page of the list. More is a replay, with a plan first.
MOST: Final = 50

WAITING, REMOVED, NO_PAYLOAD = "waiting", "removed", "no_payload"
NO_CONNECTION, NOT_CONNECTED, LINK_INACTIVE, QUEUE_INACTIVE = (
    "no_connection",
    "not_connected",
    "link_inactive",
    "queue_inactive",
)
SENT_AGAIN = "sent_again"
# Why a message cannot be sent again, by the codes plans keep.
REASONS: Final[dict[str, str]] = {
    WAITING: "It is still being tried.",
    REMOVED: "It was deleted from its queue.",
    NO_PAYLOAD: "Its content was removed after the time messages are kept.",
    NO_CONNECTION: "Its connection was deleted.",
    NOT_CONNECTED: "Its connection does not belong to the queue any more.",
    LINK_INACTIVE: "Its connection is switched off in the queue.",
    QUEUE_INACTIVE: "The queue is Inactive and takes no new messages.",
    SENT_AGAIN: "It was sent again already; the newer message stands for it.",
}

Links = dict[tuple[int, int | None], QueueConnection]


@dataclass(frozen=True)
class Why:
    """Who sends again, why, and by which label the new copies keep that."""

    label: str
    reason: str = ""
    key: UUID | None = None


def refusal(copy: MessageCopy) -> str:
    """Why a message cannot be sent again now, in one sentence; empty when it can."""
    code = refusal_code(copy, links_of([copy]))
    return REASONS[code] if code else ""


def resend(
    *, copies: Sequence[MessageCopy], reason: str, by: Membership, now: datetime, key: UUID | None = None
) -> list[MessageCopy]:
    """New copies of chosen messages, in the order the originals entered, all or none; Refused names what cannot.

    A `key` makes repeating harmless: the copies it made before are returned again.
    """
    ensure(by, Permission.MESSAGES_OPERATE)
    if not copies or len(copies) > MOST:
        raise Refused(f"Choose between one and {MOST} messages; for more, replay what fits the filters.")
    with transaction.atomic():
        rows = list(
            rows_to_send([copy.pk for copy in copies])
            .filter(vault=by.vault_id)
            # The message, too: retention leaves alone what somebody holds.
            .select_for_update(of=("self", "content"))
        )
        if len(rows) != len({copy.pk for copy in copies}):
            raise Refused("Some of these messages are not there any more; look at the list again.")
        if before := _made_before(rows, key):
            return before
        links = links_of(rows)
        for row in rows:
            if code := refusal_code(row, links):
                raise Refused(f"{row.message_id}: {REASONS[code]}")
        try:
            made = put_again(rows, links, Why(str(by), reason.strip(), key), now=now)
        except MessageRefused as full:
            raise Refused(str(full)) from full
        entries = [_entry(old, new, reason.strip()) for old, new in zip(rows, made, strict=True)]
        audit.record_many(vault=by.vault, by=by, entries=entries)
    return made


def rows_to_send(ids: Sequence[int]) -> QuerySet[MessageCopy]:
    """What sending again needs of copies, the oldest first, without their payloads."""
    rows = MessageCopy.objects.filter(pk__in=list(ids)).select_related("content", "queue", "vault")
    return rows.defer("content__payload", "content__custom", "content__keys").order_by("pk")


def links_of(copies: Sequence[MessageCopy]) -> Links:
    """Through what copies of these queues leave now, by queue and connection."""
    rows = QueueConnection.objects.filter(queue__in={copy.queue_id for copy in copies}).select_related("lane")
    return {(link.queue_id, link.connection_id): link for link in rows}


def refusal_code(copy: MessageCopy, links: Links) -> str:
    """Why a message cannot be sent again, as a code of REASONS; empty when it can."""
    link = links.get((copy.queue_id, copy.connection_id))
    found = (
        (copy.state == CopyState.WAITING, WAITING),
        (copy.state == CopyState.REMOVED, REMOVED),
        (copy.content.payload_removed_at is not None, NO_PAYLOAD),
        (copy.connection_id is None, NO_CONNECTION),
        (link is None, NOT_CONNECTED),
        (link is not None and not link.is_active, LINK_INACTIVE),
        (not copy.queue.is_active, QUEUE_INACTIVE),
    )
    return next((code for holds, code in found if holds), "")


def put_again(copies: Sequence[MessageCopy], links: Links, why: Why, *, now: datetime) -> list[MessageCopy]:
    """Put new copies of messages that can be sent again into their queues, inside the caller's transaction.

    MessageRefused when a queue has no room for all of them.
    """
    more: dict[int, int] = {}
    for copy in copies:
        more[copy.queue_id] = more.get(copy.queue_id, 0) + 1
    queues = {copy.queue_id: copy.queue for copy in copies}
    for queue, number in sorted(more.items()):
        tallies.make_room(queues[queue], number)
    made = [_copy(copy, links[copy.queue_id, copy.connection_id], why, now) for copy in copies]
    MessageCopy.objects.bulk_create(made, batch_size=500)
    tallies.add(more)
    for queue in sorted(more):
        wake.wake(putting.LANE, queue_id=queue)
    return made


def _made_before(rows: Sequence[MessageCopy], key: UUID | None) -> list[MessageCopy]:
    if key is None:
        return []
    return list(MessageCopy.objects.filter(resend_of__in=rows, resend_key=key).order_by("pk"))


def _copy(copy: MessageCopy, link: QueueConnection, why: Why, now: datetime) -> MessageCopy:
    return MessageCopy(
        vault_id=copy.vault_id,
        queue_id=copy.queue_id,
        content_id=copy.content_id,
        connection_id=copy.connection_id,
        message_id=uuid4(),
        path=copy.path,
        entered_at=now,
        stood_still_before=link.lane.standstill(now),
        due_at=now,
        resend_of=copy,
        resent_by=why.label[:255],
        resend_reason=why.reason[:500],
        resend_key=why.key,
    )


def _entry(old: MessageCopy, new: MessageCopy, reason: str) -> audit.Entry:
    changes: audit.Changes = {"sent again as": (None, str(new.message_id)), "state of the original": (None, old.state)}
    return audit.Entry("message.resent", old._meta.label_lower, str(old.pk), str(old.message_id), changes, reason)
