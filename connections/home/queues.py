"""What queues show on pages that belong to everybody: home, palette, the status page's lanes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse

from connections.constants import QueueType
from connections.models import Queue
from connections.selectors import queues as selectors
from connections.selectors import waiting
from connections.services.messages.queues import VIEWERS
from vaultadmin import clock
from vaultadmin.models import Membership
from vaultadmin.permissions import can_any
from vaultadmin.registries import Card, Hit, Lane, Trouble
from vaultadmin.together import Asking, rows_of, together

_HITS = 5
_TROUBLES = 5
_ICONS = {QueueType.OUTBOUND: "send", QueueType.INBOUND: "inbox", QueueType.JOB: "settings"}


def cards(member: Membership) -> Asking[list[Card]]:
    """How many queues fail, how many hold messages that were set aside, or how many messages wait."""
    if not can_any(member, VIEWERS):
        return []
    url = reverse("connections:queues", args=[member.vault_id])
    ids = rows_of(Queue.objects.visible_to(member).order_by().values_list("pk", flat=True))
    asked: list[Asking[Any]] = [ids, selectors.waiting_by_queue(member), selectors.failing(member, now=clock.now())]
    queues, waiting, failing = yield from together(asked)
    if not queues:
        return [Card("Queues", "0", "None yet. A queue carries Spark messages.", url, "neutral", "stack-2")]
    number = sum(waiting.values())
    sentence = f"{number:,} message{' waits' if number == 1 else 's wait'} in {'it' if len(queues) == 1 else 'them'}."
    failed = [one for one in failing if not one.is_waiting]
    if failed:
        return [Card("Queues", f"{len(failed)} failing", sentence, url, "danger", "stack-2")]
    if failing:
        decide = f"{len(failing)} need{'s' if len(failing) == 1 else ''} a decision"
        return [Card("Queues", decide, sentence, url, "warning", "stack-2")]
    return [Card("Queues", f"{len(queues)} working", sentence, url, "success", "stack-2")]


def troubles(member: Membership) -> Asking[list[Trouble]]:
    """One line for each queue that needs somebody."""
    if not can_any(member, VIEWERS):
        return []
    found = yield from selectors.failing(member, now=clock.now())
    return [
        Trouble(
            title=one.queue.label,
            text=_why(one),
            since=one.since,
            count=f"{one.waiting:,} waiting" if one.waiting and not one.is_waiting else "",
            url=reverse("connections:queue", args=[member.vault_id, one.queue.name]),
            is_waiting=one.is_waiting,
        )
        for one in found[:_TROUBLES]
    ]


def _why(one: selectors.Failing) -> str:
    if one.is_waiting:
        return one.error
    others = one.connections - 1
    more = f" {others} more of its connections fail{'s' if others == 1 else ''}, too." if others else ""
    return f"{one.connection}: {one.error}{more}"


def hits(member: Membership, text: str) -> list[Hit]:
    """Queues whose label or name fits, for the palette."""
    if not text.strip():
        return []
    rows = selectors.queues(member, {"q": text}).order_by("name", "pk")[:_HITS]
    return [
        Hit(
            label=queue.label,
            kind="Queue",
            url=reverse("connections:queue", args=[member.vault_id, queue.name]),
            icon=_ICONS[QueueType(queue.type)],
            hint=queue.name,
        )
        for queue in rows
    ]


def sending(now: datetime) -> Lane:
    """Spark messages that are due to leave; those of queues that may not move are parked."""
    found = waiting.to_send(now)
    return Lane("Spark messages to send", found.due, found.oldest, found.parked)


def processing(now: datetime) -> Lane:
    """Spark messages that arrived and are due to be processed."""
    found = waiting.to_process(now)
    return Lane("Spark messages to process", found.due, found.oldest)
