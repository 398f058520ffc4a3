"""The radar: a strip of sites with its table twin, the rounds, and *Read back now*."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ecoa.models import ReadBackCycle, StudyMapping
from ecoa.selectors import drift as drift_rows
from ecoa.selectors import sites as site_rows
from ecoa.services import reading_back
from ecoa.views import dialogs, live
from ecoa.views.mappings import find
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.permissions import Permission
from vaultadmin.query import as_key, onward

_PAGE = 100


@require_safe
@requires(Permission.ECOA_STUDY_TEAM)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Where both sides stand, site by site; the page fetches itself while a round goes on."""
    rows = site_rows.sites_after(request.member, as_key(request.GET.get("after", "")))
    found = list(rows.select_related("reading")[: _PAGE + 1])
    strip = drift_rows.heat(found[:_PAGE])
    rounds = [_round(*row) for row in drift_rows.mappings_with_rounds(request.member)]
    context = {
        **onward(request, found, size=_PAGE),
        "strip": strip,
        "rounds": rounds,
        "standing": sum(one.open for one in strip),
        "page_title": "Drift radar",
    }
    stamp = [(one.site.pk, one.look, one.open, one.agreed, one.differing, one.never) for one in strip]
    moving = [(item["mapping"].pk, item["stamp"]) for item in rounds]
    return live.answer(request, f"{stamp}{moving}", lambda: render(request, "ecoa/drift/radar.html", context))


@require_http_methods(["GET", "POST"])
@requires(Permission.ECOA_STUDY_TEAM)
def start(request: MemberRequest, vault_id: int, mapping_id: int) -> HttpResponse:
    """*Read back now*."""
    mapping = find(request, mapping_id)
    back = reverse("ecoa:drift", args=[vault_id])
    says = dialogs.Says(
        "Read back now",
        f"eCOA is asked about everybody of {mapping.name} that it confirmed once, as fast as the budget of "
        f"{mapping.radar_calls_per_hour:,} calls an hour allows. Nothing is changed in eCOA.",
        "Read back now",
        back,
    )

    def act() -> str:
        reading_back.hurry(mapping, by=request.member, now=clock.now())
        return back

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)


def _round(mapping: StudyMapping, cycle: ReadBackCycle | None, is_confirmed: bool) -> dict[str, Any]:
    """A study's newest round as the page shows it."""
    looked_at = cycle.looked_at if cycle is not None else 0
    return {
        "mapping": mapping,
        "cycle": cycle,
        "looked_at": looked_at,
        "why_not": reading_back.why_not(mapping, cycle, is_confirmed=is_confirmed),
        "words": reading_back.trouble_words(cycle),
        "stamp": (cycle.pk, cycle.state, looked_at, cycle.found, cycle.trouble) if cycle is not None else None,
    }
