"""Questions of the pages. Everything people see starts from `visible_to(member)`; lists page by key, never by count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Q, QuerySet, Subquery

from ecoa.models import (
    OPEN_STATES,
    FileImport,
    FileRow,
    Participant,
    RunState,
    Site,
    SiteAssignment,
    StudyMapping,
    SyncItem,
    SyncRun,
)
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import Lane

PAGE = 50
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


def sites_after(member: Membership, pk: int) -> QuerySet[Site]:
    """Visible sites that follow one in the order of the list."""
    last = Site.objects.visible_to(member).select_related("mapping").filter(pk=pk).first()
    if last is None:
        return sites(member)
    same_name = Q(mapping__name=last.mapping.name)
    later = Q(mapping__name__gt=last.mapping.name)
    later |= same_name & Q(mapping_id__gt=last.mapping_id)
    later |= Q(mapping=last.mapping_id, number__gt=last.number)
    return sites(member).filter(later)


def tally_summary(found: Site) -> SiteSummary:
    """A site's counts from its counters alone, for lists of many sites."""
    tally = found.tally
    return SiteSummary(tally.total, tally.synced, tally.waiting, tally.troubled, None)


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


def participant(member: Membership, pk: int) -> Participant | None:
    """One visible participant with its study and site."""
    rows = Participant.objects.visible_to(member).select_related("site", "mapping__vault", "vault")
    return rows.filter(pk=pk).first()


def runs(member: Membership) -> QuerySet[SyncRun]:
    """Visible runs with their study; pages order them by key."""
    rows: QuerySet[SyncRun] = SyncRun.objects.visible_to(member).select_related("mapping", "file")
    return rows


def mappings(member: Membership) -> QuerySet[StudyMapping]:
    """Visible study mappings with their connection."""
    return StudyMapping.objects.visible_to(member).select_related("connection", "vault")


def files(member: Membership) -> QuerySet[FileImport]:
    """Visible participant files."""
    return FileImport.objects.visible_to(member).select_related("mapping__vault", "vault", "columns_from")


def problem_rows(file: FileImport, *, after: int = 0) -> list[FileRow]:
    """The next lines of a file that cannot be imported, one more than a page to show whether it ends."""
    rows = FileRow.objects.filter(file=file, problems__isnull=False, line__gt=after).order_by("line")
    return list(rows[: PAGE + 1])


def all_problem_rows(file: FileImport) -> Iterator[FileRow]:
    """Every line of a file that cannot be imported, read in pieces."""
    rows = FileRow.objects.filter(file=file, problems__isnull=False).order_by("line")
    return rows.iterator(chunk_size=2000)


def sample_rows(file: FileImport, *, amount: int = 5) -> list[FileRow]:
    """The first good lines of a file, to show that it was understood."""
    return list(FileRow.objects.filter(file=file, problems__isnull=True).order_by("line")[:amount])


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


def sync_lane(now: datetime) -> Lane:
    """What is due to be sent, for the status page; asked run by run, as the index is ordered."""
    due = 0
    oldest: list[datetime] = []
    for run in SyncRun.objects.open():
        rows = SyncItem.objects.filter(run=run, crashes=0, lease_token__isnull=True, due_at__lte=now)
        first = rows.order_by("due_at").values_list("due_at", flat=True)[: COUNTED + 1]
        moments = [moment for moment in first if moment is not None]
        due += len(moments)
        oldest += moments[:1]
    return Lane("Participants to eCOA", due, min(oldest, default=None))


def import_lane(now: datetime) -> Lane:
    """Files that wait to be checked or stored."""
    free = Q(lease_token__isnull=True) | Q(lease_until__lt=now)
    due = FileImport.objects.filter(free, state__in=["checking", "storing"]).order_by("created_at")
    oldest = due.values_list("created_at", flat=True).first()
    return Lane("Participant files", len(due.values_list("pk")[: COUNTED + 1]), oldest)
