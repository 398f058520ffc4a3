"""Questions of the study team's pages: the matrix of studies and sites, health over time, alarms, reports.

Cells come from counters, one row a site; nothing here counts participants.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from ecoa.models import EvidenceReport, SilenceAlarm, Site, SiteReading, StudyMapping, SyncDay
from vaultadmin.models import Membership

STUDIES = 6
NUMBERS = 40
COUNTERS = ("sent", "confirmed", "rejected", "unknown")
SILENT, ATTENTION, WAITING, SYNCED, EMPTY, CLOSED = "silent", "attention", "waiting", "synced", "none", "closed"


@dataclass(frozen=True)
class Cell:
    """One site of one study: the worst that is to be said of it, and the numbers behind."""

    site: Site
    state: str
    total: int
    waiting: int
    attention: int
    alarm: SilenceAlarm | None


@dataclass(frozen=True)
class Line:
    """One site number across the shown studies; None where a study has no such site."""

    number: str
    name: str
    cells: list[Cell | None]


@dataclass(frozen=True)
class Matrix:
    """A part of the matrix that fits a page. `next_number` and `next_study` are where it goes on, empty at the end."""

    studies: list[StudyMapping]
    lines: list[Line]
    next_number: str
    next_study: int


@dataclass(frozen=True)
class Overall:
    """How many sites are in which state, a site counted under the worst."""

    sites: int
    studies: int
    silent: int
    attention: int
    waiting: int


def matrix(member: Membership, *, state: str = "", after: str = "", study: int = 0) -> Matrix:
    """Sites by number against studies by name, from site number `after` and study `study` on."""
    studies = _studies(member, study)
    shown, more = studies[:STUDIES], studies[STUDIES:]
    rows = _in_state(Site.objects.visible_to(member).filter(mapping__in=shown), state)
    if after:
        rows = rows.filter(number__gt=after)
    numbers = rows.order_by("number").values("number").distinct()[: NUMBERS + 1]
    found = rows.filter(number__in=numbers).select_related("tally", "reading").order_by("number", "pk")
    lines = _lines(list(found), shown)
    next_number = lines[NUMBERS - 1].number if len(lines) > NUMBERS else ""
    return Matrix(shown, lines[:NUMBERS], next_number, more[0].pk if more else 0)


def overall(member: Membership) -> Overall:
    """The figures of the headline, over every visible site."""
    silent, attention = Q(is_silent=True), Q(is_silent=False, needs=True)
    counts = _with_states(Site.objects.visible_to(member)).aggregate(
        sites=Count("pk"),
        studies=Count("mapping", distinct=True),
        silent=Count("pk", filter=silent),
        attention=Count("pk", filter=attention),
        waiting=Count("pk", filter=Q(is_silent=False, needs=False, tally__waiting__gt=0)),
    )
    return Overall(**counts)


def troubled_sites(member: Membership, *, limit: int) -> list[Site]:
    """Sites where participants need attention, for a digest."""
    rows = _with_states(Site.objects.visible_to(member)).filter(needs=True)
    return list(rows.select_related("mapping", "tally").order_by("mapping__name", "number")[:limit])


def alarms(member: Membership, *, with_ended: bool) -> QuerySet[SilenceAlarm]:
    """Visible alarms with their sites, open ones or all; pages order them by key."""
    found = SilenceAlarm.objects.visible_to(member)
    rows = found if with_ended else found.open()
    return rows.select_related("site__mapping", "site__vault", "snoozed_by__user")


def site(member: Membership, pk: int) -> Site | None:
    """One visible site with its study, rhythm and pauses."""
    rows = Site.objects.visible_to(member).select_related("mapping", "vault", "rhythm").prefetch_related("pauses")
    return rows.filter(pk=pk).first()


def reports(member: Membership) -> QuerySet[EvidenceReport]:
    """Visible reports with their sites."""
    return EvidenceReport.objects.visible_to(member).select_related("site__mapping", "vault")


@dataclass(frozen=True)
class Period:
    """The last days up to today, oldest first, every day with a row; and the sums over all of them."""

    days: Sequence[SyncDay]
    totals: dict[str, int]

    @property
    def is_empty(self) -> bool:
        """Was nothing counted?"""
        return not any(self.totals.values())

    @property
    def worst(self) -> SyncDay | None:
        """The day with most trouble; None when there was none."""
        found = max(self.days, key=lambda day: day.rejected + day.unknown)
        return found if found.rejected + found.unknown else None


def health(member: Membership, *, mapping: int, today: date, number: int) -> Period:
    """Days of one study, or with 0 of all visible ones; days on which nothing happened are rows of zeros."""
    first = today - timedelta(days=number - 1)
    studies = StudyMapping.objects.visible_to(member)
    rows = SyncDay.objects.filter(mapping__in=studies, date__range=(first, today))
    if mapping:
        rows = rows.filter(mapping=mapping)
    sums: Iterable[Any] = (
        rows.order_by("date").values("date").annotate(**{f"all_{name}": Sum(name) for name in COUNTERS})
    )
    kept = {row["date"]: {name: row[f"all_{name}"] for name in COUNTERS} for row in sums}
    dates = [first + timedelta(days=day) for day in range(number)]
    days = [SyncDay(date=day, **kept.get(day, {})) for day in dates]
    return Period(days, {name: sum(getattr(day, name) for day in days) for name in COUNTERS})


def _studies(member: Membership, start: int) -> list[StudyMapping]:
    rows = StudyMapping.objects.visible_to(member).order_by("name", "pk")
    first = rows.filter(pk=start).first() if start else None
    if first is not None:
        rows = rows.filter(Q(name__gt=first.name) | Q(name=first.name, pk__gte=first.pk))
    return list(rows[: STUDIES + 1])


def _with_states(rows: QuerySet[Site]) -> QuerySet[Any]:
    alarms_ = SilenceAlarm.objects.open().filter(site=OuterRef("pk"), snoozed_until__isnull=True)
    silent = alarms_.filter(site__closed_on__isnull=True)
    differing = SiteReading.objects.filter(site=OuterRef("pk"), open__gt=0)
    troubled = Q(tally__rejected__gt=0) | Q(tally__unknown__gt=0) | Exists(differing)
    return rows.annotate(is_silent=Exists(silent), needs=troubled)


def _in_state(rows: QuerySet[Site], state: str) -> QuerySet[Any]:
    if state == SILENT:
        return _with_states(rows).filter(is_silent=True)
    if state == ATTENTION:
        return _with_states(rows).filter(needs=True)
    if state == WAITING:
        return rows.filter(tally__waiting__gt=0)
    if state == SYNCED:
        return _with_states(rows).filter(tally__synced__gt=0, tally__waiting=0, needs=False, is_silent=False)
    return rows


def _lines(sites: list[Site], studies: list[StudyMapping]) -> list[Line]:
    silent = {row.site_id: row for row in SilenceAlarm.objects.open().filter(site__in=[one.pk for one in sites])}
    by_number: dict[str, dict[int, Site]] = defaultdict(dict)
    for one in sites:
        by_number[one.number][one.mapping_id] = one
    return [
        Line(
            number,
            next((one.name for one in of.values() if one.name), ""),
            [_cell(of[study.pk], silent) if study.pk in of else None for study in studies],
        )
        for number, of in by_number.items()
    ]


def _cell(site: Site, silent: dict[int, SilenceAlarm]) -> Cell:
    tally, alarm, reading = site.tally, silent.get(site.pk), getattr(site, "reading", None)
    attention = tally.troubled + (reading.open if reading is not None else 0)
    return Cell(site, _state(site, attention, alarm), tally.total, tally.waiting, attention, alarm)


def _state(site: Site, attention: int, alarm: SilenceAlarm | None) -> str:
    if alarm is not None and alarm.snoozed_until is None and site.closed_on is None:
        return SILENT
    if attention:
        return ATTENTION
    if site.tally.waiting:
        return WAITING
    if site.closed_on is not None:
        return CLOSED
    return SYNCED if site.tally.total else EMPTY
