"""How all participants stand, on a vault's home; sites and participants in the palette."""

from __future__ import annotations

from django.db.models import Sum
from django.urls import reverse

from ecoa.models import Participant, Site, SiteTally
from ecoa.selectors import sites as site_rows
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import Card, Hit

_HITS = 5


def cards(member: Membership) -> list[Card]:
    """Sync health over all sites this member sees, from their counters."""
    if not can(member, Permission.ECOA_VIEW_SITES):
        return []
    visible = Site.objects.visible_to(member)
    sums = SiteTally.objects.filter(site__in=visible).aggregate(
        waiting=Sum("waiting"), synced=Sum("synced"), rejected=Sum("rejected"), unknown=Sum("unknown")
    )
    counts = {name: number or 0 for name, number in sums.items()}
    total, troubled = sum(counts.values()), counts["rejected"] + counts["unknown"]
    url = reverse("ecoa:home", args=[member.vault_id])
    if not total:
        return [Card("Participants", "0", "None imported yet.", url, "neutral", "users")]
    figure = f"{counts['synced']} of {total} in eCOA"
    if troubled:
        return [Card("Participants", figure, f"{troubled} need attention", url, "warning", "users")]
    if counts["waiting"]:
        return [Card("Participants", figure, f"{counts['waiting']} are on their way", url, "info", "users")]
    return [Card("Participants", figure, "All are in eCOA.", url, "success", "users")]


def hits(member: Membership, text: str) -> list[Hit]:
    """Participants and sites whose ID begins with the text, for the palette."""
    if not text.strip() or not can(member, Permission.ECOA_VIEW_SITES):
        return []
    return [*_sites(member, text.strip()), *_participants(member, text.strip())]


def _sites(member: Membership, text: str) -> list[Hit]:
    rows = site_rows.sites(member).filter(number__startswith=text)[:_HITS]
    return [
        Hit(
            label=f"Site {site}",
            kind="Site",
            url=reverse("ecoa:site", args=[member.vault_id, site.mapping.external_study_id, site.number]),
            icon="building-hospital",
            hint=site.mapping.name,
        )
        for site in rows
    ]


def _participants(member: Membership, text: str) -> list[Hit]:
    visible = list(Site.objects.visible_to(member).values_list("pk", flat=True))
    rows = Participant.objects.filter(site__in=visible, participant_id__startswith=text).select_related("site")
    return [
        Hit(
            label=participant.participant_id,
            kind="Participant",
            url=reverse("ecoa:participant", args=[member.vault_id, participant.pk]),
            icon="user",
            hint=f"Site {participant.site}",
        )
        for participant in rows.order_by("participant_id")[:_HITS]
    ]
