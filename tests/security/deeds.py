"""Everything a Vault Owner can do by posting a form: one deed per address, checked against the routes themselves."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.mfa.totp.internal.auth import TOTP
from django.core.files.uploadedfile import SimpleUploadedFile

from connections.constants import AuthorizationType, CertificateStage, ConnectionType
from connections.models import (
    Connection,
    ConnectionAuthorization,
    Integration,
    IntegrationPoint,
    ReferenceLookup,
    VaultToken,
)
from connections.selectors import connections as connection_rows
from connections.services import clients, standard, switching
from connections.services.handshake import exchange, files
from tests.connections.handshake import settle, upload
from tests.factories.connections import download, make_certificate, make_external, make_vault_to_vault
from tests.factories.people import PASSWORD, make_user
from tests.security import (
    alert_deeds,
    correction_deeds,
    drift_deeds,
    ecoa_deeds,
    ecoa_service_deeds,
    incoming_deeds,
    message_deeds,
    queue_deeds,
    source_deeds,
    study_deeds,
)
from tests.security.deed import BY, KEY, Deed, World, nothing, reason, route_of
from vaultadmin import clock, place, standard_profiles
from vaultadmin.models import Installation, Sandbox, SandboxState, User, Vault
from vaultadmin.sandboxes import building
from vaultadmin.services import links, people
from vaultadmin.services import place as place_services
from vaultadmin.signing.services import version_of

FORM_SECRET = "form secret value"
# Routed to a port of this machine where nothing listens: a test of it ends at once.
NEARBY = "https://ecoa.demo.test/"


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


def creates_connection(_world: World) -> dict[str, Any]:
    return {
        "connection_type": ConnectionType.EXTERNAL.value,
        "step": "review",
        "key": KEY,
        "name": "Fresh connection",
        "api_name": "fresh_connection",
        "url": "https://fresh.example.com/",
        "description": "For tests",
    }


def edits_details(world: World) -> dict[str, Any]:
    seen = world.connection().modified_at.isoformat()
    name = world.connection().api_name
    return {"seen": seen, "name": "Guarded anew", "api_name": name, "description": "Changed"}


def edits_remote(world: World) -> dict[str, Any]:
    return {"seen": world.connection().modified_at.isoformat(), "remote_vault_name": "Somewhere"}


def foreign_file(world: World) -> bytes:
    make_certificate()
    return download(make_vault_to_vault(world.elsewhere), world.elsewhere)


def uploads(world: World) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("connection.json", foreign_file(world))}


def has_a_request(world: World) -> Connection:
    """The record, with an approval that waits for the owner: somebody else uploaded the file."""
    binding = upload(foreign_file(world), world.helper, world.connection())
    settle()
    return binding.connection


def completes(world: World) -> dict[str, Any]:
    binding = connection_rows.open_binding(has_a_request(world))
    assert binding is not None
    return {"version": exchange.version_of(binding), "verdict": "approve", "comment": "Looked at", "password": PASSWORD}


def withdraws(world: World) -> dict[str, Any]:
    upload(foreign_file(world), world.owner, world.connection())
    settle()
    return {}


def resets(world: World) -> dict[str, Any]:
    named = make_vault_to_vault(world.elsewhere, remote_vault_id=world.place.vault.pk)
    upload(download(named, world.elsewhere), world.owner, world.connection())
    return reason(world)


def inactivates(world: World) -> dict[str, Any]:
    return resets(world)


def activates(world: World) -> dict[str, Any]:
    resets(world)
    switching.inactivate(connection=world.connection(), by=world.owner, now=clock.now())
    return reason(world)


def revokes_file(world: World) -> dict[str, Any]:
    files.issue(connection=world.connection(), file_id=UUID(KEY), by=world.owner, now=clock.now())
    return {}


def switches_certificate(_world: World) -> dict[str, Any]:
    make_certificate(number=2, stage=CertificateStage.ROLLOVER)
    return {"certificate": "00002"}


def creates_authorization(_world: World) -> dict[str, Any]:
    return {"key": KEY, "name": "Fresh authorization", "identity": "client", "secret": FORM_SECRET}


def edits_authorization(world: World) -> dict[str, Any]:
    row = ConnectionAuthorization.objects.get(pk=world.ids["authorization_id"])
    seen = row.modified_at.isoformat()
    return {"seen": seen, "name": "Anew", "identity": "client", "secret": FORM_SECRET, "status": "inactive__v"}


def tests_authorization(world: World) -> dict[str, Any]:
    row = ConnectionAuthorization.objects.get(pk=world.ids["authorization_id"])
    return {"connection": make_external(world.owner, url=NEARBY, authorization=row).pk}


def tested_path(world: World) -> str:
    external = make_external(world.owner, url=NEARBY, api_name="tested")
    return f"/v/{world.place.vault.pk}/admin/connections/{external.api_name}/test/"


def creates_vault_token(_world: World) -> dict[str, Any]:
    values = {"label": "Fresh", "type": "string__sys", "value": "eu", "clone_behavior": "clear__sys", "is_active": "on"}
    return {"key": KEY, "name": "fresh"} | values


def edits_vault_token(world: World) -> dict[str, Any]:
    seen = VaultToken.objects.get(pk=world.ids["vault_token_id"]).modified_at.isoformat()
    return {"seen": seen, "label": "Anew", "type": "number__sys", "value": "12", "clone_behavior": "persist__sys"}


def creates_integration(_world: World) -> dict[str, Any]:
    return {"creation_key": KEY, "name": "Fresh", "api_name": "fresh__c", "description": "For tests"}


def edits_integration(world: World) -> dict[str, Any]:
    row = Integration.objects.get(pk=world.ids["integration_id"])
    return {"seen": row.modified_at.isoformat(), "name": "Guarded anew", "api_name": "guarded_anew__c"}


def copies_integration(world: World) -> dict[str, Any]:
    return {"creation_key": KEY, "connection": world.connection().pk, "name": "Copy", "api_name": "copy__c"}


def point_values(_world: World) -> dict[str, Any]:
    return {"name": "Fresh", "api_name": "fresh_point__c", "type": "sender__sys", "status": "active__v"}


def edits_point(world: World) -> dict[str, Any]:
    row = IntegrationPoint.objects.get(pk=world.ids["point_id"])
    return point_values(world) | {"seen": row.modified_at.isoformat()}


def lookup_values(_world: World) -> dict[str, Any]:
    return {"creation_key": KEY, "name": "doc_type__c", "source_key": "sop", "target_key": "Procedure"}


def lookup_choice(world: World) -> str:
    return (
        world.place.path(route_of(f"{_LOOKUPS}add/")) + f"?connection={world.connection().api_name}&type=generic__sys"
    )


def edits_lookup(world: World) -> dict[str, Any]:
    row = ReferenceLookup.objects.get(pk=world.ids["lookup_id"])
    return {"seen": row.modified_at.isoformat(), "source_key": "USA", "target_key": "United States"}


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


def changes_client(world: World) -> dict[str, Any]:
    client = world.connection().clients.get()
    return {"name": "Acme", "client_id": "acme-rtsm", "seen": client.modified_at.isoformat()}


def activates_client(world: World) -> dict[str, Any]:
    client = world.connection().clients.get()
    clients.set_active(client=client, active=False, by=world.owner, now=clock.now())
    return {}


def the_sandbox(world: World) -> Sandbox:
    return Sandbox.objects.select_related("vault").get(pk=world.ids["sandbox_id"])


def adds_standard(world: World) -> dict[str, Any]:
    Vault.objects.filter(pk=world.place.vault.pk).update(application="clinical_operations")
    vault = Vault.objects.get(pk=world.place.vault.pk)
    standard.load(vault, by=BY, now=clock.now())
    return {"key": f"clinops_edc:{standard.offers(vault)[0].instance}"}


def refreshes_sandbox(world: World) -> dict[str, Any]:
    building.build_due(now=clock.now())
    return {"confirmation": the_sandbox(world).vault.name, "with_people": "on"}


def retries_sandbox(world: World) -> dict[str, Any]:
    Sandbox.objects.filter(pk=world.ids["sandbox_id"]).update(state=SandboxState.FAILED)
    return {}


_V = "v/<int:vault_id>/"
_USER = f"{_V}admin/users/<int:member_id>/"
_RECORD = f"{_V}admin/connections/<connection:api_name>/"
_LOOKUPS = f"{_V}admin/reference-lookups/"
_INTEGRATION = f"{_RECORD}integrations/<int:integration_id>/"
_CLIENT = f"{_RECORD}clients/<int:client_id>/"

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
    Deed(f"{_V}admin/connections/create/", creates_connection, creates=True),
    Deed(f"{_V}admin/connections/create/from-file/", uploads, creates=True),
    Deed(f"{_V}admin/connections/create/standard/", adds_standard, creates=True),
    Deed(f"{_RECORD}edit/details/", edits_details),
    Deed(f"{_RECORD}edit/remote/", edits_remote),
    Deed(f"{_RECORD}download/", lambda _world: {"file_id": KEY}, creates=True),
    Deed(f"{_RECORD}connect-from-file/", uploads, creates=True),
    Deed(f"{_RECORD}complete/", completes),
    Deed(f"{_RECORD}withdraw/", withdraws),
    Deed(f"{_RECORD}revoke/", revokes_file),
    Deed(f"{_RECORD}signing-certificate/", switches_certificate),
    Deed(f"{_RECORD}integrations/create/", creates_integration, creates=True),
    Deed(f"{_INTEGRATION}edit/", edits_integration),
    Deed(f"{_INTEGRATION}status/", lambda _world: {"status": "inactive__v"}),
    Deed(f"{_INTEGRATION}copy/", copies_integration, creates=True),
    Deed(f"{_INTEGRATION}delete/", nothing),
    Deed(f"{_INTEGRATION}points/add/", lambda world: point_values(world) | {"creation_key": KEY}, creates=True),
    Deed(f"{_INTEGRATION}points/<int:point_id>/edit/", edits_point),
    Deed(f"{_INTEGRATION}points/<int:point_id>/remove/", nothing),
    Deed(f"{_RECORD}clients/add/", lambda _world: {"name": "Acme", "client_id": "acme-rtsm"}, creates=True),
    Deed(f"{_CLIENT}edit/", changes_client),
    Deed(f"{_CLIENT}inactivate/", nothing),
    Deed(f"{_CLIENT}activate/", activates_client),
    Deed(f"{_RECORD}reset/", resets),
    Deed(f"{_RECORD}delete/", reason),
    Deed(f"{_RECORD}inactivate/", inactivates),
    Deed(f"{_RECORD}activate/", activates),
    Deed(f"{_LOOKUPS}add/", lookup_values, creates=True, path=lookup_choice),
    Deed(f"{_LOOKUPS}<int:lookup_id>/edit/", edits_lookup),
    Deed(f"{_LOOKUPS}<int:lookup_id>/status/", lambda _world: {"status": "inactive__v"}),
    Deed(f"{_LOOKUPS}<int:lookup_id>/delete/", nothing),
    Deed(
        f"{_V}admin/authorizations/create/",
        creates_authorization,
        query=f"?type={AuthorizationType.CLIENT_CREDENTIALS.value}",
        creates=True,
    ),
    Deed(f"{_V}admin/authorizations/<int:authorization_id>/edit/", edits_authorization),
    Deed(f"{_V}admin/authorizations/<int:authorization_id>/delete/", nothing),
    Deed(f"{_V}admin/authorizations/<int:authorization_id>/test/", tests_authorization),
    Deed(f"{_RECORD}test/", nothing, path=tested_path),
    Deed(f"{_V}admin/tokens/create/", creates_vault_token, creates=True),
    Deed(f"{_V}admin/tokens/<int:vault_token_id>/edit/", edits_vault_token),
    Deed(f"{_V}admin/tokens/<int:vault_token_id>/delete/", nothing),
    *incoming_deeds.DEEDS,
    *message_deeds.DEEDS,
    *alert_deeds.DEEDS,
    *ecoa_deeds.DEEDS,
    *correction_deeds.DEEDS,
    *source_deeds.DEEDS,
    *study_deeds.DEEDS,
    *drift_deeds.DEEDS,
    *queue_deeds.DEEDS,
    *(Deed(_V + pattern, prepare, creates=creates) for pattern, prepare, creates in ecoa_service_deeds.ACTS),
]

# Addresses that take a POST and are no deed of this list, each with where it is looked at instead.
ELSEWHERE = {
    "accounts/reauthenticate/": "changes only one's own session: tests/vaultadmin/accounts/test_passwords.py",
    "accounts/password/set/": "allauth sends people with a password away; ours choose theirs by an invitation",
    "accounts/password/reset/": "stores nothing: tests/vaultadmin/accounts/test_passwords.py",
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "two steps by mail: test_passwords.py",
    "accounts/2fa/authenticate/": "the second half of signing in: test_second_factor.py",
    "accounts/2fa/reauthenticate/": "changes only one's own session: test_second_factor.py",
    "accounts/2fa/totp/activate/": "needs a code of the moment: test_second_factor.py",
    "accounts/2fa/totp/deactivate/": "needs an app set up: test_second_factor.py",
    "accounts/2fa/recovery-codes/generate/": "needs an app set up: test_second_factor.py",
    "accounts/2fa/webauthn/add/": "needs an authenticator: tests/browser/test_people.py",
    "accounts/2fa/webauthn/reauthenticate/": "needs an authenticator: tests/browser/test_people.py",
    "accounts/2fa/webauthn/keys/<int:pk>/remove/": "needs an authenticator: tests/browser/test_people.py",
    "accounts/2fa/webauthn/keys/<int:pk>/edit/": "needs an authenticator: tests/browser/test_people.py",
    "accounts/2fa/webauthn/login/": "needs an authenticator: tests/browser/test_people.py",
    "accounts/sessions/": "needs a second session: tests/vaultadmin/accounts/test_sessions.py",
    "accounts/oidc/^(?P<provider_id>[^/]+)/login/": "needs a provider: test_single_sign_on.py",
    "accounts/oidc/^(?P<provider_id>[^/]+)/login/callback/": "needs a provider: test_single_sign_on.py",
}
