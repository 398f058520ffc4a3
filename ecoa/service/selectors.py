"""Questions of the service's pages: what this vault looks after, and who is in its studies."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from ecoa.contract import Region
from ecoa.service.faults.board import fits
from ecoa.service.faults.taking import GLOBAL
from ecoa.service.models import (
    ServiceFault,
    ServiceParticipant,
    ServiceSite,
    ServiceStudy,
    ServiceStudyMapping,
    ServiceSystem,
)
from ecoa.service.models.faults import FaultCall, FaultKind
from vaultadmin.models import Membership


def systems(member: Membership) -> QuerySet[ServiceSystem]:
    """The systems of the member's vault."""
    return ServiceSystem.objects.visible_to(member).select_related("vault").prefetch_related("tenants")


def studies(member: Membership) -> QuerySet[ServiceStudy]:
    """The studies of the member's vault."""
    return ServiceStudy.objects.visible_to(member).select_related("vault")


def sites(member: Membership) -> QuerySet[ServiceSite]:
    """The sites of the vault's studies, by number."""
    return ServiceSite.objects.filter(study__in=studies(member)).select_related("study__vault").order_by("number")


def mappings(member: Membership) -> QuerySet[ServiceStudyMapping]:
    """Which systems reach the vault's studies."""
    rows = ServiceStudyMapping.objects.filter(study__in=studies(member)).select_related("system", "study__vault")
    return rows.order_by("system__external_id")


def participants(study: ServiceStudy, *, search: str) -> QuerySet[ServiceParticipant]:
    """The participants of a study the caller of this may see; `search` is a whole ID of any of the three kinds."""
    rows = ServiceParticipant.objects.filter(study=study).select_related("site")
    if not search:
        return rows
    wanted = Q(participant_id=search) | Q(internal_id=search)
    number = _uuid(search)
    return rows.filter(wanted | Q(my_veeva_participant_id=number) if number else wanted)


@dataclass(frozen=True)
class Cell:
    """What was injected into one call of one region, and whether that call exists there."""

    label: str
    exists: bool
    injected: int
    armed: int


def counters() -> list[tuple[str, list[Cell]]]:
    """For the global address and each region: a cell for each call, in the order of FaultCall."""
    found: dict[tuple[str, str], list[ServiceFault]] = defaultdict(list)
    for fault in ServiceFault.objects.all():
        found[fault.region, fault.call].append(fault)
    return [
        (
            region,
            [
                Cell(
                    call.label,
                    fits(region=region, call=call, kind=FaultKind.ERROR_500),
                    sum(fault.injected for fault in found[region, call]),
                    sum(fault.is_on for fault in found[region, call]),
                )
                for call in FaultCall
            ],
        )
        for region in (GLOBAL, *Region)
    ]


def _uuid(text: str) -> Any:
    try:
        return UUID(text)
    except ValueError:
        return None
