"""Edit a connection record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from connections.constants import ConnectionState, ConnectionType
from connections.models import Connection
from connections.services import creating, names, secret_guard
from connections.services.handshake import files
from connections.services.locking import lock_record
from connections.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure

_COMMON = frozenset({"name", "api_name", "description", "authorized_user"})
_EDITABLE = {
    ConnectionType.VAULT_TO_VAULT: _COMMON | {"remote_vault_id", *creating.REMOTE_FIELDS},
    ConnectionType.EXTERNAL: _COMMON | {"url", "authorization"},
    ConnectionType.LOCAL: _COMMON,
}


def editable_fields(connection: Connection) -> frozenset[str]:
    """The fields a person may change now: Remote Vault ID only until the connection is established."""
    fields = _EDITABLE[ConnectionType(connection.type)]
    if connection.system_managed:
        fields -= {"name", "api_name"}
    return fields if may_change_remote_vault_id(connection) else fields - {"remote_vault_id"}


def may_change_remote_vault_id(connection: Connection) -> bool:
    """Only while nothing is established or being agreed on."""
    free = connection.state in (ConnectionState.PENDING, ConnectionState.DISCONNECTED)
    return free and not connection.is_being_agreed_on()


def edit(
    *,
    connection: Connection,
    changes: Mapping[str, Any],
    by: Membership,
    now: datetime,
    seen: datetime | None = None,
    secret: str = "",
) -> Connection:
    """Change fields of a record, all or none.

    `seen` is the record's `modified_at` when the form was shown: somebody else's change since is not overwritten.
    `secret` is the authorization's secret typed again, needed when the URL moves to another host: a stored secret is
    never sent to a place chosen by somebody who does not know it (security.md K5).
    """
    ensure(by, Permission.CONNECTION_EDIT)
    try:
        with secret_guard.watched(by=by), transaction.atomic():
            locked = lock_record(connection, by)
            if seen is not None and locked.modified_at != seen:
                raise Refused("Somebody changed this connection since you opened it; look at it again before you save.")
            _check(locked, changes, by, secret)
            _write(locked, changes, by, now)
    except IntegrityError as error:
        raise names.refusal_of(error, changes.get("api_name", connection.api_name)) from error
    return locked


def host_of(url: str) -> str:
    """The host part of a URL as written, tokens included; what a secret is bound to."""
    return urlsplit(url).netloc.lower()


def needs_secret(connection: Connection, changes: Mapping[str, Any]) -> bool:
    """Would this edit send a stored secret to a host it was not meant for when it was stored?"""
    authorization = changes.get("authorization", connection.authorization)
    url = changes.get("url", connection.url)
    return authorization is not None and bool(url) and host_of(url) != host_of(connection.url)


def _check(connection: Connection, changes: Mapping[str, Any], by: Membership, secret: str) -> None:
    if unknown := sorted(set(changes) - editable_fields(connection)):
        label = getattr(connection._meta.get_field(unknown[0]), "verbose_name", unknown[0])
        raise Refused(f"{label} cannot be changed in the present state of this connection.", field=unknown[0])
    if "name" in changes and not changes["name"].strip():
        raise Refused("Enter a Name.", field="name")
    if "api_name" in changes:
        names.check(by.vault, changes["api_name"], standard=connection.system_managed, but=connection)
    if changes.get("authorized_user") != connection.authorized_user:
        creating.check_authorized_user(changes.get("authorized_user"), by)
    creating.check_url(changes.get("url", ""))
    if changes.get("authorization") != connection.authorization:
        creating.check_authorization(changes.get("authorization"), by)
    if needs_secret(connection, changes):
        authorization = changes.get("authorization", connection.authorization)
        secret_guard.ensure_known(authorization, secret, why="The URL now leads to another host", field="secret")


def _write(connection: Connection, changes: Mapping[str, Any], by: Membership, now: datetime) -> None:
    before = audit.snapshot(connection, creating.AUDITED)
    former = connection.api_name
    for field, value in changes.items():
        setattr(connection, field, value)
    if before["url"] != connection.url and connection.url:
        # Somebody says where it leads now, which brings a cloned connection back to life.
        connection.url_removed = False
        if connection.state == ConnectionState.INACTIVE:
            connection.activate()
    difference = audit.diff(before, connection, creating.AUDITED)
    if not difference:
        return
    connection.modified_at = now
    connection.save()
    if former != connection.api_name:
        names.claim(connection, former=former)
    if before["remote_vault_id"] != connection.remote_vault_id:
        files.revoke_open(connection, by=by, now=now, reason="Remote Vault ID was changed.")
    audit.record(vault=connection.vault, by=by, event="connection.edited", subject=connection, changes=difference)
