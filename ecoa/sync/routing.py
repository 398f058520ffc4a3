"""From a study mapping to a route: the connection's address and credentials, read once per drain."""

from __future__ import annotations

from django.conf import settings

from connections.services import outward
from ecoa.client import Credentials
from ecoa.models import StudyMapping
from ecoa.sync.carrier import Route
from ecoa.sync.shares import Pool
from vaultadmin import place


class RouteUnavailable(Exception):
    """The study cannot be sent now; the sentence says what an administrator has to do."""


def route_of(mapping: StudyMapping) -> Route:
    """Where and as whom to send a study; RouteUnavailable when its connection cannot be used."""
    if place.held():
        raise RouteUnavailable(place.HELD)
    if not mapping.is_active:
        raise RouteUnavailable("The study mapping is switched off.")
    try:
        target = outward.destination(mapping.connection)
    except outward.DestinationUnavailable as refusal:
        raise RouteUnavailable(str(refusal)) from refusal
    if not target.client_id or not target.client_secret:
        raise RouteUnavailable(f"The connection “{mapping.connection}” has no Client Credential authorization.")
    return Route(
        base_url=target.url,
        credentials=Credentials(target.client_id, mapping.tenant_id, target.client_secret),
        study=mapping.external_study_id,
        api_version=mapping.api_version,
        fixed_region=mapping.fixed_region,
        read_back=mapping.read_back,
        pools=_pools(mapping, target.url, target.client_id),
        region_calls=settings.ECOA_REGION_CALLS,
    )


def _pools(mapping: StudyMapping, url: str, system_id: str) -> tuple[Pool, ...]:
    """The system's calls are shared by all studies sent through it; a study may have a lower limit of its own."""
    system = Pool(f"system {system_id} at {url}"[:600], settings.ECOA_SYSTEM_CALLS)
    own = (Pool(f"study {mapping.pk}", mapping.max_calls),) if mapping.max_calls else ()
    return (system, *own)
