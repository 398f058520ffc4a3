"""The drift radar on a vault's home: one figure, one sentence, where it leads."""

from __future__ import annotations

from django.db.models import Sum
from django.urls import reverse

from ecoa.models import SiteReading
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can
from vaultadmin.registries import Card
from vaultadmin.together import Asking


def cards(member: Membership) -> Asking[list[Card]]:
    """What stands between eCOA and us, from the counters of the sites."""
    if not can(member, Permission.ECOA_STUDY_TEAM):
        return []
    readings = SiteReading.objects.filter(site__vault=member.vault_id).order_by().values("site__vault")
    (found,) = yield (readings.values_list(Sum("open"), Sum("agreed"), Sum("differing")),)
    standing, agreed, differing = found[0] if found else (0, 0, 0)
    read = agreed + differing
    url = reverse("ecoa:drift", args=[member.vault_id])
    if standing:
        listed = reverse("ecoa:discrepancies", args=[member.vault_id])
        sentence = "One discrepancy to look at." if standing == 1 else f"{standing} discrepancies to look at."
        return [Card("Drift radar", f"{agreed} of {read} agree", sentence, listed, "warning", "activity")]
    if not read:
        return [Card("Drift radar", "0", "Nothing was read back yet.", url, "neutral", "activity")]
    return [Card("Drift radar", f"{agreed} agree", "eCOA holds what we hold.", url, "success", "activity")]
