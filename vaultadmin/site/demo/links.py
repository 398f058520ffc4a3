"""Connections of the demo: one established, one waiting for approval, one never exchanged, External and Local."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from connections.constants import AuthorizationType, ConnectionState
from connections.models import Connection, ConnectionAuthorization
from connections.services import authorizations, creating, editing
from connections.services.handshake import establishing, files
from vaultadmin.site.demo import people, world
from vaultadmin.site.demo.credentials import Credentials

_AUTHORIZATION = "eCOA RTSM"


def load(credentials: Credentials, *, now: datetime) -> None:
    """Everything the connections list of the demo shows."""
    _established(now)
    _waiting(now)
    _pending(now)
    _external(credentials, now)
    _local(now)
    _standard(now)


def ecoa_connection() -> Connection:
    """The External connection to the bundled eCOA service."""
    return Connection.objects.get(vault=world.ECOA_VAULT, api_name=world.ECOA_CONNECTION)


def _established(now: datetime) -> None:
    """Clinical Operations and EDC: the file names the vault, so both sides are Active at once."""
    source = people.member(world.ADMIN, 1001)
    if _exists(1001, "clinops_edc"):
        return
    connection = creating.create_vault_to_vault(
        name="Clinical Operations to EDC",
        api_name="clinops_edc",
        description="Studies, countries and sites for the data capture vault.",
        remote_vault_id=1002,
        authorized_user=people.member(world.INTEGRATION, 1001),
        by=source,
        now=now,
    )
    _exchange(connection, 1002, now)


def _waiting(now: datetime) -> None:
    """Clinical Operations and Safety: no Remote Vault ID, so an approval task waits in both vaults."""
    if _exists(1001, "clinops_safety"):
        return
    connection = creating.create_vault_to_vault(
        name="Clinical Operations to Safety",
        api_name="clinops_safety",
        description="Study registrations for safety reporting.",
        by=people.member(world.ADMIN, 1001),
        now=now,
    )
    _exchange(connection, 1003, now)


def _pending(now: datetime) -> None:
    """A connection that waits for its file to be downloaded."""
    if not _exists(1004, "quality_rim"):
        creating.create_vault_to_vault(
            name="Quality to RIM",
            api_name="quality_rim",
            description="Change control and variation management.",
            remote_vault_id=1006,
            by=people.member(world.ADMIN, 1004),
            now=now,
        )


def _external(credentials: Credentials, now: datetime) -> None:
    """The way to the bundled eCOA service: the same wire an outside one would need."""
    admin = people.member(world.ADMIN, world.ECOA_VAULT)
    authorization = ConnectionAuthorization.objects.filter(vault=world.ECOA_VAULT, name=_AUTHORIZATION).first()
    if authorization is None:
        authorization = authorizations.create(
            type=AuthorizationType.CLIENT_CREDENTIALS,
            name=_AUTHORIZATION,
            identity=world.SYSTEM_ID,
            secret=credentials.ecoa_secret,
            by=admin,
            now=now,
        )
    if not _exists(world.ECOA_VAULT, world.ECOA_CONNECTION):
        creating.create_external(
            name="eCOA RTSM",
            api_name=world.ECOA_CONNECTION,
            description="Participants of the demo study travel to eCOA through this connection.",
            url=world.ECOA_URL,
            authorization=authorization,
            authorized_user=people.member(world.INTEGRATION, world.ECOA_VAULT),
            by=admin,
            now=now,
        )


def _local(now: datetime) -> None:
    if not _exists(1001, "local_jobs"):
        creating.create_local(
            name="Local jobs",
            api_name="local_jobs",
            description="Work this vault asks of itself.",
            authorized_user=people.member(world.INTEGRATION, 1001),
            by=people.member(world.ADMIN, 1001),
            now=now,
        )


def _standard(now: datetime) -> None:
    """Three of the standard connections, established; the others wait in their vaults to be set up."""
    for key, source, target in world.ESTABLISHED:
        mine = Connection.objects.get(vault=source, standard_key=key, standard_instance=1)
        if mine.state != ConnectionState.PENDING or mine.bindings.exists():
            continue
        admin = people.member(world.ADMIN, source)
        named = editing.edit(connection=mine, changes={"remote_vault_id": target}, by=admin, now=now)
        _exchange(named, target, now)


def _exchange(connection: Connection, target: int, now: datetime) -> None:
    download = files.issue(
        connection=connection, file_id=uuid4(), by=people.member(world.ADMIN, connection.vault_id), now=now
    )
    establishing.connect_from_file(raw=download.content, by=people.member(world.ADMIN, target), now=now)


def _exists(vault_id: int, api_name: str) -> bool:
    return Connection.objects.filter(vault=vault_id, api_name=api_name).exists()
