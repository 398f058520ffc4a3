"""The operators' page: who is alive, what is due, what the network door may reach."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from connections.selectors.clocks import of_peers
from vaultadmin import clock, place, registries, secrets
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import is_fragment, live
from vaultadmin.permissions import Permission
from vaultadmin.site import vital_signs
from vaultadmin.site.health import redis_answers
from vaultadmin.together import answer


@require_safe
@requires(Permission.ADMIN_STATUS)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """The whole page for people; for htmx the moving part, which asks again every few seconds."""
    if is_fragment(request):
        return live(request, render(request, "site/_status_signs.html", _signs(request)))
    clocks = of_peers(request.member.vault)
    return render(request, "site/status.html", _signs(request) | _door() | {"clocks": clocks})


def _signs(request: MemberRequest) -> dict[str, Any]:
    now = clock.now()
    signs, redis, sealed = vital_signs.read(now=now), redis_answers(), secrets.sealed().count()
    held = place.held()
    return {
        "troubles": answer(registries.of_all(registries.troubles, request.member)),
        "signs": signs,
        "lanes": [lane(now) for lane in registries.lanes],
        "beat_word": "Ticking" if signs.beat.alive else "Silent",
        "beat_text": "Schedules the ticks that find due work",
        "beat_tone": _tone(signs.beat.alive),
        "redis_word": "Answers" if redis else "Away",
        "redis_tone": _tone(redis),
        "place_word": "Another place" if held else "As recorded",
        "place_text": "Nothing is sent until an operator decides" if held else "The original, where it was last seen",
        "place_tone": _tone(not held),
        "held": held,
        "sealed_word": "Sealed" if sealed else "Open",
        "sealed_text": f"{sealed} under a key that is missing"
        if sealed
        else "Every secret opens with the keys we hold",
        "sealed_tone": _tone(not sealed),
    }


def _door() -> dict[str, Any]:
    return {
        "outbound_allow": settings.OUTBOUND_ALLOW,
        "outbound_resolve": settings.OUTBOUND_RESOLVE,
        "region_suffixes": settings.ECOA_REGION_SUFFIXES,
    }


def _tone(good: bool) -> str:
    return "success" if good else "danger"
