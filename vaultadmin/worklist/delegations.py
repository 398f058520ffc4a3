"""Which delegations a member sees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from vaultadmin.models import Delegation, Membership
from vaultadmin.permissions import Permission, can
from vaultadmin.worklist import delegating

SHOWN = 100


@dataclass(frozen=True)
class Row:
    """A delegation as one member sees it."""

    delegation: Delegation
    state: str
    word: str
    may_end: bool


def visible_to(member: Membership) -> QuerySet[Delegation]:
    """Those a member gave or received; all of the vault for who administers users. Newest first."""
    rows = Delegation.objects.filter(vault=member.vault_id)
    if not can(member, Permission.ADMIN_USERS):
        rows = rows.filter(Q(from_member=member.pk) | Q(to_member=member.pk))
    return rows.select_related("from_member__user", "to_member__user", "created_by__user", "ended_by__user")


def rows(member: Membership, *, now: datetime) -> list[Row]:
    """The newest ones with what the member may do about them."""
    found = visible_to(member)[:SHOWN]
    return [Row(row, *row.status(now), not delegating.end_refusal(row, member, now=now)) for row in found]
