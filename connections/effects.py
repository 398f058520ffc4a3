"""What begins when a connection becomes Active, for the plan an approver signs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q

from connections.constants import RecordStatus
from connections.foresight import Effect
from connections.models import Connection, QueueConnection


def integrations(connection: Connection) -> Iterable[Effect]:
    """The integrations that are switched on, with how many of their points are."""
    active = Count("points", filter=Q(points__status=RecordStatus.ACTIVE))
    rows: Iterable[Any] = connection.integrations.active().annotate(active_points=active)
    for row in rows:
        points = f"{row.active_points} active integration point{'' if row.active_points == 1 else 's'}"
        yield Effect("Integration", f"{row.name} ({row.api_name})", points)


def queues(connection: Connection) -> Iterable[Effect]:
    """The queues that send through it or take from it. How much waits is left out: it changes while somebody reads."""
    links = connection.queue_connections.filter(is_active=True).select_related("queue").order_by("pk")
    for link in links:
        yield Effect("Queue", f"{link.queue.label} ({link.queue.name})", _traffic(link))


def _traffic(link: QueueConnection) -> str:
    queue = link.queue
    if queue.is_inbound:
        return "messages are taken in" if queue.is_active else "Inactive: takes no new messages"
    if not queue.delivery_enabled:
        return "delivery is disabled: messages wait"
    return f"messages leave for {link.deliver_to_queue}" if link.deliver_to_queue else "messages leave"
