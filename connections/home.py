"""What connections show on pages that belong to everybody: home tiles, palette, the status page's lane."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Min
from django.urls import reverse

from connections.constants import ConnectionState
from connections.models import OutgoingPeerMessage
from connections.selectors import connections as selectors
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import Card, Hit, Lane

_HITS = 5


def cards(member: Membership) -> list[Card]:
    """Connections by state, worst first in the sentence."""
    if not can(member, Permission.CONNECTION_READ):
        return []
    counts = selectors.counts_by_state(member)
    url = reverse("connections:list", args=[member.vault_id])
    broken, waiting = counts.get(ConnectionState.DISCONNECTED, 0), _waiting(counts)
    if broken:
        tone, sentence = "danger", f"{broken} disconnected"
    elif waiting:
        tone, sentence = "warning", f"{waiting} not established yet"
    else:
        tone, sentence = "success", "All are established." if counts else "None yet. Create the first one."
    active = counts.get(ConnectionState.ACTIVE, 0)
    figure = f"{active} active" if counts else "0"
    return [Card("Connections", figure, sentence, url, tone if counts else "neutral", "plug-connected")]


def hits(member: Membership, text: str) -> list[Hit]:
    """Connections whose name, API name or id fits, for the palette."""
    rows = selectors.connections(member, search=text).order_by("name", "pk")[:_HITS] if text.strip() else []
    return [
        Hit(
            label=connection.name,
            kind="Connection",
            url=reverse("connections:record", args=[member.vault_id, connection.api_name]),
            icon="plug",
            hint=connection.api_name,
        )
        for connection in rows
    ]


def lane(now: datetime) -> Lane:
    """Messages to other vaults that are due."""
    due = OutgoingPeerMessage.objects.filter(settled_at__isnull=True, due_at__lte=now)
    found = due.aggregate(number=Count("pk"), oldest=Min("due_at"))
    return Lane("Messages between Vaults", found["number"], found["oldest"])


def _waiting(counts: dict[str, int]) -> int:
    return counts.get(ConnectionState.PENDING, 0) + counts.get(ConnectionState.APPROVED, 0)
