"""Participants as the service itself holds them."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ecoa.service import selectors
from ecoa.service.models import ServiceParticipant
from ecoa.services import seeing
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission
from vaultadmin.query import PAGE, key_page, replaced_query

_STUDIES = 200


@require_safe
@requires(Permission.ECOA_MANAGE)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """The participants of one study, newest first; `?q=` finds one by a whole ID."""
    studies = list(selectors.studies(request.member).order_by("pk")[:_STUDIES])
    wanted = request.GET.get("study", "")
    study = next((each for each in studies if str(each.pk) == wanted), studies[0] if studies else None)
    search = request.GET.get("q", "").strip().replace("\0", "")
    rows = selectors.participants(study, search=search) if study else ServiceParticipant.objects.none()
    if study is not None:
        seeing.note(study, what="service_study", by=request.member, now=clock.now())
    context = {
        **key_page(rows, request, column="id", size=PAGE),
        "studies": studies,
        "study": study,
        "has_filters": len(studies) > 1,
        "search": {"name": "q", "value": search, "label": "Find by a whole ID"} if study else None,
        "chips": [{"label": f"ID: {search}", "url": replaced_query(request, q="")}] if search else [],
        "clear_url": replaced_query(request, q=""),
        "page_title": "Participants of the service",
    }
    return render(request, "ecoa/service/participants.html", context)
