"""The forms of what connections sign in with and of vault tokens."""

from __future__ import annotations

from typing import Any

from connections.constants import AuthorizationType
from connections.models import (
    ConnectionAuthorization,
    VaultToken,
)
from tests.factories.connections import make_external
from tests.security.deed import KEY, Deed, World, nothing

FORM_SECRET = "form secret value"
# Routed to a port of this machine where nothing listens: a test of it ends at once.
NEARBY = "https://ecoa.demo.test/"
_V = "v/<int:vault_id>/"


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


DEEDS = [
    Deed(
        f"{_V}admin/authorizations/create/",
        creates_authorization,
        query=f"?type={AuthorizationType.CLIENT_CREDENTIALS.value}",
        creates=True,
    ),
    Deed(f"{_V}admin/authorizations/<int:authorization_id>/edit/", edits_authorization),
    Deed(f"{_V}admin/authorizations/<int:authorization_id>/delete/", nothing),
    Deed(f"{_V}admin/authorizations/<int:authorization_id>/test/", tests_authorization),
    Deed(f"{_V}admin/connections/<connection:api_name>/test/", nothing, path=tested_path),
    Deed(f"{_V}admin/tokens/create/", creates_vault_token, creates=True),
    Deed(f"{_V}admin/tokens/<int:vault_token_id>/edit/", edits_vault_token),
    Deed(f"{_V}admin/tokens/<int:vault_token_id>/delete/", nothing),
]
