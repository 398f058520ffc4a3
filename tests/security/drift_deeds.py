"""The forms of the drift radar."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from ecoa.models import Discrepancy, Participant, SyncRun
from ecoa.services import remedies
from tests.factories.people import PASSWORD
from tests.security.deed import Deed, World, nothing
from vaultadmin import clock


def reads_back(_world: World) -> dict[str, Any]:
    Participant.objects.update(synced_version=1, status="synced")
    return {}


def decides(world: World) -> dict[str, Any]:
    SyncRun.objects.update(state="finished", finished_at=clock.now())
    rows = [Discrepancy.objects.select_related("mapping").get(pk=world.ids["discrepancy_id"])]
    return {
        "version": remedies.version(rows),
        "remedy": "keep_ours",
        "reason": "The source is right",
        "password": PASSWORD,
    }


def decide_path(world: World) -> str:
    return f"{reverse('ecoa:decide', args=[world.place.vault.pk])}?id={world.ids['discrepancy_id']}"


_V = "v/<int:vault_id>/"
DEEDS = [
    Deed(f"{_V}ecoa/drift/<int:mapping_id>/start/", reads_back, creates=True),
    Deed(f"{_V}ecoa/reconciliation/<int:mapping_id>/download/", nothing),
    Deed(f"{_V}ecoa/drift/decide/", decides, creates=True, path=decide_path),
]
