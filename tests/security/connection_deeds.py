"""The forms of connections and their clients."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile

from connections.constants import CertificateStage, ConnectionType
from connections.models import (
    Connection,
)
from connections.selectors import connections as connection_rows
from connections.services import clients, standard, switching
from connections.services.handshake import exchange, files
from tests.connections.handshake import settle, upload
from tests.factories.connections import download, make_certificate, make_vault_to_vault
from tests.factories.people import PASSWORD
from tests.security.deed import BY, KEY, Deed, World, nothing, reason
from vaultadmin import clock
from vaultadmin.models import Vault

_V = "v/<int:vault_id>/"
_RECORD = f"{_V}admin/connections/<connection:api_name>/"
_CLIENT = f"{_RECORD}clients/<int:client_id>/"


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


def changes_client(world: World) -> dict[str, Any]:
    client = world.connection().clients.get()
    return {"name": "Acme", "client_id": "acme-rtsm", "seen": client.modified_at.isoformat()}


def activates_client(world: World) -> dict[str, Any]:
    client = world.connection().clients.get()
    clients.set_active(client=client, active=False, by=world.owner, now=clock.now())
    return {}


def adds_standard(world: World) -> dict[str, Any]:
    Vault.objects.filter(pk=world.place.vault.pk).update(application="clinical_operations")
    vault = Vault.objects.get(pk=world.place.vault.pk)
    standard.load(vault, by=BY, now=clock.now())
    return {"key": f"clinops_edc:{standard.offers(vault)[0].instance}"}


DEEDS = [
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
    Deed(f"{_RECORD}clients/add/", lambda _world: {"name": "Acme", "client_id": "acme-rtsm"}, creates=True),
    Deed(f"{_CLIENT}edit/", changes_client),
    Deed(f"{_CLIENT}inactivate/", nothing),
    Deed(f"{_CLIENT}activate/", activates_client),
    Deed(f"{_RECORD}reset/", resets),
    Deed(f"{_RECORD}delete/", reason),
    Deed(f"{_RECORD}inactivate/", inactivates),
    Deed(f"{_RECORD}activate/", activates),
]
