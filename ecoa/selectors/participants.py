"""Questions about one participant."""

from __future__ import annotations

from django.db.models import QuerySet

from ecoa.models import Participant, Site, SiteTransfer
from vaultadmin.models import Membership


def participant(member: Membership, pk: int) -> Participant | None:
    """One visible participant with its study and site."""
    rows = Participant.objects.visible_to(member).select_related("site", "mapping__vault", "vault")
    return rows.filter(pk=pk).first()


def other_sites(participant: Participant) -> QuerySet[Site]:
    """Where a participant can be moved to: the other sites of the same study."""
    rows = Site.objects.filter(mapping=participant.mapping_id).exclude(pk=participant.site_id)
    return rows.select_related("mapping", "vault").order_by("number")


def last_transfer(participant: Participant) -> SiteTransfer | None:
    """The participant's newest move between sites."""
    rows = SiteTransfer.objects.filter(participant=participant).select_related("participant", "from_site", "to_site")
    return rows.order_by("-pk").first()
