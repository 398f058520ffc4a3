"""The participants of a site as its staff read them: filters, search by prefix, and the strip of counts above.

Nothing here counts a site of 100,000: the counts come from counters kept by triggers, or stop at a hundred.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, Exists, Func, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.expressions import Combinable

from ecoa.cards import Acts, codes_of
from ecoa.models import Correction, Participant, ParticipantStatus, Site, SiteReading, SiteTally, SyncItem
from ecoa.selectors.sites import COUNTED, OpenedSite, SiteSummary
from vaultadmin.models import Membership

SITE_ACTS = codes_of(Acts.SITE)
NEEDS_YOU, STUDY_TEAM, ATTENTION, CORRECTIONS = "needs_you", "study_team", "attention", "corrections"
_TROUBLE = (ParticipantStatus.REJECTED, ParticipantStatus.UNKNOWN)


@dataclass(frozen=True)
class Counts:
    """The strip of one site, or of several together. `needs_you` and `corrections` stop at a hundred."""

    summary: SiteSummary
    corrections: int
    differences: int

    @property
    def with_study_team(self) -> int:
        """In trouble, and not the site's turn."""
        return self.summary.troubled - min(self.summary.needs_you or 0, self.summary.troubled)


def participants(member: Membership, opened: OpenedSite, *, state: str, search: str) -> QuerySet[Participant]:
    """All participants of a visible site that fit, in the order of their IDs, as a file holds them.

    `sending` marks those an open run still has to do, `correcting` is the state of an open correction.
    """
    rows = _rows(member, opened, state)
    if search:
        found = Q()
        for beginning in _beginnings(search, opened.site):
            found |= Q(participant_id__startswith=beginning)
        rows = rows.filter(found)
    return _told(rows, opened)


def page(
    member: Membership, opened: OpenedSite, *, state: str, search: str, after: str, limit: int
) -> QuerySet[Participant]:
    """The first participants that fit, after one ID.

    Each beginning of an ID is read in the order of the index and only as far as the page goes: a search that fits
    100,000 costs what one that fits a hundred does. What pages tell of each is asked for those on the page alone.
    """
    rows = _rows(member, opened, state)
    if after:
        rows = rows.filter(participant_id__gt=after)
    parts = [rows]
    if search:
        parts = [rows.filter(participant_id__startswith=one) for one in _beginnings(search, opened.site)]
    keys = [part.order_by("participant_id").values("pk")[:limit] for part in parts]
    wanted = keys[0] if len(keys) == 1 else keys[0].union(*keys[1:], all=True)
    return _told(Participant.objects.filter(pk__in=wanted), opened)[:limit]


def _rows(member: Membership, opened: OpenedSite, state: str) -> QuerySet[Participant]:
    rows: QuerySet[Participant] = Participant.objects.visible_to(member).filter(site=opened.site)
    return rows.filter(_in_state(state))


def _told(rows: QuerySet[Participant], opened: OpenedSite) -> QuerySet[Participant]:
    under_way = SyncItem.objects.filter(run=opened.open_run, participant=OuterRef("pk"), due_at__isnull=False)
    correction = Correction.objects.open().filter(participant=OuterRef("pk"))
    return rows.annotate(
        sending=Exists(under_way), correcting=Subquery(correction.values("state")[:1], output_field=CharField())
    ).order_by("participant_id")


def _beginnings(text: str, site: Site) -> list[str]:
    """The text, or the text after the site's number, as people at the site say their IDs; in capitals, too."""
    wanted = sorted({text, text.upper(), f"{site.number}-{text}", f"{site.number}-{text.upper()}"})
    # What begins with a longer one begins with the shorter one as well.
    return [one for one in wanted if not any(one != other and one.startswith(other) for other in wanted)]


def counts_of(site: Site) -> Counts:
    """The counts of one site."""
    [counts] = counts_by_site([site]).values()
    return counts


def counts_by_site(sites: list[Site]) -> dict[int, Counts]:
    """The counts of some sites, loaded with their tallies and readings, in one question for all of them."""
    asked = Site.objects.filter(pk__in=[site.pk for site in sites])
    rows = asked.annotate(needs_you=_needing(), correcting=_correcting())
    bounded = {pk: numbers for pk, *numbers in rows.values_list("pk", "needs_you", "correcting")}
    found = {}
    for site in sites:
        needs_you, correcting = bounded[site.pk]
        found[site.pk] = Counts(_summary(site.tally, needs_you), correcting, reading_of(site).open)
    return found


def reading_of(site: Site) -> SiteReading:
    """What reading back found at a site; nought where nothing was read yet."""
    return getattr(site, "reading", None) or SiteReading(site=site)


def whole_summary(member: Membership) -> SiteSummary:
    """All sites a member sees, as one: the counters added up, and up to a hundred who need somebody there."""
    visible = Site.objects.visible_to(member)
    sums = SiteTally.objects.filter(site__in=visible).aggregate(
        **{name: Sum(name, default=0) for name in ("waiting", "synced", "rejected", "unknown")}
    )
    tally = SiteTally(**{name: int(number) for name, number in sums.items()})
    needing = Participant.objects.filter(site__in=visible, code__in=SITE_ACTS).values_list("pk")[:COUNTED]
    return _summary(tally, len(needing) if tally.troubled else 0)


def _summary(tally: SiteTally, needs_you: int) -> SiteSummary:
    return SiteSummary(tally.total, tally.synced, tally.waiting, tally.troubled, needs_you)


def _needing() -> Combinable:
    rows = Participant.objects.filter(site=OuterRef("pk"), code__in=SITE_ACTS)
    return _bounded(rows)


def _correcting() -> Combinable:
    rows = Correction.objects.open().filter(participant__site=OuterRef("pk"))
    return _bounded(rows)


def _bounded(rows: QuerySet[Any]) -> Combinable:
    """How many there are, up to a hundred."""
    found = ArraySubquery(rows.order_by().values("pk")[:COUNTED])
    return Func(found, function="CARDINALITY", output_field=IntegerField())


def _in_state(state: str) -> Q:
    if state == NEEDS_YOU:
        return Q(code__in=SITE_ACTS)
    if state == STUDY_TEAM:
        return Q(status__in=_TROUBLE) & ~Q(code__in=SITE_ACTS)
    if state == ATTENTION:
        return Q(status__in=_TROUBLE)
    if state == CORRECTIONS:
        return Q(Exists(Correction.objects.open().filter(participant=OuterRef("pk"))))
    return Q(status=state) if state else Q()
