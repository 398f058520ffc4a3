"""Questions about studies."""

from __future__ import annotations

from django.db.models import QuerySet

from ecoa.models import StudyMapping
from vaultadmin.models import Membership


def mappings(member: Membership) -> QuerySet[StudyMapping]:
    """Visible study mappings with their connection."""
    return StudyMapping.objects.visible_to(member).select_related("connection", "vault")
