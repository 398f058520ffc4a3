"""Filling the service with systems, studies and sites. Everything here may be done twice and changes nothing then."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

from django.db import models, transaction

from ecoa.service import rotation, store, systems
from ecoa.service.models import (
    MappingState,
    ServiceFault,
    ServiceParticipant,
    ServiceSite,
    ServiceStudy,
    ServiceStudyMapping,
    ServiceSystem,
    ServiceTenant,
)
from ecoa.service.models.faults import FaultCall, FaultKind, why_impossible
from vaultadmin import audit, clock
from vaultadmin.models import Vault

_BY = audit.System("eCOA service seeding")
_NAMES = uuid5(NAMESPACE_URL, "urn:vaultadmin:ecoa-service")
_Row = TypeVar("_Row", bound=models.Model)
_AUDITED: dict[type[models.Model], list[str]] = {
    ServiceTenant: ["tenant_id"],
    ServiceStudy: ["external_id", "internal_id", "integration_enabled"],
    ServiceStudyMapping: ["system", "state"],
    ServiceSite: ["number", "internal_id", "region"],
    ServiceFault: ["region", "call", "kind", "internal_id_prefix"],
}


@dataclass(frozen=True)
class OddPlaces:
    """What to ask for to meet each refusal. All but the two last belong to the first site's region."""

    unmapped_study: str  # NF-0002
    unknown_site: str  # NF-0003, in the study
    site_of_other_study: str  # ID-0002, in the study
    unconfigured_site: str  # IC-0001, in the study
    disabled_study: str  # IC-0002, with `odd_study_site`
    withdrawn_study: str  # IC-0003, with `odd_study_site`
    odd_study_site: str
    taken_participant_id: str  # ID-0003, in the study
    failing_internal_prefix: str  # UE-0001: an internalId that begins with it, written at the first site


@transaction.atomic
def seed_demo(
    *,
    system_id: str,
    secret: str,
    tenant_id: str,
    study_id: str,
    sites: Mapping[str, str],
    vault: Vault | None = None,
) -> OddPlaces:
    """One system with a study whose `sites` maps numbers to regions, and beside it every reason to be refused.

    The people of `vault` look after all of it; without one nobody does on a page.
    """
    first_number, first_region = next(iter(sites.items()))
    odd = OddPlaces(
        unmapped_study=f"{study_id}-unmapped",
        unknown_site="9999",
        site_of_other_study="8001",
        unconfigured_site="7001",
        disabled_study=f"{study_id}-disabled",
        withdrawn_study=f"{study_id}-withdrawn",
        odd_study_site="6001",
        taken_participant_id=f"{first_number}-TAKEN",
        failing_internal_prefix="service-fails-",
    )
    system = ensure_system(external_id=system_id, secret=secret, tenant_id=tenant_id, vault=vault)
    study = ensure_study(study_id, system=system, vault=vault)
    placed = {number: ensure_site(study, number, region) for number, region in sites.items()}
    _ensure_odd_places(odd, study, system, first_region)
    _take_participant_id(study, placed[first_number], odd.taken_participant_id)
    _ensure_failure(first_region, odd.failing_internal_prefix)
    return odd


@transaction.atomic
def change_behind_our_back(*, study_id: str, renamed: Mapping[str, str], moved: Mapping[str, str]) -> None:
    """What another system could do to participants of ours, by internal id: another id, or off to a site's number."""
    study = ServiceStudy.objects.get(external_id=study_id)
    sites = {site.number: site for site in ServiceSite.objects.filter(study=study)}
    rows = ServiceParticipant.objects.filter(study=study, internal_id__in=[*renamed, *moved])
    for row in rows.select_related("site"):
        site = sites[moved.get(row.internal_id, row.site.number)]
        store.upsert(
            store.Spot(study.pk, site.pk, site.region),
            internal_id=row.internal_id,
            participant_id=renamed.get(row.internal_id, row.participant_id),
            now=clock.now(),
        )


