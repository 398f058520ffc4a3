"""Questions about where participants come from: sites that take them, saved columns, moves between sites."""

from __future__ import annotations

from django.db.models import QuerySet

from ecoa.models import ColumnMapping, Participant, Site, SiteTransfer
from vaultadmin.models import Membership


def site_by_numbers(member: Membership, *, study: str, number: str) -> Site | None:
    """One visible site by the numbers in its address, with what storing participants needs."""
    if "\x00" in study + number:
        return None
    rows = Site.objects.visible_to(member).select_related("mapping__vault", "vault")
    return rows.filter(mapping__external_study_id=study, number=number).first()


def column_mappings(member: Membership) -> QuerySet[ColumnMapping]:
    """Visible saved columns by study and name."""
    return ColumnMapping.objects.visible_to(member).select_related("mapping", "vault")


def other_sites(participant: Participant) -> QuerySet[Site]:
    """Where a participant can be moved to: the other sites of the same study."""
    rows = Site.objects.filter(mapping=participant.mapping_id).exclude(pk=participant.site_id)
    return rows.select_related("mapping", "vault").order_by("number")


def last_transfer(participant: Participant) -> SiteTransfer | None:
    """The participant's newest move between sites."""
    rows = SiteTransfer.objects.filter(participant=participant).select_related("participant", "from_site", "to_site")
    return rows.order_by("-pk").first()
