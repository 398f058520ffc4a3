"""From a study mapping to a route: the connection's address and credentials, read once per drain."""

from __future__ import annotations

from connections.services import outward
from ecoa.client import Credentials
from ecoa.models import StudyMapping
from ecoa.sync.carrier import Route


class RouteUnavailable(Exception):
    """The study cannot be sent now; the sentence says what an administrator has to do."""


def route_of(mapping: StudyMapping) -> Route:
    """Where and as whom to send a study; RouteUnavailable when its connection cannot be used."""
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
    )