@transaction.atomic
def ensure_system(*, external_id: str, secret: str, tenant_id: str, vault: Vault | None = None) -> ServiceSystem:
    """The system with this secret and tenant; another secret than a live one replaces them all."""
    now = clock.now()
    system = ServiceSystem.objects.filter(external_id=external_id).first()
    if system is None:
        system = systems.create_system(external_id=external_id, secret=secret, by=_BY, vault=vault)
    elif rotation.matching(list(rotation.live(system, now=now)), secret) is None:
        rotation.replace(system, secret=secret, by=_BY, now=now)
    _ensure(ServiceTenant, "ecoa_system.tenant_added", of=system, system=system, tenant_id=tenant_id)
    return system


@transaction.atomic
def ensure_study(
    external_id: str,
    *,
    system: ServiceSystem | None = None,
    state: MappingState = MappingState.ENABLED,
    integration_enabled: bool = True,
    vault: Vault | None = None,
) -> ServiceStudy:
    """The study, mapped to the system when one is given. Its internal id follows from its external one."""
    defaults = {
        "internal_id": str(uuid5(_NAMES, external_id)),
        "integration_enabled": integration_enabled,
        "vault": vault or (system.vault if system else None),
    }
    study = _ensure(ServiceStudy, "ecoa_study.created", external_id=external_id, defaults=defaults)
    if system is not None:
        place = {"system": system, "study": study, "defaults": {"state": state}}
        _ensure(ServiceStudyMapping, "ecoa_study.system_mapped", of=study, **place)
    return study


@transaction.atomic
def ensure_site(study: ServiceStudy, number: str, region: str) -> ServiceSite:
    """The site of the study in a region. Its internal id follows from both."""
    defaults = {"internal_id": str(uuid5(_NAMES, f"{study.external_id}/{number}")), "region": region}
    return _ensure(ServiceSite, "ecoa_study.site_added", of=study, study=study, number=number, defaults=defaults)


def _ensure_odd_places(odd: OddPlaces, study: ServiceStudy, system: ServiceSystem, region: str) -> None:
    ensure_study(odd.unmapped_study, vault=system.vault)
    ensure_site(ensure_study(f"{study.external_id}-other", system=system), odd.site_of_other_study, region)
    ensure_site(study, odd.unconfigured_site, "none")
    disabled = ensure_study(odd.disabled_study, system=system, integration_enabled=False)
    withdrawn = ensure_study(odd.withdrawn_study, system=system, state=MappingState.WITHDRAWN)
    for odd_study in (disabled, withdrawn):
        ensure_site(odd_study, odd.odd_study_site, region)


def _take_participant_id(study: ServiceStudy, site: ServiceSite, participant_id: str) -> None:
    """A participant somebody else brought in long ago, holding an id the demo will want."""
    store.upsert(
        store.Spot(study.pk, site.pk, site.region),
        internal_id="brought-in-by-another-system",
        participant_id=participant_id,
        now=clock.now(),
    )


def _ensure_failure(region: str, prefix: str) -> None:
    """Writes of some participants fail inside the service, for as long as anybody is likely to look."""
    if why_impossible():
        return
    place: dict[str, Any] = {"region": region, "call": FaultCall.POST, "internal_id_prefix": prefix}
    fault = _ensure(
        ServiceFault, "ecoa_fault.armed", **place, defaults={"kind": FaultKind.ERROR_500, "remaining": 10_000}
    )
    ServiceFault.objects.filter(pk=fault.pk).update(remaining=10_000)


def _ensure(model: type[_Row], event: str, *, of: models.Model | None = None, **fields: Any) -> _Row:
    """The row; made now, the trail has it as a person's page would, as an event of the row it belongs to."""
    row, made = model._default_manager.get_or_create(**fields)
    if made:
        subject = of or row
        audit.record(vault=getattr(subject, "vault", None), by=_BY, event=event, subject=subject, changes=_told(row))
    return row


def _told(row: models.Model) -> audit.Changes:
    return audit.created(row, _AUDITED.get(type(row), []))
