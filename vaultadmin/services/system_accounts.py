"""Accounts of the product itself: members nobody can sign in as, in whose name machines act."""

from __future__ import annotations

from django.contrib.auth.hashers import make_password
from django.db import transaction

from vaultadmin import audit, standard_profiles
from vaultadmin.audit import Actor
from vaultadmin.models import Membership, User, Vault

# `.invalid` can never be a mail domain, so no message and no identity provider ever reaches this address.
APPLICATION_OWNER_EMAIL = "application.owner@vaultadmin.invalid"
_NAME = "Application Owner"


def application_owner(vault: Vault, *, by: Actor) -> Membership:
    """The vault's Application Owner, made when it is first asked for.

    One account for the installation, one membership a vault: standard connections act as it unless an administrator
    chooses somebody else. It has no password, and the database refuses to give it one.
    """
    found = _find(vault)
    if found is not None:
        return found
    with transaction.atomic():
        # Two that ask at once make one account: the second waits here and finds it.
        Vault.objects.select_for_update().get(pk=vault.pk)
        return _find(vault) or _place(vault, by)


def _find(vault: Vault) -> Membership | None:
    members = Membership.objects.for_request().filter(vault=vault)
    return members.filter(user__is_system=True, user__email=APPLICATION_OWNER_EMAIL).first()


def _place(vault: Vault, by: Actor) -> Membership:
    standard_profiles.install(vault, by=by)
    profile = standard_profiles.find(vault, standard_profiles.SYSTEM_ACCOUNT)
    member = Membership.objects.create(user=_user(by), vault=vault, profile=profile)
    changes: audit.Changes = {"security profile": (None, profile.name)}
    audit.record(vault=vault, by=by, event="member.added", subject=member, changes=changes)
    return member


def _user(by: Actor) -> User:
    user, is_new = User.objects.get_or_create(
        email=APPLICATION_OWNER_EMAIL,
        defaults={"name": _NAME, "is_system": True, "password": make_password(None)},
    )
    if is_new:
        changes = audit.created(user, ("email", "name", "is_system"))
        audit.record(vault=None, by=by, event="user.created", subject=user, changes=changes)
    return user
