"""How all participants stand, on a vault's home; sites and participants in the palette."""

from __future__ import annotations

from django.db.models import Sum
from django.urls import reverse

from ecoa.models import Participant, Site, SiteTally
from ecoa.selectors import sites as site_rows
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import Card, Hit
from vaultadmin.together import Asking

_HITS = 5


def cards(member: Membership) -> Asking[list[Card]]:
    """Sync health over all sites this member sees, from their counters."""
    if not can(member, Permission.ECOA_VIEW_SITES):
        return []
    visible = Site.objects.visible_to(member)
    names = ("waiting", "synced", "rejected", "unknown")
    tallies = SiteTally.objects.filter(site__in=visible).order_by().values("site__vault")
    (found,) = yield (tallies.values_list(*(Sum(name) for name in names)),)
    counts = dict(zip(names, found[0] if found else (0, 0, 0, 0), strict=True))
    total, troubled = sum(counts.values()), counts["rejected"] + counts["unknown"]
    url = reverse("ecoa:home", args=[member.vault_id])
    if not total:
        return [Card("Participants", "0", "None imported yet.", url, "neutral", "users")]
    figure = f"{counts['synced']} of {total} in eCOA"
    if troubled:
        sentence = "1 needs attention." if troubled == 1 else f"{troubled} need attention."
        return [Card("Participants", figure, sentence, url, "warning", "users")]
    if waiting := counts["waiting"]:
        sentence = "1 is on its way." if waiting == 1 else f"{waiting} are on their way."
        return [Card("Participants", figure, sentence, url, "info", "users")]
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
