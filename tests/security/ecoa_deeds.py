"""Forms of eCOA: participants, runs, files, mappings, sites."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from ecoa.models import Participant, Site, StudyMapping, SyncItem, SyncRun
from ecoa.services import runs, sites
from ecoa.sync import planning
from tests.security.deed import BY, Deed, World, nothing
from vaultadmin import clock
from vaultadmin.models import Membership

_V = "v/<int:vault_id>/"


def mapping_of(world: World) -> StudyMapping:
    return StudyMapping.objects.get(pk=world.ids["mapping_id"])


def is_over(world: World) -> None:
    """The run under way ends with everything rejected, so that others may begin."""
    run = SyncRun.objects.get(pk=world.ids["run_id"])
    run.start(total=1, at=clock.now())
    run.finish(at=clock.now())
    run.save()
    participant = Participant.objects.get(pk=world.ids["participant_id"])
    SyncItem.objects.create(
        run=run,
        participant=participant,
        site_number="1005",
        value=participant.participant_id,
        internal_id=participant.internal_id,
        version=1,
        state="rejected",
        code="ID-0002",
    )


def retries(world: World) -> dict[str, Any]:
    is_over(world)
    return {}


def starts_run(world: World) -> dict[str, Any]:
    is_over(world)
    return {"mapping": world.ids["mapping_id"], "scope": "all"}


def goes_on(world: World) -> dict[str, Any]:
    planning.freeze(run_id=world.ids["run_id"], now=clock.now())
    return {}


def was_paused(world: World) -> dict[str, Any]:
    goes_on(world)
    runs.pause(SyncRun.objects.get(pk=world.ids["run_id"]), by=BY, now=clock.now())
    return {}


def uploads_participants(world: World) -> dict[str, Any]:
    rows = b"site,participantId,internalId\n1005,p-9,i-9\n"
    return {"mapping": world.ids["mapping_id"], "file": SimpleUploadedFile("more.csv", rows)}


def confirms(world: World) -> dict[str, Any]:
    is_over(world)
    return {"send": "1"}


def mapping_values(world: World) -> dict[str, Any]:
    return {
        "name": "Fresh study",
        "connection": mapping_of(world).connection_id,
        "tenant_id": "tenant",
        "external_study_id": "fresh-study",
        "api_version": "v24.3",
        "radar_every_hours": "24",
        "radar_calls_per_hour": "3600",
        "is_active": "on",
    }


def assigns(world: World) -> dict[str, Any]:
    site = Site.objects.get(pk=world.ids["site_id"])
    member = Membership.objects.get(pk=world.ids["sites:member_id"])
    sites.unassign(site=site, member=member, by=BY)
    return {"member": member.pk}


DEEDS = [
    Deed(f"{_V}ecoa/participants/<int:participant_id>/retry/", retries, creates=True),
    Deed(f"{_V}ecoa/runs/start/", starts_run, creates=True),
    Deed(f"{_V}ecoa/runs/<int:run_id>/cancel/", nothing),
    Deed(f"{_V}ecoa/runs/<int:run_id>/pause/", goes_on),
    Deed(f"{_V}ecoa/runs/<int:run_id>/resume/", was_paused),
    Deed(f"{_V}ecoa/runs/<int:run_id>/retry/", retries, creates=True),
    # Creates a preview only; what it leads to is created by *Import*, below.
    Deed(f"{_V}ecoa/import/", uploads_participants),
    Deed(f"{_V}ecoa/import/<int:file_id>/confirm/", confirms, creates=True),
    Deed(f"{_V}ecoa/import/<int:file_id>/discard/", nothing),
    Deed(f"{_V}ecoa/mappings/create/", mapping_values, creates=True),
    Deed(f"{_V}ecoa/mappings/<int:mapping_id>/edit/", mapping_values),
    Deed(f"{_V}ecoa/mappings/<int:mapping_id>/schedule/", lambda _world: {"minutes": "60", "zone": "UTC"}),
    Deed(f"{_V}ecoa/mappings/<int:mapping_id>/sites/add/", lambda _world: {"number": "1006"}, creates=True),
    Deed(f"{_V}ecoa/sites/<int:site_id>/assign/", assigns, creates=True),
    Deed(f"{_V}ecoa/sites/<int:site_id>/unassign/<int:member_id>/", nothing),
]
