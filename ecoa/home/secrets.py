"""Secrets of external systems that end because a newer one is out, among what a vault's home wants renewed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.urls import reverse

from ecoa.models import ServiceSecret, ServiceSystem
from vaultadmin.models import Membership
from vaultadmin.registries import Expiring
from vaultadmin.together import Asking

# A newer secret is out already; within these days somebody makes sure that the caller uses it.
_AHEAD = timedelta(days=14)
_MOST = 100


def expiring(member: Membership, now: datetime) -> Asking[list[Expiring]]:
    """Every secret that holds only for a while yet, for those who look after its system."""
    rows = ServiceSecret.objects.filter(
        system__in=ServiceSystem.objects.visible_to(member),
        revoked_at=None,
        ends_at__gt=now,
        ends_at__lte=now + _AHEAD,
    ).select_related("system")
    (found,) = yield (rows.order_by("ends_at")[:_MOST],)
    return [
        Expiring(
            kind="Secret of an external system",
            label=f"{row.system} (version {row.version})",
            at=row.ends_at,
            is_end=True,
            advice="Make sure that the system calls with its newer secret.",
            url=reverse("ecoa:service-system", args=[member.vault_id, row.system_id]),
        )
        for row in found
        if row.ends_at is not None
    ]
