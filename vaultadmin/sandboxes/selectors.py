"""Sandboxes as the list of their source shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vaultadmin.models import Membership, Sandbox
from vaultadmin.sandboxes import links, services


@dataclass(frozen=True)
class Row:
    """One sandbox: whether this person can enter it, what waits to be mended there, and why not to refresh it now."""

    sandbox: Sandbox
    may_enter: bool
    to_mend: int
    refresh_refusal: str


def rows(member: Membership, *, now: datetime) -> list[Row]:
    """The sandboxes of the member's vault, newest first."""
    found = Sandbox.objects.filter(source=member.vault_id).select_related("vault", "source").order_by("-pk")
    places = Membership.objects.for_request().filter(user=member.user_id, is_active=True)
    mine = {place.vault_id: place for place in places.filter(vault__in=[sandbox.pk for sandbox in found])}
    return [_row(sandbox, mine.get(sandbox.pk), now) for sandbox in found]


def _row(sandbox: Sandbox, place: Membership | None, now: datetime) -> Row:
    to_mend = links.open_count(sandbox.vault, place) if place is not None else 0
    return Row(sandbox, place is not None, to_mend, services.refresh_refusal(sandbox, now))
