"""Questions about what eCOA holds against what we hold. Counts come from counters, never from the discrepancies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, Exists, F, Max, OuterRef, QuerySet, Subquery, Sum, When
from django.utils.translation import gettext_lazy as _

from ecoa.models import (
    STANDING,
    Attempt,
    Decision,
    Discrepancy,
    DiscrepancyKind,
    DiscrepancyState,
    Evidence,
    Participant,
    ReadBack,
    ReadBackCycle,
    Site,
    SiteReading,
    StudyMapping,
)
from vaultadmin.models import Membership


@dataclass(frozen=True)
class Heat:
    """One site of the strip: how it reads, what stands there, and its counts."""

    site: Site
    look: str
    label: str
    open: int
    agreed: int
    differing: int
    never: int
    last_read_at: datetime | None
    kinds: list[tuple[str, str, int]]


LOOKS = {
    "cannot_read": _("Cannot be read"),
    "differs_much": _("Differs much"),
    "differs": _("Differs"),
    "not_read": _("Not read yet"),
    "partly_read": _("Partly read"),
    "agrees": _("Agrees"),
    "no_participants": _("Nobody yet"),
}
_UNREADABLE = {DiscrepancyKind.MAPPING_GONE.value, DiscrepancyKind.SITE_UNMAPPED.value}
# More than one in fifty of a site: no slip of a few rows any more.
_MUCH = 0.02
FILTERS = ("kind", "state", "study", "site")


def discrepancies(member: Membership) -> QuerySet[Discrepancy]:
    """Visible discrepancies with all their page shows."""
    rows = Discrepancy.objects.visible_to(member)
    return rows.select_related("participant", "site", "mapping__vault", "decision__signature", "run")


def asked(values: Mapping[str, str]) -> dict[str, str]:
    """The filters of an address, cleaned; standing ones are shown unless another state is asked for."""
    found = {name: values.get(name, "").replace("\x00", "")[:255] for name in FILTERS}
    known = {"kind": DiscrepancyKind.values, "state": [*DiscrepancyState.values, "all"]}
    return {name: text if name not in known or text in known[name] else "" for name, text in found.items()}


def filtered(rows: QuerySet[Discrepancy], values: Mapping[str, str]) -> QuerySet[Discrepancy]:
    """Discrepancies as the filters of an address ask for them."""
    if not values["state"]:
        rows = rows.filter(state__in=STANDING)
    elif values["state"] != "all":
        rows = rows.filter(state=values["state"])
    if values["kind"]:
        rows = rows.filter(kind=values["kind"])
    if values["study"]:
        rows = rows.filter(mapping__external_study_id=values["study"])
    return rows.filter(site__number=values["site"]) if values["site"] else rows


def heat(sites: list[Site]) -> list[Heat]:
    """The strip for some sites (with `tally` and `reading` loaded): one grouped question for what stands there."""
    standing = Discrepancy.objects.filter(site__in=[site.pk for site in sites], state__in=STANDING)
    kinds: dict[int, list[tuple[str, str, int]]] = {}
    for pk, kind, number in standing.order_by().values_list("site_id", "kind").annotate(n=Count("pk")):
        kinds.setdefault(pk, []).append((kind, str(DiscrepancyKind(kind).label), number))
    return [_heat(site, sorted(kinds.get(site.pk, []))) for site in sites]


def _heat(site: Site, kinds: list[tuple[str, str, int]]) -> Heat:
    reading = getattr(site, "reading", None) or SiteReading(site=site)
    total, standing = site.tally.total, sum(number for _kind, _label, number in kinds)
    never = max(total - reading.agreed - reading.differing, 0)
    if any(kind in _UNREADABLE for kind, _label, _n in kinds):
        look = "cannot_read"
    elif standing:
        look = "differs_much" if standing > max(1, total * _MUCH) else "differs"
    elif not total:
        look = "no_participants"
    elif never == total:
        look = "not_read"
    else:
        look = "partly_read" if never else "agrees"
    counts = (standing, reading.agreed, reading.differing, never)
    return Heat(site, look, str(LOOKS[look]), *counts, reading.last_read_at, kinds)


def mappings_with_rounds(member: Membership) -> list[tuple[StudyMapping, ReadBackCycle | None, bool]]:
    """Visible studies, each with its newest round of reading back, and whether eCOA confirmed anybody of it."""
    confirmed = Exists(Participant.objects.filter(mapping=OuterRef("pk"), synced_version__gt=0))
    visible = StudyMapping.objects.visible_to(member).annotate(is_confirmed=confirmed)
    rows: list[Any] = list(visible.order_by("name", "pk")[:_STUDIES])
    newest = ReadBackCycle.objects.filter(mapping__in=rows).order_by("mapping_id", "-pk").distinct("mapping_id")
    by_mapping = {cycle.mapping_id: cycle for cycle in newest}
    return [(row, by_mapping.get(row.pk), row.is_confirmed) for row in rows]


_STUDIES = 50


def difference_of(participant: Participant) -> Discrepancy | None:
    """The discrepancy of a participant that is not over, else its newest."""
    rows = Discrepancy.objects.filter(participant=participant).select_related("decision")
    return rows.order_by(Case(When(state__in=STANDING, then=0), default=1), "-pk").first()


def standing(difference: Discrepancy | None) -> Discrepancy | None:
    """The difference if it is not over."""
    return difference if difference is not None and difference.state in STANDING else None


def stamp_of(difference: Discrepancy | None, asked: list[Evidence]) -> str:
    """Changes whenever what stands about a participant, or what was asked about it (newest first), does."""
    standing = f"{difference.pk}-{difference.state}-{difference.stamp}" if difference is not None else ""
    return f"{standing}|{asked[0].pk if asked else ''}"


def evidence(participant: Participant) -> list[Evidence]:
    """The newest calls by which we know what eCOA holds of a participant."""
    return list(Evidence.objects.filter(participant=participant).order_by("-pk")[:_SHOWN])


_SHOWN = 50


def read_back(participant: Participant) -> ReadBack | None:
    """The newest answer about the value we hold now."""
    return ReadBack.objects.filter(participant=participant).first()


def holder(row: Discrepancy) -> Participant | None:
    """Who of ours may still have the value in eCOA: a participant whose newer ID did not get there yet."""
    sent = Attempt.objects.filter(participant=OuterRef("pk"), value=row.our_value, outcome="synced")
    pending = Participant.objects.filter(mapping=row.mapping_id, synced_version__gt=0, version__gt=F("synced_version"))
    rows = pending.filter(Exists(sent)).exclude(pk=row.participant_id or 0).select_related("site")
    return rows.first() if row.holder_unknown else None


def decisions(member: Membership) -> QuerySet[Decision]:
    """Visible decisions with their signatures."""
    return Decision.objects.visible_to(member).select_related("signature", "vault")


@dataclass(frozen=True)
class Totals:
    """A study's line of the reconciliation report."""

    sites: int
    participants: int
    agreed: int
    differing: int
    never: int
    open: int
    last_read_at: datetime | None


