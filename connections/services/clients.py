"""Connection Clients: the Client IDs a connection's programs call with."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from connections.constants import RecordStatus
from connections.models import Connection, ConnectionClient, default_client_id
from connections.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure
from vaultadmin.rest import client_ids

DEFAULT_NAME = "Default"
_AUDITED = ["connection", "name", "client_id", "status"]
_MOST_TRIES = 100
_RULE = "Client ID takes letters, digits, periods, underscores and hyphens, at most 100 of them."


def add_default(connection: Connection) -> ConnectionClient:
    """The client every connection begins with, inside the transaction that makes the connection.

    Another connection may hold the usual Client ID, because it was renamed or the id was added to it: then the next
    free one is taken.
    """
    for number in range(1, _MOST_TRIES):
        suffix = f"-{number}" if number > 1 else ""
        client = ConnectionClient(
            vault=connection.vault,
            connection=connection,
            name=DEFAULT_NAME,
            client_id=default_client_id(connection.api_name) + suffix,
            created_at=connection.created_at,
            modified_at=connection.created_at,
        )
        try:
            with transaction.atomic():
                client.save(force_insert=True)
        except IntegrityError:
            continue
        return client
    raise Refused(f"No default Client ID is free for {connection.api_name}; choose another API Name.", field="api_name")


def add(*, connection: Connection, name: str, client_id: str, by: Membership, now: datetime) -> ConnectionClient:
    """Approve one more Client ID for a connection."""
    ensure(by, Permission.CONNECTION_EDIT)
    _check(client_id)
    client = ConnectionClient(
        vault=by.vault, connection=connection, name=name, client_id=client_id, created_at=now, modified_at=now
    )
    try:
        with transaction.atomic():
            Connection.objects.select_for_update().get(pk=connection.pk, vault=by.vault_id)
            client.save(force_insert=True)
            changes = audit.created(client, _AUDITED)
            audit.record(vault=by.vault, by=by, event="connection_client.created", subject=client, changes=changes)
    except IntegrityError as error:
        raise _taken(client) from error
    return client


def change(
    *, client: ConnectionClient, name: str, client_id: str, by: Membership, now: datetime, seen: datetime
) -> ConnectionClient:
    """Rename a client or give it another Client ID; calls with the old one no longer belong to the connection."""
    ensure(by, Permission.CONNECTION_EDIT)
    _check(client_id)
    try:
        with transaction.atomic():
            locked = _locked(client, by)
            if locked.modified_at != seen:
                raise Refused("Somebody changed this Client ID since you opened it; look at it again before you save.")
            before = audit.snapshot(locked, _AUDITED)
            locked.name, locked.client_id = name, client_id
            _store(locked, before, event="connection_client.edited", by=by, now=now)
    except IntegrityError as error:
        raise _taken(
            ConnectionClient(connection_id=client.connection_id, vault=by.vault, client_id=client_id)
        ) from error
    return locked


def set_active(*, client: ConnectionClient, active: bool, by: Membership, now: datetime) -> ConnectionClient:
    """Let a Client ID speak for its connection, or no longer. Doing it twice is the same as once."""
    ensure(by, Permission.CONNECTION_EDIT)
    event = "connection_client.activated" if active else "connection_client.inactivated"
    try:
        with transaction.atomic():
            locked = _locked(client, by)
            before = audit.snapshot(locked, _AUDITED)
            locked.status = RecordStatus.ACTIVE if active else RecordStatus.INACTIVE
            _store(locked, before, event=event, by=by, now=now)
    except IntegrityError as error:
        raise _taken(client) from error
    return locked


def _locked(client: ConnectionClient, by: Membership) -> ConnectionClient:
    found: ConnectionClient = (
        ConnectionClient.objects.select_for_update(of=("self",))
        .select_related("connection")
        .get(pk=client.pk, vault=by.vault_id)
    )
    return found


def _store(client: ConnectionClient, before: dict[str, object], *, event: str, by: Membership, now: datetime) -> None:
    changes = audit.diff(before, client, _AUDITED)
    if changes:
        client.modified_at = now
        client.save()
        audit.record(vault=by.vault, by=by, event=event, subject=client, changes=changes)


def _check(client_id: str) -> None:
    if not client_ids.is_legal(client_id):
        raise Refused(_RULE, field="client_id")


def _taken(client: ConnectionClient) -> Refused:
    """The refusal of a Client ID that is in use, naming where."""
    same = ConnectionClient.objects.filter(vault=client.vault, client_id=client.client_id).select_related("connection")
    own = same.filter(connection=client.connection_id).exclude(pk=client.pk).first()
    if own is not None:
        state = "is in the list already" if own.is_active else "is in the list already: activate it"
        return Refused(f"{client.client_id} {state}.", field="client_id")
    other = same.active().exclude(connection=client.connection_id).first()
    where = f"“{other.connection}”" if other else "another connection"
    return Refused(
        f"{where} uses the Client ID {client.client_id}; inactivate it there first, or choose another one.",
        field="client_id",
    )
