"""API access tokens: made, shown once, kept as a hash, checked on every call.

A token is 256 random bits, so there is nothing to guess or to look up in a list: one SHA-256 keeps it as safe as a
slow password hash would, and a slow hash on every API call would only make a denial of service cheap.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe

from django.db import transaction
from django.db.models import Q

from vaultadmin import audit
from vaultadmin.audit import Actor
from vaultadmin.models import ApiToken, Membership
from vaultadmin.permissions import Permission, can, expand
from vaultadmin.services import second_factor

PREFIX = "va_"
DEFAULT_DAYS, LONGEST_DAYS = 90, 365
_HINT_LENGTH = 10
_LONGEST_RAW = 128
# `last_used_at` answers "is this still in use?"; a write per call would cost more than the call.
_USE_GRAIN = timedelta(minutes=10)


class TokenRefused(Exception):
    """The token cannot be made as asked; one sentence."""


@dataclass(frozen=True)
class IssuedToken:
    """A new token and the only sight of its value."""

    token: ApiToken
    raw: str


@dataclass(frozen=True)
class TokenActor:
    """Who calls: a member, narrowed to the scopes of the token they used. `member` is the `by=` of services."""

    member: Membership
    scopes: frozenset[str]
    token_id: int
    hint: str = ""
    name: str = ""

    def can(self, permission: Permission) -> bool:
        """Do both the token's scopes and the member's profile, as it is now, allow this?"""
        return permission in self.scopes and can(self.member, permission)


def create_token(
    *, member: Membership, name: str, scopes: Collection[str], by: Actor, now: datetime, days: int = DEFAULT_DAYS
) -> IssuedToken:
    """A token for a member with some of the permissions they hold now. `API: Access API` is always among them."""
    wanted = frozenset(scopes) | {Permission.API_ACCESS.value}
    _ensure_grantable(member, wanted, days)
    raw = PREFIX + token_urlsafe(32)
    with transaction.atomic():
        _ensure_new_name(member, name.strip(), now)
        token = ApiToken.objects.create(
            membership=member,
            name=name.strip(),
            token_hash=_hash(raw),
            hint=raw[:_HINT_LENGTH],
            scopes=sorted(wanted),
            expires_at=now + timedelta(days=days),
        )
        changes = audit.created(token, ("name", "hint", "scopes", "expires_at"))
        audit.record(vault=member.vault, by=by, event="api_token.created", subject=token, changes=changes)
    return IssuedToken(token, raw)


def revoke_token(token: ApiToken, *, by: Membership, now: datetime) -> ApiToken:
    """End a token at once; revoking twice is the same as once."""
    with transaction.atomic():
        token = ApiToken.objects.select_for_update().get(pk=token.pk)
        if token.revoked_at is None:
            token.revoked_at = now
            token.save(update_fields=["revoked_at"])
            changes: audit.Changes = {"revoked at": (None, now)}
            audit.record(vault=by.vault, by=by, event="api_token.revoked", subject=token, changes=changes)
    return token


def authenticate(raw: str, *, vault_id: int, now: datetime) -> TokenActor | None:
    """Who this token speaks for in this vault; None for every kind of wrong token alike.

    The lookup is by hash, so its time tells nothing about a token; what is found is compared in constant time.
    """
    if not raw.startswith(PREFIX) or len(raw) > _LONGEST_RAW:
        return None
    digest = _hash(raw)
    token = (
        ApiToken.objects.select_related("membership__user", "membership__vault", "membership__profile")
        .filter(token_hash=digest, membership__vault=vault_id, expires_at__gt=now, revoked_at__isnull=True)
        .first()
    )
    if token is None or not hmac.compare_digest(bytes(token.token_hash), digest):
        return None
    member = token.membership
    if not (member.is_active and member.user.is_active) or second_factor.is_owed(member):
        return None
    _note_use(token, now)
    return TokenActor(member, expand(set(token.scopes)), token.pk, token.hint, token.name)


def is_living(raw: str, *, now: datetime) -> bool:
    """Is this a token of any vault that has neither ended nor been revoked?"""
    if not raw.startswith(PREFIX) or len(raw) > _LONGEST_RAW:
        return False
    rows = ApiToken.objects.filter(token_hash=_hash(raw), expires_at__gt=now, revoked_at__isnull=True)
    return rows.filter(membership__is_active=True, membership__user__is_active=True).exists()


def _ensure_new_name(member: Membership, name: str, now: datetime) -> None:
    """One living token per name: a second click on *Create* must not leave a token nobody has seen."""
    Membership.objects.select_for_update(of=("self",)).get(pk=member.pk)
    if ApiToken.objects.filter(membership=member, name=name, revoked_at=None, expires_at__gt=now).exists():
        raise TokenRefused(f"You have a token named {name} already. Revoke it first, or choose another name.")


def _ensure_grantable(member: Membership, wanted: Collection[str], days: int) -> None:
    if not can(member, Permission.API_ACCESS):
        raise TokenRefused(f"{member}’s security profile does not include “{Permission.API_ACCESS.label}”.")
    if beyond := set(wanted) - expand(member.profile.permissions):
        labels = ", ".join(sorted(Permission(name).label if name in Permission.values else name for name in beyond))
        raise TokenRefused(f"A token cannot do more than its owner: {labels}.")
    if not 1 <= days <= LONGEST_DAYS:
        raise TokenRefused(f"A token lives 1 to {LONGEST_DAYS} days.")


def _note_use(token: ApiToken, now: datetime) -> None:
    unused = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - _USE_GRAIN)
    if token.last_used_at is None or token.last_used_at < now - _USE_GRAIN:
        ApiToken.objects.filter(unused, pk=token.pk).update(last_used_at=now)


def _hash(raw: str) -> bytes:
    return hashlib.sha256(raw.encode("utf-8", "replace")).digest()