def totals(mapping: StudyMapping) -> Totals:
    """The sums over a study, from the counters of its sites."""
    return totals_by_mapping([mapping])[mapping.pk]


def totals_by_mapping(mappings: list[StudyMapping]) -> dict[int, Totals]:
    """The sums over some studies, from the counters of their sites, by study."""
    rows = Site.objects.filter(mapping__in=mappings).order_by().values("mapping")
    sums: Iterable[Any] = rows.annotate(
        sites=Count("pk"),
        waiting=Sum("tally__waiting"),
        synced=Sum("tally__synced"),
        rejected=Sum("tally__rejected"),
        unknown=Sum("tally__unknown"),
        agreed=Sum("reading__agreed"),
        differing=Sum("reading__differing"),
        open=Sum("reading__open"),
        last=Max("reading__last_read_at"),
    )
    found = {row["mapping"]: _totals(row) for row in sums}
    return {mapping.pk: found.get(mapping.pk, Totals(0, 0, 0, 0, 0, 0, None)) for mapping in mappings}


def _totals(sums: dict[str, Any]) -> Totals:
    number = {name: value or 0 for name, value in sums.items()}
    total = number["waiting"] + number["synced"] + number["rejected"] + number["unknown"]
    never = max(total - number["agreed"] - number["differing"], 0)
    return Totals(number["sites"], total, number["agreed"], number["differing"], never, number["open"], sums["last"])


def reconciled_participants(member: Membership, mapping: StudyMapping) -> Iterator[Participant]:
    """Every participant of a study with its newest read-back, site by site, streamed."""
    rows = Participant.objects.visible_to(member).filter(mapping=mapping)
    standing = Discrepancy.objects.filter(participant=OuterRef("pk"), state__in=STANDING).values("kind")[:1]
    rows = rows.select_related("site", "read_back").annotate(standing=Subquery(standing))
    return rows.order_by("site_id", "participant_id").iterator(chunk_size=2000)
