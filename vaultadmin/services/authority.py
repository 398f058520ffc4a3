"""Who may do what to whom: nobody rises by their own hand, and no vault is left without somebody who runs it.

An account belongs to the whole installation. An administrator of one vault who could reset anybody's password would
own every vault that person works in, so handling an account needs authority over all of it (`account_refusal`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Exists, OuterRef, Q

from vaultadmin.models import Membership, SecurityProfile, User, Vault
from vaultadmin.permissions import Permission, can, expand


class AuthorityRefused(Exception):
    """The member may not do this to this person or profile; one sentence."""


def lock(vault: Vault) -> None:
    """Decide about a vault's people one change at a time: two owners demoting each other must not both succeed."""
    Vault.objects.select_for_update().get(pk=vault.pk)


def grant_refusal(by: Membership, profile: SecurityProfile) -> str:
    """Why `by` may not give somebody this profile; empty when they may."""
    if can(by, Permission.ADMIN_SECURITY_PROFILES):
        return ""
    beyond = expand(profile.permissions) - expand(by.profile.permissions)
    if not beyond:
        return ""
    return f"{profile} allows more than your own profile does. Somebody who manages security profiles can assign it."


def grantable(by: Membership) -> list[SecurityProfile]:
    """The profiles of the vault that `by` may give."""
    rows = SecurityProfile.objects.filter(vault=by.vault_id).order_by("name")
    return [profile for profile in rows if not grant_refusal(by, profile)]


def system_refusal(user: User) -> str:
    """Why nobody may change this account or its place here; empty for people."""
    return (
        f"{user} is an account of the product itself: it has no password and stays as it is." if user.is_system else ""
    )


def account_refusal(by: Membership, user: User) -> str:
    """Why `by` may not take this person's account in hand (password, second factor); empty when they may."""
    if refusal := system_refusal(user):
        return refusal
    if by.user_id == user.pk or by.user.is_domain_admin:
        return ""
    if user.is_domain_admin:
        return f"{user} is a Domain Administrator: only another one can do this."
    theirs = Membership.objects.filter(user=user, is_active=True).select_related("profile")
    if any(membership.vault_id != by.vault_id for membership in theirs):
        return f"{user} also works in other vaults: a Domain Administrator can do this."
    return next(filter(None, (grant_refusal(by, membership.profile) for membership in theirs)), "")


def ensure_grantable(by: Membership, profile: SecurityProfile) -> None:
    """Raise AuthorityRefused when `by` may not give this profile."""
    if refusal := grant_refusal(by, profile):
        raise AuthorityRefused(refusal)


def ensure_person(user: User) -> None:
    """Raise AuthorityRefused for an account of the product itself."""
    if refusal := system_refusal(user):
        raise AuthorityRefused(refusal)


def ensure_account(by: Membership, user: User) -> None:
    """Raise AuthorityRefused when `by` may not take this account in hand."""
    if refusal := account_refusal(by, user):
        raise AuthorityRefused(refusal)


@contextmanager
def somebody_stays(vault: Vault) -> Iterator[None]:
    """Around a change to a vault's people: one such change at a time, and never the one that leaves nobody in charge.

    Raises AuthorityRefused, which rolls the surrounding transaction back, when there was somebody before and nobody
    after who can sign in and manage users.
    """
    lock(vault)
    before = bool(administrators(vault))
    yield
    if before and not administrators(vault):
        raise AuthorityRefused("Somebody must stay who can manage users here. Give another person that right first.")


def administrators(vault: Vault) -> list[Membership]:
    """Active members with *Admin: Users* who have a way to sign in."""
    linked = Exists(SocialAccount.objects.filter(user=OuterRef("user")))
    rows = Membership.objects.for_request().filter(vault=vault, is_active=True, user__is_active=True)
    able = rows.filter(~Q(user__password__startswith=UNUSABLE_PASSWORD_PREFIX) | linked)
    return [member for member in able if can(member, Permission.ADMIN_USERS)]
