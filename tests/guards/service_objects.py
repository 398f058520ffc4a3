"""One of every thing of the bundled eCOA service an address can name."""

from __future__ import annotations

from typing import Any

from ecoa.service import faults, rotation, store, studies, systems
from ecoa.service.faults import FaultCall, FaultKind
from vaultadmin import audit, clock
from vaultadmin.models import Membership

BY = audit.System("Guard")


def build(owner: Membership) -> dict[str, Any]:
    """Ids by argument name, as tests.guards.objects wants them."""
    vault = owner.vault
    system = systems.create_with_tenant(
        vault=vault,
        external_id=f"guarded-system-{vault.pk}",
        secret=rotation.new_secret(),
        tenant_id="tenant",
        allowed_addresses=["192.0.2.0/24"],
        by=owner,
    )
    study = studies.create_study(vault=vault, external_id=f"guarded-service-study-{vault.pk}", by=owner)
    site = studies.add_site(study, number="1005", region="us", by=owner)
    spot = store.Spot(study.pk, site.pk, site.region)
    store.upsert(spot, internal_id="guarded", participant_id="guarded", now=clock.now())
    mapping = studies.map_system(study, system=system, by=owner)
    fault = faults.arm(region="eu", call=FaultCall.GET, kind=FaultKind.HTML, by=BY)
    return {
        "system_id": system.pk,
        "tenants:tenant_id": system.tenants.get().pk,
        "secret_id": system.secrets.get().pk,
        "service_study_id": study.pk,
        "service_site_id": site.pk,
        "service_mapping_id": mapping.pk,
        "fault_id": fault.pk,
        "scenario": "slow",
    }
