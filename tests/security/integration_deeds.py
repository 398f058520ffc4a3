"""The forms of integrations and reference lookups."""

from __future__ import annotations

from typing import Any

from connections.models import (
    Integration,
    IntegrationPoint,
    ReferenceLookup,
)
from tests.security.deed import KEY, Deed, World, nothing, route_of

_V = "v/<int:vault_id>/"
_INTEGRATIONS = f"{_V}admin/connections/<connection:api_name>/integrations/"
_INTEGRATION = f"{_INTEGRATIONS}<int:integration_id>/"
_LOOKUPS = f"{_V}admin/reference-lookups/"


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


DEEDS = [
    Deed(f"{_INTEGRATIONS}create/", creates_integration, creates=True),
    Deed(f"{_INTEGRATION}edit/", edits_integration),
    Deed(f"{_INTEGRATION}status/", lambda _world: {"status": "inactive__v"}),
    Deed(f"{_INTEGRATION}copy/", copies_integration, creates=True),
    Deed(f"{_INTEGRATION}delete/", nothing),
    Deed(f"{_INTEGRATION}points/add/", lambda world: point_values(world) | {"creation_key": KEY}, creates=True),
    Deed(f"{_INTEGRATION}points/<int:point_id>/edit/", edits_point),
    Deed(f"{_INTEGRATION}points/<int:point_id>/remove/", nothing),
    Deed(f"{_LOOKUPS}add/", lookup_values, creates=True, path=lookup_choice),
    Deed(f"{_LOOKUPS}<int:lookup_id>/edit/", edits_lookup),
    Deed(f"{_LOOKUPS}<int:lookup_id>/status/", lambda _world: {"status": "inactive__v"}),
    Deed(f"{_LOOKUPS}<int:lookup_id>/delete/", nothing),
]
