"""Vaults and people of the demo."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from vaultadmin import audit, standard_profiles
from vaultadmin.models import ApiToken, Membership, User, Vault
from vaultadmin.permissions import Permission
from vaultadmin.services import tokens, vaults
from vaultadmin.site.demo import world
from vaultadmin.site.demo.credentials import Credentials

DEMO = audit.System("Demo")
_TOKEN_NAME = "Demo"
_TOKEN_SCOPES = (Permission.API_ACCESS, Permission.ECOA_MANAGE, Permission.ECOA_VIEW_SITES)
_TOKEN_DAYS = 90


def load(credentials: Credentials, *, now: datetime) -> None:
    """Vaults, their standard profiles, people, memberships, and the integration user's API tokens."""
    found = {vault.pk for vault in Vault.objects.all()}
    for entry in world.VAULTS:
        if entry.id not in found:
            vaults.create_vault(
                id=entry.id, name=entry.name, dns=entry.dns, application=entry.application, by=DEMO, now=now
            )
    for person in world.PEOPLE:
        user = _user(person, credentials.password)
        for vault in Vault.objects.filter(pk__in=_places(person)):
            _place(user, vault, person)
    _give_tokens(credentials, now)


def member(person: world.DemoPerson, vault_id: int) -> Membership:
    """A demo person in a vault."""
    return Membership.objects.for_request().get(user__email=person.email, vault=vault_id)


def _places(person: world.DemoPerson) -> list[int]:
    return [entry.id for entry in world.VAULTS] if person in world.EVERYWHERE else [world.ECOA_VAULT]


def _user(person: world.DemoPerson, password: str) -> User:
    found = User.objects.filter(email=person.email).first()
    if found is not None:
        return found
    with transaction.atomic():
        user = User.objects.create_user(
            person.email, password, name=person.name, is_domain_admin=person.is_domain_admin
        )
        audit.record(
            vault=None, by=DEMO, event="user.created", subject=user, changes=audit.created(user, ["email", "name"])
        )
    return user


def _place(user: User, vault: Vault, person: world.DemoPerson) -> None:
    if Membership.objects.filter(user=user, vault=vault).exists():
        return
    with transaction.atomic():
        placed = Membership.objects.create(
            user=user, vault=vault, profile=standard_profiles.find(vault, person.profile)
        )
        changes: audit.Changes = {"Security profile": (None, person.profile.name)}
        audit.record(vault=vault, by=DEMO, event="membership.created", subject=placed, changes=changes)


def _give_tokens(credentials: Credentials, now: datetime) -> None:
    kept = dict(credentials.api_tokens)
    for entry in world.VAULTS:
        owner = member(world.INTEGRATION, entry.id)
        alive = ApiToken.objects.filter(membership=owner, name=_TOKEN_NAME, revoked_at=None, expires_at__gt=now)
        if str(entry.id) in kept and alive.exists():
            continue
        issued = tokens.create_token(
            member=owner, name=_TOKEN_NAME, scopes=_TOKEN_SCOPES, by=DEMO, days=_TOKEN_DAYS, now=now
        )
        credentials.api_tokens[str(entry.id)] = issued.raw
    if credentials.api_tokens != kept:
        credentials.save()
