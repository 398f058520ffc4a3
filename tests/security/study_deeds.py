"""Forms of the study team: rhythms, alarms, digests, evidence reports, and the set-up of a real system."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ecoa.models import EvidenceReport, SetUp, Site
from ecoa.reports import making
from ecoa.services import rhythms, set_ups
from tests.security.deed import Deed, World, nothing
from vaultadmin import clock

_V = "v/<int:vault_id>/"
_SITE = f"{_V}ecoa/sites/<int:site_id>/"


def the_site(world: World) -> Site:
    return Site.objects.select_related("vault", "mapping").get(pk=world.ids["site_id"])


def declares(_world: World) -> dict[str, Any]:
    return {"interval_hours": "48", "grace_hours": "4", "time_zone": "Europe/Berlin", "quiet_days": ["6"]}


def pauses(_world: World) -> dict[str, Any]:
    day = clock.now().date() + timedelta(days=2)
    return {"first_day": day.isoformat(), "last_day": day.isoformat(), "reason": "Holiday"}


def closed(world: World) -> dict[str, Any]:
    rhythms.close(site=the_site(world), by=world.owner, now=clock.now())
    return {}


def made(world: World) -> dict[str, Any]:
    making.work(report_id=EvidenceReport.objects.get(pk=world.ids["report_id"]).pk)
    return {}


def nothing_waits(_world: World) -> dict[str, Any]:
    EvidenceReport.objects.update(state="cancelled")
    return {}


def answers(_world: World) -> dict[str, Any]:
    return {"name": "Fresh set-up", "external_study_id": "fresh-set-up", "site_numbers": "1005, 2001"}


def issued(_world: World) -> dict[str, Any]:
    return {
        "base_url": "https://sponsors.example.com/",
        "system_id": "mv-ext-guard",
        "secret": "form secret value",
        "tenant_id": "guard",
        "api_version": "v24.3",
    }


def with_credentials(world: World) -> SetUp:
    found = SetUp.objects.get(pk=world.ids["set_up_id"])
    set_ups.enter_credentials(found, by=world.owner, now=clock.now(), **issued(world))
    return SetUp.objects.select_related("secret", "connection").get(pk=found.pk)


def can_be_tested(world: World) -> dict[str, Any]:
    with_credentials(world)
    return {}


def has_passed(world: World) -> dict[str, Any]:
    found = with_credentials(world)
    SetUp.objects.filter(pk=found.pk).update(test_state="passed", tested=set_ups.fingerprint(found))
    return {}


_SET_UP = f"{_V}ecoa/setup/<int:set_up_id>/"
DEEDS = [
    Deed(f"{_SITE}rhythm/", declares),
    Deed(f"{_SITE}rhythm/withdraw/", nothing),
    Deed(f"{_SITE}close/", nothing),
    Deed(f"{_SITE}reopen/", closed),
    Deed(f"{_SITE}pauses/add/", pauses, creates=True),
    Deed(f"{_SITE}pauses/<int:pause_id>/end/", nothing),
    Deed(f"{_SITE}report/", nothing_waits, creates=True),
    Deed(f"{_V}ecoa/alarms/<int:alarm_id>/snooze/", lambda _world: {"days": "3", "note": "They called"}),
    Deed(f"{_V}ecoa/digest/", lambda _world: {"frequency": "daily", "hour": "6", "time_zone": "UTC"}),
    Deed(f"{_V}ecoa/reports/<int:report_id>/cancel/", nothing),
    Deed(f"{_V}ecoa/reports/<int:report_id>/<slug:format>/", made),
    Deed(f"{_V}ecoa/setup/start/", answers, creates=True),
    Deed(f"{_SET_UP}study/", answers),
    Deed(f"{_SET_UP}sheet/", nothing),
    Deed(f"{_SET_UP}credentials/", issued),
    Deed(f"{_SET_UP}test/", can_be_tested),
    Deed(f"{_SET_UP}finish/", has_passed, creates=True),
    Deed(f"{_SET_UP}discard/", nothing),
]
