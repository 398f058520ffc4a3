"""Integration points of custom integrations: add, change, remove."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from connections.constants import IntegrationPointType, RecordStatus
from connections.models import Integration, IntegrationPoint
from connections.services import integrations, parts
from connections.services.integrations import POINT_AUDITED
from connections.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure

API_NAME_LABEL = "Integration Point API Name"


def add(
    *,
    integration: Integration,
    type: str,
    name: str,
    api_name: str,
    by: Membership,
    now: datetime,
    status: str = RecordStatus.ACTIVE.value,
    description: str = "",
    creation_key: UUID | None = None,
) -> IntegrationPoint:
    """A point of a custom integration. The same `creation_key` again returns the first one."""
    ensure(by, Permission.MANAGE_CONNECTIONS)
    try:
        with transaction.atomic():
            owner = integrations.lock(integration, by)
            integrations.refuse_read_only(owner)
            if again := integrations.made_before(IntegrationPoint, creation_key, by):
                return again
            integrations.check_name(api_name, label=API_NAME_LABEL)
            made = IntegrationPoint(
                vault=by.vault,
                integration=owner,
                type=IntegrationPointType(type).value,
                name=name,
                api_name=api_name,
                status=RecordStatus(status).value,
                description=description,
                creation_key=creation_key,
                created_at=now,
                modified_at=now,
            )
            made.save(force_insert=True)
            changes = audit.created(made, POINT_AUDITED)
            audit.record(vault=by.vault, by=by, event="integration_point.created", subject=made, changes=changes)
    except IntegrityError as error:
        raise integrations.taken(api_name, API_NAME_LABEL) from error
    return made


def edit(
    *,
    point: IntegrationPoint,
    type: str,
    name: str,
    api_name: str,
    status: str,
    description: str,
    by: Membership,
    now: datetime,
    seen: datetime | None = None,
) -> IntegrationPoint:
    """Change a point of a custom integration; `seen` is its `modified_at` when the form was shown."""
    ensure(by, Permission.MANAGE_CONNECTIONS)
    try:
        with transaction.atomic():
            integrations.refuse_read_only(integrations.lock(point.integration, by))
            locked = IntegrationPoint.objects.select_for_update().filter(pk=point.pk, vault=by.vault_id).first()
            if locked is None:
                raise Refused("This integration point was removed meanwhile.")
            integrations.refuse_stale(locked, seen)
            integrations.check_name(api_name, label=API_NAME_LABEL)
            before = audit.snapshot(locked, POINT_AUDITED)
            locked.type, locked.status = IntegrationPointType(type).value, RecordStatus(status).value
            locked.name, locked.api_name, locked.description = name, api_name, description
            integrations.save_changes(locked, before, POINT_AUDITED, "integration_point.edited", by=by, now=now)
    except IntegrityError as error:
        raise integrations.taken(api_name, API_NAME_LABEL) from error
    return locked


def remove(*, point: IntegrationPoint, by: Membership) -> None:
    """Remove a point of a custom integration. One that is gone already is no error."""
    ensure(by, Permission.MANAGE_CONNECTIONS)
    with transaction.atomic():
        rows = IntegrationPoint.objects.select_for_update(of=("self",)).select_related("integration")
        locked = rows.filter(pk=point.pk, vault=by.vault_id).first()
        if locked is None:
            return
        integrations.refuse_read_only(locked.integration)
        whole = locked.integration
        parts.record_deleted(locked, whole=whole, fields=POINT_AUDITED, event="integration_point.removed", by=by)
        locked.delete()
