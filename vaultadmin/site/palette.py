"""The command palette: pages a person may open, and what the apps find for a few letters."""

from __future__ import annotations

from itertools import groupby

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from vaultadmin import registries
from vaultadmin.access import Gate, MemberRequest, requires
from vaultadmin.models import Membership
from vaultadmin.registries import Hit
from vaultadmin.site import navigation

_MOST = 20


@require_safe
@requires(Gate.MEMBER)
def search(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Rows for the letters typed so far; every page when there are none."""
    query = request.GET.get("q", "").strip()[:100]
    hits = _pages(request.member, query)
    if query:
        for source in registries.palette:
            hits += source(request.member, query)
    groups = [{"label": kind, "items": list(found)} for kind, found in groupby(hits[:_MOST], key=lambda hit: hit.kind)]
    return render(request, "components/palette_results.html", {"groups": groups})


def _pages(member: Membership, query: str) -> list[Hit]:
    words = query.lower()
    return [
        Hit(item["label"], "Pages", item["url"], icon=item["icon"])
        for section in navigation.sections(member, "", waiting=0)
        for item in section["items"]
        if words in item["label"].lower()
    ]
