"""One of everything the drift radar's addresses name."""

from __future__ import annotations

from typing import Any

from ecoa.models import Discrepancy, Participant, Remedy
from ecoa.services import deciding, remedies
from vaultadmin import clock
from vaultadmin.models import Membership
from vaultadmin.models.signature import SigningMethod
from vaultadmin.signing.services import Proof


def build(owner: Membership, participant: Participant) -> dict[str, Any]:
    """A discrepancy of a participant, and a signed decision about its whole site."""
    now, site = clock.now(), participant.site
    place = {"vault": owner.vault, "mapping": site.mapping, "site": site}
    seen = {"found_by": "radar", "found_at": now, "seen_at": now}
    missing = Discrepancy.objects.create(**place, **seen, participant=participant, kind="missing", our_value="p-1")
    unmapped = Discrepancy.objects.create(**place, **seen, kind="site_unmapped")
    decision = deciding.decide(
        vault=owner.vault,
        rows=[unmapped],
        remedy=Remedy.AT_SOURCE,
        reason="Guarded",
        seen_version=remedies.version([unmapped]),
        proof=Proof(owner.user_id, SigningMethod.PASSWORD, now),
        by=owner,
        now=now,
    )
    return {"discrepancy_id": missing.pk, "decision_id": decision.pk}
