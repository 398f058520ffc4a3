"""Two vaults with one of everything in each, and the people who try every door."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from allauth.account.internal.flows.login import _AUTHENTICATION_METHODS_USER_SESSION_KEY
from django.test import Client

from tests.guards import objects
from tests.guards.routes import Route
from vaultadmin import audit, clock, standard_profiles
from vaultadmin.models import Installation, Membership, User, Vault
from vaultadmin.services import vaults

BY = audit.System("Guard")
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@dataclass
class Place:
    """One vault, its people by profile, and the ids that addresses name."""

    vault: Vault
    people: dict[str, Membership]
    ids: dict[str, Any] = field(default_factory=dict)

    def path(self, route: Route, *, ids: dict[str, Any] | None = None) -> str:
        """The address of a route here; the objects may be taken from elsewhere."""
        return objects.fill(route, {**(ids or self.ids), "vault_id": self.vault.pk})


def build_place(number: int) -> Place:
    Installation.current()
    vault = vaults.create_vault(
        id=number,
        name=f"Vault {number}",
        dns=f"v{number}.example.test",
        application="quality",
        by=BY,
        now=clock.now(),
    )
    people = {profile.api_name: _member(vault, profile) for profile in standard_profiles.STANDARD}
    place = Place(vault, people)
    place.ids = objects.build(vault, people)
    return place


def signed_in(user: User) -> Client:
    """A browser in which this person has just given their password."""
    client = Client()
    client.force_login(user, backend=BACKEND)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": clock.now().timestamp()}]
    # allauth believes the record only for the person it was made for.
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
    session.save()
    return client


def in_for_long(client: Client) -> Client:
    """On a slow machine a walk takes longer than a password counts as just given."""
    session = client.session
    for method in session["account_authentication_methods"]:
        method["at"] += 3_600
    session.save()
    return client


def stranger() -> User:
    return User.objects.create_user("stranger@example.test", name="Stranger")


def _member(vault: Vault, profile: standard_profiles.StandardProfile) -> Membership:
    user = User.objects.create_user(f"{profile.api_name}.{vault.pk}@example.test", name=profile.name)
    return Membership.objects.create(user=user, vault=vault, profile=standard_profiles.find(vault, profile))
