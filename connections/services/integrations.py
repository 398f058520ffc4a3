"""Integrations of a connection: switch them, and make, change, copy and delete one's own (veeva-core section 7)."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction

from connections import rules
from connections.constants import RecordStatus
from connections.models import Connection, Integration, IntegrationPoint
from connections.services import parts
from connections.services.locking import lock_record
from connections.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure

AUDITED = ["connection", "name", "api_name", "status", "description", "system_managed"]
POINT_AUDITED = ["integration", "type", "name", "api_name", "status", "description", "system_managed"]
API_NAME_LABEL = "Integration API Name"
READ_ONLY = "Standard integrations are read-only: only their Status can be changed."

Row = TypeVar("Row", Integration, IntegrationPoint)


def refusal(connection: Connection) -> str:
    """Why a connection has no integrations; empty when it may."""
    return "" if connection.is_vault_to_vault else "Only Vault to Vault connections support integrations."


def change_refusal(integration: Integration) -> str:
    """Why an integration cannot be changed beyond its status; empty when it can."""
    return READ_ONLY if integration.system_managed else ""


def create(
    *,
    connection: Connection,
    name: str,
    api_name: str,
    by: Membership,
    now: datetime,
    description: str = "",
    creation_key: UUID | None = None,
) -> Integration:
    """A custom integration, switched on, without points yet. The same `creation_key` again returns the first one."""
    ensure(by, Permission.MANAGE_CONNECTIONS)
    try:
        with transaction.atomic():
            owner = _lock_connection(connection, by)
            if again := made_before(Integration, creation_key, by):
                return again
            check_name(api_name, label=API_NAME_LABEL)
            return _insert(owner, name, api_name, description, by=by, now=now, creation_key=creation_key)
    except IntegrityError as error:
        raise taken(api_name, API_NAME_LABEL) from error


def edit(
    *,
    integration: Integration,
    name: str,
    api_name: str,
    description: str,
    by: Membership,
    now: datetime,
    seen: datetime | None = None,
) -> Integration:
    """Change a custom integration; `seen` is its `modified_at` when the form was shown."""
    ensure(by, Permission.MANAGE_CONNECTIONS)
    try:
        with transaction.atomic():
            locked = lock(integration, by)
            refuse_read_only(locked)
            refuse_stale(locked, seen)
            check_name(api_name, label=API_NAME_LABEL)
            before = audit.snapshot(locked, AUDITED)
            locked.name, locked.api_name, locked.description = name, api_name, description
            save_changes(locked, before, AUDITED, "integration.edited", by=by, now=now)
    except IntegrityError as error:
        raise taken(api_name, API_NAME_LABEL) from error
    return locked


def set_status(*, integration: Integration, status: str, by: Membership, now: datetime) -> Integration:
    """Switch an integration on or off, a standard one too. Nothing is recorded when it is so already."""
    ensure(by, Permission.MANAGE_CONNECTIONS)
    wanted = RecordStatus(status)
    with transaction.atomic():
        locked = lock(integration, by)
        before = audit.snapshot(locked, AUDITED)
        locked.status = wanted.value
        event = "integration.activated" if wanted is RecordStatus.ACTIVE else "integration.inactivated"
        save_changes(locked, before, AUDITED, event, by=by, now=now)
    return locked


def delete(*, integration: Integration, by: Membership) -> None:
    """Delete a custom integration with its points. One that is gone already is no error."""
    ensure(by, Permission.MANAGE_CONNECTIONS)
    with transaction.atomic():
        rows = Integration.objects.select_for_update(of=("self",)).select_related("connection")
        locked = rows.filter(pk=integration.pk, vault=by.vault_id).first()
        if locked is None:
            return
        refuse_read_only(locked)
        points: audit.Changes = {"Integration points": (sorted(locked.points.values_list("api_name", flat=True)), None)}
        whole = locked.connection
        parts.record_deleted(locked, whole=whole, fields=AUDITED, event="integration.deleted", by=by, more=points)
        locked.delete()


def copy(
    *,
    integration: Integration,
    connection: Connection,
    name: str,
    api_name: str,
    by: Membership,
    now: datetime,
    creation_key: UUID | None = None,
) -> Integration:
    """A custom integration with the points of another one, Inactive until somebody has looked at it.

    Points get names of their own, ending in `__c`. The copy may belong to another connection of the vault.
    """
    ensure(by, Permission.MANAGE_CONNECTIONS)
    try:
        with transaction.atomic():
            owner = _lock_connection(connection, by)
            source = lock(integration, by)
            if again := made_before(Integration, creation_key, by):
                return again
            check_name(api_name, label=API_NAME_LABEL)
            made = _insert(
                owner,
                name,
                api_name,
                source.description,
                by=by,
                now=now,
                creation_key=creation_key,
                status=RecordStatus.INACTIVE,
                reason=f"Copied from {source.api_name}.",
            )
            for point in source.points.all():
                _copy_point(point, made, by=by, now=now)
    except IntegrityError as error:
        raise taken(api_name, API_NAME_LABEL) from error
    return made


def free_name(integration: Integration) -> str:
    """An API name a copy of an integration could have."""
    names = Integration.objects.filter(vault=integration.vault_id)
    return rules.free_own_name(integration.api_name, taken=lambda name: names.filter(api_name=name).exists())


def lock(integration: Integration, by: Membership) -> Integration:
    """The integration as it is now, held until the transaction ends."""
    found = Integration.objects.select_for_update().filter(pk=integration.pk, vault=by.vault_id).first()
    if found is None:
        raise Refused("This integration was deleted meanwhile.")
    return found


def check_name(api_name: str, *, label: str) -> None:
    """Refuse an API name a customer may not give."""
    try:
        rules.check_own_name(api_name, label=label)
    except rules.RuleBroken as error:
        raise Refused(str(error), field="api_name") from error


def taken(api_name: str, label: str) -> Refused:
    """The refusal of a name something else in the vault has."""
    return Refused(f"“{api_name}” is already an {label} of this Vault; choose another one.", field="api_name")


def refuse_read_only(integration: Integration) -> None:
    """Refuse changes to what came with a standard connection."""
    if sentence := change_refusal(integration):
        raise Refused(sentence)


def refuse_stale(row: Integration | IntegrationPoint, seen: datetime | None) -> None:
    """Refuse to overwrite what somebody else saved since the form was shown."""
    if seen is not None and row.modified_at != seen:
        raise Refused("Somebody changed this since you opened it; look at it again before you save.")


def save_changes(
    row: Integration | IntegrationPoint,
    before: dict[str, object],
    fields: list[str],
    event: str,
    *,
    by: Membership,
    now: datetime,
) -> None:
    """Save a row and record what changed; nothing happens when nothing did."""
    if changes := audit.diff(before, row, fields):
        row.modified_at = now
        row.save()
        audit.record(vault=by.vault, by=by, event=event, subject=row, changes=changes)


def made_before(model: type[Row], creation_key: UUID | None, by: Membership) -> Row | None:
    """What the same click made already."""
    if creation_key is None:
        return None
    return model.objects.filter(vault=by.vault_id, creation_key=creation_key).first()


def _lock_connection(connection: Connection, by: Membership) -> Connection:
    locked = lock_record(connection, by)
    if sentence := refusal(locked):
        raise Refused(sentence)
    return locked


def _insert(
    connection: Connection,
    name: str,
    api_name: str,
    description: str,
    *,
    by: Membership,
    now: datetime,
    creation_key: UUID | None,
    status: RecordStatus = RecordStatus.ACTIVE,
    reason: str = "",
) -> Integration:
    made = Integration(
        vault=by.vault,
        connection=connection,
        name=name,
        api_name=api_name,
        description=description,
        status=status.value,
        creation_key=creation_key,
        created_at=now,
        modified_at=now,
    )
    made.save(force_insert=True)
    changes = audit.created(made, AUDITED)
    audit.record(vault=by.vault, by=by, event="integration.created", subject=made, changes=changes, reason=reason)
    return made


def _copy_point(point: IntegrationPoint, made: Integration, *, by: Membership, now: datetime) -> None:
    names = IntegrationPoint.objects.filter(vault=made.vault_id)
    copied = IntegrationPoint(
        vault=by.vault,
        integration=made,
        type=point.type,
        name=point.name,
        api_name=rules.free_own_name(point.api_name, taken=lambda name: names.filter(api_name=name).exists()),
        status=point.status,
        description=point.description,
        created_at=now,
        modified_at=now,
    )
    copied.save(force_insert=True)
    changes = audit.created(copied, POINT_AUDITED)
    audit.record(vault=by.vault, by=by, event="integration_point.created", subject=copied, changes=changes)
