"""What a Vault Owner can do to single participants and to the columns of files by posting a form."""

from __future__ import annotations

from typing import Any

from ecoa import sources
from ecoa.models import Participant, Site, StudyMapping
from ecoa.services import sites
from tests.security.deed import BY, Deed, World, nothing

WHY = "Asked for by phone"


def enters_participant(_world: World) -> dict[str, Any]:
    return {"participant_id": "p-90", "internal_id": "i-90", "send": "on"}


def changes_id_for_a_reason(world: World) -> dict[str, Any]:
    Participant.objects.filter(pk=world.ids["participant_id"]).update(source=sources.MANUAL)
    return {"participant_id": "p-91", "reason": WHY}


def moves_for_a_reason(world: World) -> dict[str, Any]:
    mapping = StudyMapping.objects.get(pk=world.ids["mapping_id"])
    to_site: Site = sites.add(mapping=mapping, number="2001", by=BY)
    return {"to_site": to_site.pk, "seen": to_site.pk, "reason": WHY}


def chooses_columns(_world: World) -> dict[str, Any]:
    return {"site": 0, "participant_id": 2, "internal_id": 1, "name": "Turned round"}


_ECOA = "v/<int:vault_id>/ecoa/"
DEEDS = [
    Deed(f"{_ECOA}studies/<str:study>/sites/<str:site>/add/", enters_participant, creates=True),
    Deed(f"{_ECOA}participants/<int:participant_id>/change/", changes_id_for_a_reason),
    Deed(f"{_ECOA}participants/<int:participant_id>/transfer/", moves_for_a_reason, creates=True),
    Deed(f"{_ECOA}import/<int:file_id>/columns/", chooses_columns, creates=True),
    Deed(f"{_ECOA}import/columns/<int:columns_id>/edit/", chooses_columns),
    Deed(f"{_ECOA}import/columns/<int:columns_id>/delete/", nothing),
]
