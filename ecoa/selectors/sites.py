"""Questions about sites: which ones a member sees, how each stands, and who its staff are."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import OuterRef, Q, QuerySet, Subquery

from ecoa.models import OPEN_STATES, RunState, Site, SiteAssignment, SyncRun
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can

# Past this many the sentence says "more than"; counting on would cost more than the reader gains.
COUNTED = 100


@dataclass(frozen=True)
class SiteSummary:
    """What one sentence about a site is made of; `needs_you` is None where nobody asked who has to act."""

    total: int
    synced: int
    waiting: int
    troubled: int
    needs_you: int | None


def sites(member: Membership) -> QuerySet[Site]:
    """Visible sites by study and number, with their counters."""
    rows = Site.objects.visible_to(member).select_related("mapping", "tally", "reading")
    return rows.order_by("mapping__name", "mapping_id", "number")


def sites_after(member: Membership, pk: int | None) -> QuerySet[Site]:
    """Visible sites that follow one in the order of the list; all of them for None, and where that one is gone."""
    last = Site.objects.visible_to(member).select_related("mapping").filter(pk=pk).first() if pk else None
    if last is None:
        return sites(member)
    same_name = Q(mapping__name=last.mapping.name)
    later = Q(mapping__name__gt=last.mapping.name)
    later |= same_name & Q(mapping_id__gt=last.mapping_id)
    later |= Q(mapping=last.mapping_id, number__gt=last.number)
    return sites(member).filter(later)


@dataclass(frozen=True)
class OpenedSite:
    """A site somebody looks at, and the open run of its study, if there is one."""

    site: Site
    open_run: int | None
    paused: bool


def site(member: Membership, *, study: str, number: str) -> OpenedSite | None:
    """One visible site by the numbers in its address."""
    run = SyncRun.objects.filter(mapping=OuterRef("mapping"), state__in=OPEN_STATES)
    rows = sites(member).filter(mapping__external_study_id=study, number=number).select_related("rhythm")
    found = rows.annotate(run_id=Subquery(run.values("pk")[:1]), run_state=Subquery(run.values("state")[:1])).first()
    return OpenedSite(found, found.run_id, found.run_state == RunState.PAUSED) if found is not None else None


def site_by_numbers(member: Membership, *, study: str, number: str) -> Site | None:
    """One visible site by the numbers in its address, with what storing participants needs."""
    if "\x00" in study + number:
        return None
    rows = Site.objects.visible_to(member).select_related("mapping__vault", "vault")
    return rows.filter(mapping__external_study_id=study, number=number).first()


def assigned(sites_: list[Site]) -> dict[int, list[SiteAssignment]]:
    """The site staff of some sites, by site."""
    rows = SiteAssignment.objects.filter(site__in=sites_).select_related("member__user").order_by("member__user__name")
    found: dict[int, list[SiteAssignment]] = {one.pk: [] for one in sites_}
    for row in rows:
        found[row.site_id].append(row)
    return found


def assignable(member: Membership) -> QuerySet[Membership]:
    """Members of the vault who can be given a site."""
    rows = Membership.objects.filter(vault=member.vault_id, is_active=True, user__is_active=True)
    return rows.select_related("user", "profile").order_by("user__name")


def is_site_staff(member: Membership) -> bool:
    """Does this member see assigned sites only?"""
    return not can(member, Permission.ECOA_STUDY_TEAM)
