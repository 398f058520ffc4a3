"""The forms of people and vaults."""

from __future__ import annotations

from typing import Any

from allauth.mfa.totp.internal.auth import TOTP

from tests.factories.people import PASSWORD, make_user
from tests.security.deed import Deed, World, nothing, reason
from vaultadmin import clock, place, standard_profiles
from vaultadmin.models import Installation, Sandbox, SandboxState, User
from vaultadmin.sandboxes import building
from vaultadmin.services import links, people
from vaultadmin.services import place as place_services
from vaultadmin.signing.services import version_of

_V = "v/<int:vault_id>/"
_USER = f"{_V}admin/users/<int:member_id>/"


def invites(world: World) -> dict[str, Any]:
    profile = standard_profiles.find(world.place.vault, standard_profiles.READ_ONLY)
    return {"email": "new.person@example.test", "name": "New Person", "profile": profile.pk}


def lends(world: World) -> dict[str, Any]:
    approver = world.place.people[standard_profiles.CONNECTION_APPROVER.api_name]
    return {"giver": world.owner.pk, "to": approver.pk, "starts": "2099-01-01", "ends": "2099-01-02"}


def is_held(_world: World) -> dict[str, Any]:
    Installation.objects.filter(pk=Installation.current().pk).update(place={place.DATABASE: "elsewhere"})
    version = version_of(place_services.statement())
    return {"version": version, "decision": "moved", "reason": "New server", "password": PASSWORD}


def gives_another_profile(world: World) -> dict[str, Any]:
    return {"profile": standard_profiles.find(world.place.vault, standard_profiles.AUDITOR).pk}


def resets_second_factor(world: World) -> dict[str, Any]:
    TOTP.activate(world.person().user, "JBSWY3DPEHPK3PXP")
    return reason(world)


def reactivates(world: World) -> dict[str, Any]:
    people.set_active(world.person(), active=False, by=world.owner, reason="Left")
    return reason(world)


def renames_profile(_world: World) -> dict[str, Any]:
    return {"name": "Guarded anew", "permissions": ["admin_audit"], "requires_second_factor": "on"}


def creates_profile(_world: World) -> dict[str, Any]:
    return {"name": "Fresh profile", "permissions": []}


def creates_token(_world: World) -> dict[str, Any]:
    return {"name": "RTSM push", "days": "30", "scopes": []}


def signs_in(_world: World) -> dict[str, Any]:
    user = make_user(email="knocking@example.test", password=PASSWORD)
    return {"login": user.email, "password": PASSWORD}


def changes_password(_world: World) -> dict[str, Any]:
    new = "a wholly different sentence 7"
    return {"oldpassword": PASSWORD, "password1": new, "password2": new}


def accepts(_world: World) -> dict[str, Any]:
    return {"password": "a wholly different sentence 7", "again": "a wholly different sentence 7"}


def invitation_path(_world: World) -> str:
    user = User.objects.create_user("invited@example.test", name="Invited")
    link = links.issue(user, purpose=links.INVITATION, now=clock.now())
    return "/accounts/invitation/" + link.rstrip("/").rpartition("/")[2] + "/"


def creates_vault(_world: World) -> dict[str, Any]:
    return {"name": "Fresh vault", "application": "quality", "dns": "fresh.example.com", "id": ""}


def changes_settings(_world: World) -> dict[str, Any]:
    return {"session_minutes": "30", "request_days": "7", "message_days": "14", "reason": "Shorter requests"}


def the_sandbox(world: World) -> Sandbox:
    return Sandbox.objects.select_related("vault").get(pk=world.ids["sandbox_id"])


def refreshes_sandbox(world: World) -> dict[str, Any]:
    building.build_due(now=clock.now())
    return {"confirmation": the_sandbox(world).vault.name, "with_people": "on"}


def retries_sandbox(world: World) -> dict[str, Any]:
    Sandbox.objects.filter(pk=world.ids["sandbox_id"]).update(state=SandboxState.FAILED)
    return {}


DEEDS = [
    Deed("accounts/login/", signs_in, anonymous=True),
    Deed("accounts/logout/", nothing),
    Deed("accounts/password/change/", changes_password),
    Deed("accounts/notices/", nothing),
    Deed("accounts/invitation/<str:token>/", accepts, anonymous=True, path=invitation_path),
    Deed("vaults/create/", creates_vault, creates=True),
    Deed(f"{_V}tasks/<int:task_id>/reassign/", lambda world: {"assignee": world.owner.pk, "comment": "Holidays"}),
    Deed(f"{_V}admin/status/place/", is_held),
    Deed(f"{_V}tasks/delegation/create/", lends, creates=True),
    Deed(f"{_V}tasks/delegation/<int:delegation_id>/end/", nothing),
    Deed(f"{_V}admin/users/invite/", invites, creates=True),
    Deed(f"{_USER}security-profile/", gives_another_profile),
    Deed(f"{_USER}name/", lambda _world: {"name": "Renamed Person"}),
    Deed(f"{_USER}reset-password/", nothing),
    Deed(f"{_USER}reset-second-factor/", resets_second_factor),
    Deed(f"{_USER}end-sessions/", nothing),
    Deed(f"{_USER}unlock/", nothing),
    Deed(f"{_USER}deactivate/", reason),
    Deed(f"{_USER}reactivate/", reactivates),
    Deed(f"{_V}admin/security-profiles/create/", creates_profile, creates=True),
    Deed(f"{_V}admin/security-profiles/<slug:api_name>/edit/", renames_profile),
    Deed(f"{_V}admin/security-profiles/<slug:api_name>/delete/", nothing),
    Deed(f"{_V}admin/settings/", changes_settings),
    Deed(f"{_V}admin/sandboxes/create/", lambda _world: {"name": "Fresh sandbox", "dns": ""}, creates=True),
    Deed(f"{_V}admin/sandboxes/<int:sandbox_id>/refresh/", refreshes_sandbox),
    Deed(f"{_V}admin/sandboxes/<int:sandbox_id>/retry/", retries_sandbox),
    Deed(f"{_V}api-sessions/end/", nothing),
    Deed(f"{_V}api-sessions/<int:api_session_id>/end/", nothing),
    Deed(f"{_V}my/tokens/create/", creates_token, creates=True),
    Deed(f"{_V}my/tokens/<int:token_id>/revoke/", nothing),
]
