"""Studies the service knows, their sites, and which systems reach them. Changes count from the next call on."""

from __future__ import annotations

from uuid import uuid4

from django.db import IntegrityError, connection, transaction

from ecoa.service.models import (
    MappingState,
    ServiceParticipant,
    ServiceSite,
    ServiceStudy,
    ServiceStudyMapping,
    ServiceSystem,
)
from ecoa.services.actors import ensure_manager
from ecoa.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Vault

_AUDITED = ["external_id", "internal_id", "integration_enabled"]
_SITE = ["number", "internal_id", "region"]


@transaction.atomic
def create_study(*, vault: Vault, external_id: str, by: audit.Actor) -> ServiceStudy:
    """A study under the sponsor's ID; the service gives it an ID of its own."""
    ensure_manager(by, vault)
    study = ServiceStudy(vault=vault, external_id=external_id, internal_id=str(uuid4()))
    if ServiceStudy.objects.filter(internal_id=external_id).exists():
        raise Refused("There is a study with this ID already. Choose another.", field="external_id")
    try:
        with transaction.atomic():
            study.save(force_insert=True)
    except IntegrityError as error:
        raise Refused("There is a study with this ID already. Choose another.", field="external_id") from error
    audit.record(vault=vault, by=by, event="ecoa_study.created", subject=study, changes=audit.created(study, _AUDITED))
    return study


@transaction.atomic
def set_enabled(study: ServiceStudy, *, enabled: bool, by: audit.Actor) -> ServiceStudy:
    """Whether systems may reach the study at all; disabled, every call is answered IC-0002."""
    ensure_manager(by, study.vault_id or 0)
    row = ServiceStudy.objects.select_for_update(of=("self",)).select_related("vault").get(pk=study.pk)
    before = audit.snapshot(row, _AUDITED)
    row.integration_enabled = enabled
    row.save(update_fields=["integration_enabled"])
    event = "ecoa_study.enabled" if enabled else "ecoa_study.disabled"
    audit.record(vault=row.vault, by=by, event=event, subject=row, changes=audit.diff(before, row, _AUDITED))
    return row


@transaction.atomic
def add_site(study: ServiceStudy, *, number: str, region: str, by: audit.Actor) -> ServiceSite:
    """A site under its number in the study; its participants are kept in the store of the region."""
    ensure_manager(by, study.vault_id or 0)
    site = ServiceSite(study=study, number=number, internal_id=str(uuid4()), region=region)
    try:
        with transaction.atomic():
            site.save(force_insert=True)
    except IntegrityError as error:
        raise Refused("The study has a site with this number already.", field="number") from error
    changes = audit.created(site, _SITE)
    audit.record(vault=study.vault, by=by, event="ecoa_study.site_added", subject=study, changes=changes)
    return site


@transaction.atomic
def move_site(site: ServiceSite, *, region: str, by: audit.Actor) -> ServiceSite:
    """Serve the site from another region; its participants move to that store with it."""
    row = ServiceSite.objects.select_for_update(of=("self",)).select_related("study__vault").get(pk=site.pk)
    # A write under way ends first, and one that waits looks again where the site is: none lands in the old store.
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {ServiceParticipant._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
    ensure_manager(by, row.study.vault_id or 0)
    before = audit.snapshot(row, _SITE)
    row.region = region
    row.save(update_fields=["region"])
    ServiceParticipant.objects.filter(study=row.study_id, site=row).update(region=region)
    changes = audit.diff(before, row, _SITE)
    audit.record(vault=row.study.vault, by=by, event="ecoa_study.site_moved", subject=row.study, changes=changes)
    return row


@transaction.atomic
def map_system(study: ServiceStudy, *, system: ServiceSystem, by: audit.Actor) -> ServiceStudyMapping:
    """Let a system reach the study."""
    ensure_manager(by, study.vault_id or 0)
    if system.vault_id != study.vault_id:
        raise Refused("Choose a system of this vault.", field="system")
    mapping, made = ServiceStudyMapping.objects.get_or_create(system=system, study=study)
    if not made:
        raise Refused("The system is mapped to this study already.", field="system")
    changes: audit.Changes = {"System": (None, system.external_id)}
    audit.record(vault=study.vault, by=by, event="ecoa_study.system_mapped", subject=study, changes=changes)
    return mapping


@transaction.atomic
def set_mapping(mapping: ServiceStudyMapping, *, state: MappingState, by: audit.Actor) -> ServiceStudyMapping:
    """Withdraw a mapping (calls are answered IC-0003) or restore it."""
    rows = ServiceStudyMapping.objects.select_for_update(of=("self",)).select_related("study__vault", "system")
    mapping = rows.get(pk=mapping.pk)
    ensure_manager(by, mapping.study.vault_id or 0)
    if mapping.state == state:
        raise Refused(f"The mapping is {mapping.get_state_display().lower()} already.")
    changes: audit.Changes = {f"Mapping of {mapping.system}": (mapping.get_state_display(), state.label)}
    mapping.state = state
    mapping.save(update_fields=["state"])
    event = "ecoa_study.mapping_withdrawn" if state == MappingState.WITHDRAWN else "ecoa_study.mapping_restored"
    audit.record(vault=mapping.study.vault, by=by, event=event, subject=mapping.study, changes=changes)
    return mapping
