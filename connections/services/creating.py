"""Create connections: one verb per type."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from connections import rules
from connections.constants import ConnectionState, ConnectionType
from connections.models import Connection, ConnectionAuthorization
from connections.services import clients, names
from connections.services.refusals import Refused
from connections.services.signing import certificates
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can, ensure

AUDITED = [
    "type",
    "name",
    "api_name",
    "state",
    "description",
    "authorized_user",
    "system_managed",
    "remote_vault_id",
    "remote_connection_id",
    "remote_vault_name",
    "remote_vault_dns",
    "remote_domain",
    "remote_application",
    "url",
    "authorization",
    "signing_certificate",
]
REMOTE_FIELDS = ("remote_vault_name", "remote_vault_dns", "remote_domain", "remote_application")


def create_vault_to_vault(
    *,
    name: str,
    api_name: str,
    by: Membership,
    now: datetime,
    description: str = "",
    authorized_user: Membership | None = None,
    remote_vault_id: int | None = None,
    remote: dict[str, str] | None = None,
    creation_key: UUID | None = None,
) -> Connection:
    """A Pending connection to another vault. `remote` are notes about it, replaced once it is established."""
    notes = {field: (remote or {}).get(field, "") for field in REMOTE_FIELDS}
    return _create(
        ConnectionType.VAULT_TO_VAULT,
        ConnectionState.PENDING,
        by=by,
        now=now,
        creation_key=creation_key,
        name=name,
        api_name=api_name,
        description=description,
        authorized_user=authorized_user,
        remote_vault_id=remote_vault_id,
        **notes,
    )


def create_external(
    *,
    name: str,
    api_name: str,
    by: Membership,
    now: datetime,
    url: str = "",
    authorization: ConnectionAuthorization | None = None,
    description: str = "",
    authorized_user: Membership | None = None,
    creation_key: UUID | None = None,
) -> Connection:
    """An Active connection to a system that is no vault, usable at once."""
    check_url(url)
    check_authorization(authorization, by)
    return _create(
        ConnectionType.EXTERNAL,
        ConnectionState.ACTIVE,
        by=by,
        now=now,
        creation_key=creation_key,
        name=name,
        api_name=api_name,
        description=description,
        authorized_user=authorized_user,
        url=url,
        authorization=authorization,
    )


def create_local(
    *,
    name: str,
    api_name: str,
    by: Membership,
    now: datetime,
    description: str = "",
    authorized_user: Membership | None = None,
    creation_key: UUID | None = None,
) -> Connection:
    """An Active connection of the vault to itself."""
    return _create(
        ConnectionType.LOCAL,
        ConnectionState.ACTIVE,
        by=by,
        now=now,
        creation_key=creation_key,
        name=name,
        api_name=api_name,
        description=description,
        authorized_user=authorized_user,
    )


def check_url(url: str) -> None:
    """Refuse a URL that breaks the rule; an empty one is allowed."""
    if not url:
        return
    try:
        rules.check_connection_url(url)
    except rules.RuleBroken as error:
        raise Refused(str(error), field="url") from error


def check_authorization(authorization: ConnectionAuthorization | None, by: Membership) -> None:
    """Refuse another vault's authorization, and anybody who may not edit authorizations (security.md K5).

    Whoever joins a stored secret to a URL decides where that secret is sent, so it takes the right over the secret.
    """
    if authorization is None:
        return
    if authorization.vault_id != by.vault_id:
        raise Refused("Choose an authorization of this Vault.", field="authorization")
    if not can(by, Permission.AUTHORIZATION_EDIT):
        sentence = f"To use a stored authorization your security profile needs “{Permission.AUTHORIZATION_EDIT.label}”."
        raise Refused(sentence, field="authorization")


def check_authorized_user(member: Membership | None, by: Membership) -> None:
    """Refuse a person who cannot act in this vault."""
    if member is not None and (member.vault_id != by.vault_id or not member.is_active or not member.user.is_active):
        raise Refused("Choose an active member of this Vault as Authorized Connection User.", field="authorized_user")


def _create(
    type_: ConnectionType,
    state: ConnectionState,
    *,
    by: Membership,
    now: datetime,
    creation_key: UUID | None,
    **values: Any,
) -> Connection:
    """Write the row and its audit row; the same `creation_key` again returns the record the first one made."""
    ensure(by, Permission.CONNECTION_CREATE)
    if again := _made_before(creation_key, by):
        return again
    names.check(by.vault, values["api_name"], standard=False)
    check_authorized_user(values["authorized_user"], by)
    connection: Connection = Connection(
        vault=by.vault,
        type=type_,
        state=state,
        signing_certificate=certificates.current(),
        creation_key=creation_key,
        created_at=now,
        modified_at=now,
        **values,
    )
    try:
        with transaction.atomic():
            add(connection, by=by)
    except IntegrityError as error:
        # Somebody was quicker: with our own key it was the same click, with another one they took the name.
        if again := _made_before(creation_key, by):
            return again
        raise names.refusal_of(error, connection.api_name) from error
    return connection


def add(connection: Connection, *, by: audit.Actor, reason: str = "") -> None:
    """Insert a checked record with its default Client ID and its audit row, inside the caller's transaction."""
    connection.save(force_insert=True)
    names.claim(connection)
    client = clients.add_default(connection)
    changes = audit.created(connection, AUDITED) | {"Client ID": (None, client.client_id)}
    audit.record(
        vault=connection.vault, by=by, event="connection.created", subject=connection, changes=changes, reason=reason
    )


def _made_before(creation_key: UUID | None, by: Membership) -> Connection | None:
    if creation_key is None:
        return None
    made: Connection | None = Connection.objects.filter(vault=by.vault_id, creation_key=creation_key).first()
    return made
