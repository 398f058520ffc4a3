"""Integrating systems: which there are, whether they may call, from which addresses and on whose behalf."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from django.db import IntegrityError, transaction

from ecoa.service import rotation
from ecoa.service.models import ServiceSystem, ServiceTenant
from ecoa.services.actors import ensure_manager
from ecoa.services.refusals import Refused
from vaultadmin import audit, clock
from vaultadmin.models import Vault

AUDITED = ["external_id", "integration_enabled", "allowed_addresses"]


@transaction.atomic
def create_system(
    *,
    external_id: str,
    secret: str,
    by: audit.Actor,
    allowed_addresses: Sequence[str] = (),
    vault: Vault | None = None,
) -> ServiceSystem:
    """A system with its first secret; it may call from `allowed_addresses`, or from anywhere when there are none."""
    ensure_manager(by, vault.pk if vault else 0)
    system = ServiceSystem(vault=vault, external_id=external_id, allowed_addresses=_addresses(allowed_addresses))
    try:
        with transaction.atomic():
            system.save(force_insert=True)
    except IntegrityError as error:
        raise Refused("There is a system with this ID already. Choose another.", field="external_id") from error
    changes = audit.created(system, AUDITED)
    audit.record(vault=vault, by=by, event="ecoa_system.created", subject=system, changes=changes)
    rotation.replace(system, secret=secret, by=by, now=clock.now())
    return system


@transaction.atomic
def create_with_tenant(
    *, vault: Vault, external_id: str, secret: str, tenant_id: str, allowed_addresses: Sequence[str], by: audit.Actor
) -> ServiceSystem:
    """What the dialog *Create system* asks for, in one go."""
    system = create_system(
        vault=vault, external_id=external_id, secret=secret, allowed_addresses=allowed_addresses, by=by
    )
    add_tenant(system, tenant_id=tenant_id, by=by)
    return system


@transaction.atomic
def edit(
    system: ServiceSystem, *, allowed_addresses: Sequence[str], integration_enabled: bool, by: audit.Actor
) -> ServiceSystem:
    """Change where a system may call from (an empty list allows any address) and whether it may call at all.

    Both count from the next call on.
    """
    ensure_manager(by, system.vault_id or 0)
    row = ServiceSystem.objects.select_for_update(of=("self",)).select_related("vault").get(pk=system.pk)
    before = audit.snapshot(row, AUDITED)
    row.allowed_addresses = _addresses(allowed_addresses)
    row.integration_enabled = integration_enabled
    changes = audit.diff(before, row, AUDITED)
    if changes:
        row.save(update_fields=["allowed_addresses", "integration_enabled"])
        audit.record(vault=row.vault, by=by, event="ecoa_system.edited", subject=row, changes=changes)
    return row


@transaction.atomic
def add_tenant(system: ServiceSystem, *, tenant_id: str, by: audit.Actor) -> ServiceTenant:
    """Let the system call on behalf of this entity, too."""
    ensure_manager(by, system.vault_id or 0)
    tenant, made = ServiceTenant.objects.get_or_create(system=system, tenant_id=tenant_id)
    if not made:
        raise Refused("The system serves this tenant already.", field="tenant_id")
    changes: audit.Changes = {"Tenant": (None, tenant_id)}
    audit.record(vault=system.vault, by=by, event="ecoa_system.tenant_added", subject=system, changes=changes)
    return tenant


@transaction.atomic
def remove_tenant(tenant: ServiceTenant, *, by: audit.Actor) -> None:
    """The system no longer calls on behalf of this entity; tokens it has for it end with the next call."""
    system = tenant.system
    ensure_manager(by, system.vault_id or 0)
    changes: audit.Changes = {"Tenant": (tenant.tenant_id, None)}
    audit.record(vault=system.vault, by=by, event="ecoa_system.tenant_removed", subject=system, changes=changes)
    tenant.delete()


def may_call_from(allowed: Sequence[str], address: str) -> bool:
    """Whether a caller's address is on the list; an empty list allows any."""
    if not allowed:
        return True
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(caller, ipaddress.IPv6Address) and caller.ipv4_mapped:
        caller = caller.ipv4_mapped
    return any(caller in network for network in _networks(tuple(allowed)))


def _addresses(addresses: Sequence[str]) -> list[str]:
    """The entries as networks in their usual spelling."""
    cleaned = []
    for entry in addresses:
        try:
            cleaned.append(str(ipaddress.ip_network(entry.strip())))
        except ValueError as error:
            message = f"{entry.strip()[:60]} is neither an IP address nor a network."
            raise Refused(message, field="allowed_addresses") from error
    return cleaned


@lru_cache(maxsize=256)
def _networks(allowed: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(entry) for entry in allowed)
