"""The reconciliation report as a thing people take away: the trail says who took which figures."""

from __future__ import annotations

from django.db import transaction

from ecoa.models import StudyMapping
from ecoa.selectors.drift import Totals
from vaultadmin import audit
from vaultadmin.models import Membership


def record_download(mapping: StudyMapping, *, by: Membership, totals: Totals) -> None:
    """Note a download with the sums it stands for."""
    figures: audit.Changes = {
        "participants": (None, totals.participants),
        "matched": (None, totals.agreed),
        "differing": (None, totals.differing),
        "never read": (None, totals.never),
    }
    with transaction.atomic():
        audit.record(vault=mapping.vault, by=by, event="reconciliation.downloaded", subject=mapping, changes=figures)
