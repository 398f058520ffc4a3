"""What a step says about whole sites: where they are now, whether they are mapped, when they were read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ecoa.models import DiscrepancyKind, ReadBackCycle, Site, SiteReading
from ecoa.radar.asking import Step
from ecoa.radar.judging import Look, Says
from ecoa.radar.settling import ACTOR, SiteNews
from vaultadmin import audit

_ANSWERED = (Says.AGREES, Says.DIFFERS, Says.PENDING)
_MOVED = DiscrepancyKind.REGION_MOVED.value
_UNMAPPED = (DiscrepancyKind.SITE_UNMAPPED.value, DiscrepancyKind.MAPPING_GONE.value)


def unchecked(cycle: ReadBackCycle, sites: Mapping[str, int]) -> list[str]:
    """The sites (number → id) whose region was not asked for in this round yet."""
    rows = SiteReading.objects.filter(site__in=sites.values(), checked_in=cycle.pk)
    checked = set(rows.values_list("site_id", flat=True))
    return [number for number, pk in sites.items() if pk not in checked]


def of_step(cycle: ReadBackCycle, step: Step, sites: Mapping[str, int]) -> list[SiteNews]:
    """Differences of whole sites, and those that are over."""
    accepted = dict(SiteReading.objects.filter(site__in=sites.values()).values_list("site_id", "region"))
    found: list[SiteNews] = []
    for number, region in step.regions.items():
        pk = sites[number]
        before = accepted.get(pk, "")
        if before and before != region:
            detail = "eCOA names another region for this site than the one it was found in before."
            found.append(SiteNews(pk, number, _MOVED, over=False, detail=detail, ours=before, theirs=region))
        else:
            found.append(SiteNews(pk, number, _MOVED, over=True))
    answered = {look.owned.site for look in step.looks if look.says in _ANSWERED}
    found += [SiteNews(sites[number], number, kind, over=True) for number in sorted(answered) for kind in _UNMAPPED]
    refused = {look.owned.site: look for look in step.looks if look.says is Says.SITE}
    found += [_refused(sites[number], number, look) for number, look in sorted(refused.items())]
    gone = next((look for look in step.looks if look.says is Says.STUDY), None)
    return found + (_study_gone(cycle, gone) if gone is not None else [])


def note_sites(cycle: ReadBackCycle, step: Step, sites: Mapping[str, int], now: datetime) -> None:
    """Remember when each site was read and, the first time, its region; a region seen first is in the trail."""
    read = {look.owned.site for look in step.looks if look.says in _ANSWERED}
    for number in sorted(step.regions.keys() | read, key=lambda one: sites[one]):
        reading, _made = SiteReading.objects.select_for_update().get_or_create(site_id=sites[number])
        region = step.regions.get(number, "")
        if region and not reading.region:
            reading.region = region
            entry = audit.Entry("site.region_seen", "ecoa.site", str(sites[number]), number, {"region": (None, region)})
            audit.record_many(vault=cycle.vault, by=ACTOR, entries=[entry])
        reading.checked_in = cycle.pk if region else reading.checked_in
        reading.last_read_at = now if number in read else reading.last_read_at
        reading.save(update_fields=["region", "checked_in", "last_read_at"])


def _refused(pk: int, number: str, look: Look) -> SiteNews:
    return SiteNews(pk, number, look.kind, over=False, code=look.code, detail=look.detail)


def _study_gone(cycle: ReadBackCycle, look: Look) -> list[SiteNews]:
    """One row for each site that has participants: who looks at a site sees why nothing is known of it."""
    rows = Site.objects.filter(mapping=cycle.mapping_id, tally__isnull=False).order_by("pk")
    return [
        SiteNews(pk, number, look.kind, over=False, code=look.code, detail=look.detail)
        for pk, number in rows.values_list("pk", "number")
    ]
