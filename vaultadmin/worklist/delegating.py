"""Lend one's approvals to a colleague for some days, and end that early. Every step is audited."""

from __future__ import annotations

from datetime import date, datetime

from django.db import IntegrityError, transaction

from vaultadmin import audit
from vaultadmin.models import Delegation, Membership
from vaultadmin.models.delegation import LONGEST_DAYS, day_of
from vaultadmin.permissions import Permission, can
from vaultadmin.worklist.registry import kinds_for


class DelegationRefused(Exception):
    """The approvals cannot be lent like this; one sentence a person can act on, and the field it is about."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def lend(*, giver: Membership, to: Membership, starts: date, ends: date, by: Membership, now: datetime) -> Delegation:
    """Lend the giver's approvals to a colleague, both days included; raises DelegationRefused.

    People lend their own; somebody who administers users lends those of others, but not to themselves.
    """
    _ensure(giver, to, by)
    _ensure_days(starts, ends, day_of(now))
    try:
        with transaction.atomic():
            delegation = Delegation.objects.create(
                vault=by.vault, from_member=giver, to_member=to, starts=starts, ends=ends, created_by=by, created_at=now
            )
            changes: audit.Changes = {
                "From": (None, str(giver)),
                "To": (None, str(to)),
                "First day": (None, starts),
                "Last day": (None, ends),
            }
            audit.record(vault=by.vault, by=by, event="delegation.created", subject=delegation, changes=changes)
    except IntegrityError as error:
        if "delegation_one_at_a_time" not in str(error):
            raise
        raise DelegationRefused(_overlap(giver, starts, ends), field="starts") from error
    return delegation


def end(*, delegation: Delegation, by: Membership, now: datetime) -> Delegation:
    """End a delegation early, from now on: by its giver, or by somebody who administers users."""
    with transaction.atomic():
        rows = Delegation.objects.select_for_update(of=("self",)).select_related("from_member__user", "to_member__user")
        locked = rows.get(pk=delegation.pk)
        if refusal := end_refusal(locked, by, now=now):
            raise DelegationRefused(refusal)
        locked.ended_at, locked.ended_by = now, by
        locked.save(update_fields=["ended_at", "ended_by"])
        changes: audit.Changes = {"Ended early": (None, now)}
        audit.record(vault=by.vault, by=by, event="delegation.ended", subject=locked, changes=changes)
    return locked


def end_refusal(delegation: Delegation, member: Membership, *, now: datetime) -> str:
    """Why this member may not end the delegation, in one sentence; empty when they may."""
    state, word = delegation.status(now)
    if delegation.vault_id != member.vault_id:
        return "This delegation belongs to another Vault."
    if state in ("ended", "over"):
        return f"This delegation is {word.lower()} already."
    if delegation.from_member_id != member.pk and not can(member, Permission.ADMIN_USERS):
        return f"Only {delegation.from_member}, or somebody who administers users, can end it."
    return ""


def givers(member: Membership) -> list[Membership]:
    """Whose approvals this member may lend: everybody's who decides here for who administers users, else none but
    their own, which need no choice."""
    return _deciders(member) if can(member, Permission.ADMIN_USERS) else []


def receivers(member: Membership) -> list[Membership]:
    """To whom approvals may be lent here."""
    others = _deciders(member)
    return others if can(member, Permission.ADMIN_USERS) else [other for other in others if other.pk != member.pk]


def _deciders(member: Membership) -> list[Membership]:
    rows = Membership.objects.for_request().filter(
        vault=member.vault_id, is_active=True, user__is_active=True, user__is_system=False
    )
    return [row for row in rows if kinds_for(row)]


def _ensure(giver: Membership, to: Membership, by: Membership) -> None:
    if {giver.vault_id, to.vault_id} != {by.vault_id}:
        raise DelegationRefused("Approvals are lent between members of one Vault.")
    if giver.pk != by.pk and not can(by, Permission.ADMIN_USERS):
        raise DelegationRefused("You can lend your own approvals only.", field="giver")
    if giver.pk != by.pk and to.pk == by.pk:
        raise DelegationRefused("Nobody lends somebody else's approvals to themselves.", field="to")
    if giver.pk == to.pk:
        raise DelegationRefused("Choose a colleague: these are their own approvals.", field="to")
    for member, field in ((giver, "giver"), (to, "to")):
        if member.user.is_system or not kinds_for(member):
            sentence = f"{member} is not active here, or their security profile lets them decide nothing."
            raise DelegationRefused(sentence, field=field)
    if not set(kinds_for(giver)) & set(kinds_for(to)):
        raise DelegationRefused(f"{to} may decide nothing of what {giver} decides.", field="to")


def _ensure_days(starts: date, ends: date, today: date) -> None:
    if starts < today:
        raise DelegationRefused(f"The first day has passed. Today is {today:%d %b %Y} in UTC.", field="starts")
    if ends < starts:
        raise DelegationRefused("The last day comes before the first one.", field="ends")
    if (ends - starts).days >= LONGEST_DAYS:
        raise DelegationRefused(f"Approvals are lent for {LONGEST_DAYS} days at most.", field="ends")


def _overlap(giver: Membership, starts: date, ends: date) -> str:
    rows = Delegation.objects.filter(from_member=giver, ended_at__isnull=True, starts__lte=ends, ends__gte=starts)
    other = rows.select_related("to_member__user").first()
    if other is None:
        return "These approvals were lent for some of these days a moment ago, and are free again. Try once more."
    days = f"from {other.starts:%d %b %Y} to {other.ends:%d %b %Y}"
    return f"They are lent to {other.to_member} {days}. End that first, or choose other days."
