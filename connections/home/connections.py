"""What connections show on pages that belong to everybody: home tiles, palette, the status page's lane."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Count, Min, Q
from django.urls import reverse

from connections.constants import ConnectionState
from connections.models import OutgoingPeerMessage
from connections.selectors import authorizations as authorization_rows
from connections.selectors import connections as selectors
from connections.selectors import messages as message_rows
from connections.selectors import tokens as token_rows
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import Card, Hit, Lane
from vaultadmin.together import Asking

_HITS = 5
Counts = dict[tuple[str, bool], int]


def cards(member: Membership) -> Asking[list[Card]]:
    """Connections by state, worst first in the sentence."""
    if not can(member, Permission.CONNECTION_READ):
        return []
    counts = yield from selectors.counts_by_state(member)
    url = reverse("connections:list", args=[member.vault_id])
    if not counts:
        return [Card("Connections", "0", "None yet. Create the first one.", url, "neutral", "plug-connected")]
    active = _number(counts, ConnectionState.ACTIVE)
    tone, sentence = _standing(counts)
    return [Card("Connections", f"{active} active", sentence, url, tone, "plug-connected")]


def _standing(counts: Counts) -> tuple[str, str]:
    """Tone and sentence. Standard connections nobody has connected yet are an offer, not something to mend."""
    broken = _number(counts, ConnectionState.DISCONNECTED)
    unused = counts.get((ConnectionState.PENDING, True), 0)
    waiting = _number(counts, ConnectionState.PENDING) + _number(counts, ConnectionState.APPROVED) - unused
    if broken:
        return "danger", f"{broken} disconnected"
    if waiting:
        return "warning", f"{waiting} not established yet"
    if unused:
        return "success", f"{unused} standard {'one' if unused == 1 else 'ones'} not connected yet"
    return "success", "All are established."


def _number(counts: Counts, state: ConnectionState) -> int:
    return counts.get((state, False), 0) + counts.get((state, True), 0)


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


def authorization_hits(member: Membership, text: str) -> list[Hit]:
    """Authorizations whose name or public half fits."""
    if not text.strip():
        return []
    found = authorization_rows.authorizations(member, search=text).order_by("name", "pk")[:_HITS]
    return [
        Hit(
            label=row.name,
            kind="Authorization",
            url=reverse("connections:authorization", args=[member.vault_id, row.pk]),
            icon="key",
            hint=row.get_type_display(),
        )
        for row in found
    ]


def message_hits(member: Membership, text: str) -> list[Hit]:
    """A message by its whole id, outgoing or incoming."""
    try:
        number = UUID(text.strip())
    except ValueError:
        return []
    copy, arrived = message_rows.find_copy(member, number), message_rows.find_arrived(member, number)
    found: list[Hit] = []
    if copy is not None:
        url = reverse("connections:message", args=[member.vault_id, copy.message_id])
        found.append(Hit(str(copy.message_id), "Message", url, "send", copy.get_state_display()))
    if arrived is not None:
        url = reverse("connections:incoming", args=[member.vault_id, arrived.pk])
        found.append(Hit(str(arrived.message_id), "Incoming message", url, "inbox", arrived.get_state_display()))
    return found


def token_hits(member: Membership, text: str) -> list[Hit]:
    """Tokens whose name or label fits."""
    words = text.replace("\x00", "").strip()
    if not words:
        return []
    found = token_rows.own(member).filter(Q(name__icontains=words) | Q(label__icontains=words))[:_HITS]
    return [
        Hit(
            label=row.text,
            kind="Token",
            url=reverse("connections:token", args=[member.vault_id, row.pk]),
            icon="template",
            hint=row.label,
        )
        for row in found
    ]


def lane(now: datetime) -> Lane:
    """Messages to other vaults that are due."""
    due = OutgoingPeerMessage.objects.filter(settled_at__isnull=True, due_at__lte=now)
    found = due.aggregate(number=Count("pk"), oldest=Min("due_at"))
    return Lane("Messages between Vaults", found["number"], found["oldest"])
