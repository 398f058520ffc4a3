"""The forms of corrections and of a site's pages."""

from __future__ import annotations

from typing import Any

from ecoa.models import Correction
from ecoa.services import correcting
from tests.factories.people import PASSWORD
from tests.security.deed import Deed, World
from vaultadmin import clock
from vaultadmin.signing.services import version_of


def correction_of(world: World) -> Correction:
    return Correction.objects.get(pk=world.ids["correction_id"])


def asks_for_correction(world: World) -> dict[str, Any]:
    correction = correction_of(world)
    correcting.withdraw(correction, by=correction.asked_by, now=clock.now())
    return {"new_value": "p-fresh", "reason": "Typed wrongly"}


def withdraws_correction(world: World) -> dict[str, Any]:
    Correction.objects.filter(pk=world.ids["correction_id"]).update(asked_by=world.owner)
    return {}


def decides_correction(world: World) -> dict[str, Any]:
    version = version_of(correcting.statement_of(correction_of(world), None))
    return {"version": version, "verdict": "approve", "comment": "Looked at", "password": PASSWORD}


_V = "v/<int:vault_id>/"
_SITE = f"{_V}ecoa/studies/<str:study>/sites/<str:site>/"

DEEDS = [
    Deed(f"{_SITE}export/", lambda _world: {"state": "waiting", "q": "p"}),
    Deed(f"{_V}ecoa/participants/<int:participant_id>/correct/", asks_for_correction, creates=True),
    Deed(f"{_V}ecoa/corrections/<int:correction_id>/withdraw/", withdraws_correction),
    Deed(f"{_V}ecoa/corrections/<int:correction_id>/complete/", decides_correction),
]
