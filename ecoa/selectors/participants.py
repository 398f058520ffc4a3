"""Questions about one participant."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from ecoa.models import Correction, Discrepancy, Evidence, Participant, Site, SiteTransfer
from vaultadmin.models import Membership


@dataclass(frozen=True)
class OpenedParticipant:
    """A participant somebody looks at, and which of the rarer things ever happened to it."""

    participant: Participant
    corrected: bool
    differed: bool
    asked: bool
    moved: bool


def participant(member: Membership, pk: int) -> Participant | None:
    """One visible participant with its study and site."""
    return _visible(member).filter(pk=pk).first()


def opened(member: Membership, pk: int) -> OpenedParticipant | None:
    """One visible participant for its page, which asks no more about it than there is."""

    def about(rows: type[Correction | Discrepancy | Evidence | SiteTransfer]) -> Exists:
        return Exists(rows._default_manager.filter(participant=OuterRef("pk")))

    rows = _visible(member).annotate(
        corrected=about(Correction), differed=about(Discrepancy), asked=about(Evidence), moved=about(SiteTransfer)
    )
    found = rows.filter(pk=pk).first()
    return OpenedParticipant(found, found.corrected, found.differed, found.asked, found.moved) if found else None


def _visible(member: Membership) -> QuerySet[Participant]:
    return Participant.objects.visible_to(member).select_related("site", "mapping__vault", "vault")


def other_sites(participant: Participant) -> QuerySet[Site]:
    """Where a participant can be moved to: the other sites of the same study."""
    rows = Site.objects.filter(mapping=participant.mapping_id).exclude(pk=participant.site_id)
    return rows.select_related("mapping", "vault").order_by("number")


def last_transfer(participant: Participant) -> SiteTransfer | None:
    """The participant's newest move between sites."""
    rows = SiteTransfer.objects.filter(participant=participant).select_related("participant", "from_site", "to_site")
    return rows.order_by("-pk").first()
