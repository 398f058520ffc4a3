"""The operators' page: who is alive, what is due, what the network door may reach."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from vaultadmin import clock, registries, secrets
from vaultadmin.access import requires
from vaultadmin.answers import is_fragment, live
from vaultadmin.models import AuditHead
from vaultadmin.permissions import Permission
from vaultadmin.site import vital_signs
from vaultadmin.site.health import redis_answers


@require_safe
@requires(Permission.ADMIN_STATUS)
def index(request: HttpRequest, vault_id: int) -> HttpResponse:
    """Polls itself; htmx gets the moving part only."""
    template = "site/_status_signs.html" if is_fragment(request) else "site/status.html"
    return (
        live(request, render(request, template, _context()))
        if is_fragment(request)
        else render(request, template, _context())
    )


def _context() -> dict[str, Any]:
    now = clock.now()
    return {
        "signs": vital_signs.read(now=now),
        "redis": redis_answers(),
        "lanes": [lane(now) for lane in registries.lanes],
        "sealed": secrets.sealed_count(),
        "outbound_allow": settings.OUTBOUND_ALLOW,
        "outbound_resolve": settings.OUTBOUND_RESOLVE,
        "region_suffixes": settings.ECOA_REGION_SUFFIXES,
        "production": settings.PRODUCTION,
        "chains": AuditHead.objects.order_by("chain"),
    }
