"""Study mappings: create and edit, with the rules that need rows."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from connections.constants import AuthorizationType
from connections.models import Connection
from ecoa.models import StudyMapping
from ecoa.services import rhythms
from ecoa.services.actors import ensure_manager
from ecoa.services.refusals import Refused
from ecoa.sync.carrier import allowed_region
from vaultadmin import audit, clock
from vaultadmin.models import Vault
from vaultadmin.together import Asking

AUDITED = [
    "name",
    "connection",
    "tenant_id",
    "external_study_id",
    "api_version",
    "fixed_region",
    "read_back",
    "max_calls",
    "radar_is_on",
    "radar_every_hours",
    "radar_calls_per_hour",
    "is_active",
]
# What eCOA already holds was sent under these; changing them would look for it elsewhere.
FROZEN_ONCE_SENT = ("external_study_id",)


def keeps_connection(connection: Connection) -> Asking[str]:
    """Why a connection cannot be deleted, in one sentence: a study is sent through it; empty when none is."""
    mappings = StudyMapping.objects.filter(connection=connection).order_by("name", "pk")
    (names,) = yield (mappings.values_list("name", flat=True)[:1],)
    reasons = (f"The study mapping “{name}” sends through it; choose another connection there first." for name in names)
    return next(reasons, "")


def create(*, vault: Vault, by: audit.Actor, **values: Any) -> StudyMapping:
    """A new mapping of one study."""
    ensure_manager(by, vault)
    mapping = StudyMapping(vault=vault, **values)
    _check(mapping)
    try:
        with transaction.atomic():
            mapping.save(force_insert=True)
            audit.record(
                vault=vault,
                by=by,
                event="study_mapping.created",
                subject=mapping,
                changes=audit.created(mapping, AUDITED),
            )
    except IntegrityError as error:
        raise _taken(error) from error
    return mapping


def edit(mapping: StudyMapping, *, by: audit.Actor, **values: Any) -> StudyMapping:
    """Change a mapping. Runs under way use the new values from their next wake-up on."""
    ensure_manager(by, mapping.vault_id)
    try:
        with transaction.atomic():
            current = StudyMapping.objects.select_for_update(of=("self",)).select_related("vault").get(pk=mapping.pk)
            before = audit.snapshot(current, AUDITED)
            for name, value in values.items():
                setattr(current, name, value)
            _check(current)
            _check_frozen(current, before)
            current.save()
            if current.is_active and not before["is_active"]:
                rhythms.restart(current, now=clock.now())
            changes = audit.diff(before, current, AUDITED)
            if changes:
                audit.record(vault=current.vault, by=by, event="study_mapping.edited", subject=current, changes=changes)
    except IntegrityError as error:
        raise _taken(error) from error
    return current


def usable_connections(vault: Vault) -> Any:
    """External connections of the vault with a Client Credential authorization: the choices of a mapping."""
    rows = Connection.objects.filter(vault=vault, authorization__type=AuthorizationType.CLIENT_CREDENTIALS)
    return rows.select_related("authorization").order_by("name")


def _check(mapping: StudyMapping) -> None:
    connection = mapping.connection
    if connection.vault_id != mapping.vault_id:
        raise Refused("Choose a connection of this vault.", field="connection")
    if not connection.is_external:
        raise Refused("Choose an External connection.", field="connection")
    authorization = connection.authorization
    if authorization is None or authorization.type != AuthorizationType.CLIENT_CREDENTIALS:
        raise Refused("Give the connection a Client Credential authorization first.", field="connection")
    if mapping.fixed_region and not allowed_region(mapping.fixed_region):
        raise Refused(
            "The region is not below one of the hosts this installation trusts with secrets.", field="fixed_region"
        )


def _check_frozen(mapping: StudyMapping, before: dict[str, Any]) -> None:
    for name in FROZEN_ONCE_SENT:
        if before[name] != getattr(mapping, name) and mapping.participants.exclude(synced_version=0).exists():
            raise Refused("Participants are in eCOA under this study ID already. Create another mapping.", field=name)


def _taken(error: IntegrityError) -> Refused:
    if "study_mapping_study_once" in str(error):
        return Refused("Another mapping of this vault has this study ID.", field="external_study_id")
    if "study_mapping_name_once" in str(error):
        return Refused("Another mapping of this vault has this name.", field="name")
    raise error
