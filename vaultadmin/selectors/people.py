"""Members of a vault as the users page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, Value, When

from vaultadmin.models import Membership, SecurityProfile
from vaultadmin.query import PAGE, as_key

ACTIVE, INVITED, INACTIVE, SYSTEM = "active", "invited", "inactive", "system"
STATES = {ACTIVE: "Active", INVITED: "Invited", INACTIVE: "Inactive", SYSTEM: "System account"}


@dataclass(frozen=True)
class Page:
    """One page of members by name, and the key of the next."""

    rows: list[Membership]
    next_key: str


def members(member: Membership, *, search: str = "", state: str = "", profile: str = "") -> QuerySet[Any]:
    """Everybody of the asking member's vault, with `state` and `has_second_factor`; senseless filters fall away."""
    linked = Exists(SocialAccount.objects.filter(user=OuterRef("user")))
    rows: QuerySet[Any] = Membership.objects.for_request().filter(vault=member.vault_id)
    rows = rows.annotate(
        has_second_factor=Exists(
            Authenticator.objects.filter(
                user=OuterRef("user"), type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
            )
        ),
        state=Case(
            When(user__is_system=True, then=Value(SYSTEM)),
            When(Q(is_active=False) | Q(user__is_active=False), then=Value(INACTIVE)),
            When(Q(user__password__startswith=UNUSABLE_PASSWORD_PREFIX) & ~linked, then=Value(INVITED)),
            default=Value(ACTIVE),
            output_field=CharField(),
        ),
    )
    if search := search.replace("\x00", "").strip()[:100]:
        rows = rows.filter(Q(user__name__icontains=search) | Q(user__email__icontains=search))
    if state in STATES:
        rows = rows.filter(state=state)
    if profile:
        rows = rows.filter(profile__api_name=profile.replace("\x00", "")[:60])
    return rows.order_by("user__name", "pk")


def page(rows: QuerySet[Any], *, after: str, descending: bool = False) -> Page:
    """The page that follows the member with the key `after`, by name."""
    order = ("-user__name", "-pk") if descending else ("user__name", "pk")
    key = as_key(after)
    last = rows.filter(pk=key).first() if key is not None else None
    if last is not None:
        way = "lt" if descending else "gt"
        beyond: dict[str, Any] = {f"user__name__{way}": last.user.name}
        rows = rows.filter(Q(**beyond) | Q(**{"user__name": last.user.name, f"pk__{way}": last.pk}))
    found = list(rows.order_by(*order)[: PAGE + 1])
    return Page(found[:PAGE], str(found[PAGE - 1].pk) if len(found) > PAGE else "")


def member_of(member: Membership, pk: int) -> Any:
    """One person of the asking member's vault; None for people of other vaults."""
    return members(member).filter(pk=pk).first()


def sessions_of(member: Membership) -> QuerySet[UserSession]:
    """Where a person is signed in."""
    rows: QuerySet[UserSession] = UserSession.objects.filter(user=member.user_id)
    return rows.order_by("-last_seen_at")


def profiles(member: Membership) -> QuerySet[SecurityProfile]:
    """The vault's security profiles with `holders`, how many active members each has."""
    held = Count("members", filter=Q(members__is_active=True))
    rows = SecurityProfile.objects.filter(vault=member.vault_id).annotate(holders=held)
    return rows.order_by("-is_standard", "name", "pk")
