"""The command palette: pages a person may open, and what the apps find for a few letters."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from vaultadmin import registries
from vaultadmin.access import Gate, requires
from vaultadmin.models import Membership
from vaultadmin.registries import Hit
from vaultadmin.site import navigation

_MOST = 20


@require_safe
@requires(Gate.MEMBER)
def search(request: HttpRequest, vault_id: int) -> HttpResponse:
    """Rows for the letters typed so far; every page when there are none."""
    query = request.GET.get("q", "").strip()[:100]
    hits = _pages(request.member, query)
    if query:
        for source in registries.palette:
            hits += source(request.member, query)
    return render(request, "site/_palette_results.html", {"hits": hits[:_MOST], "query": query})


def _pages(member: Membership, query: str) -> list[Hit]:
    words = query.lower()
    return [
        Hit(item["label"], "Page", item["url"])
        for section in navigation.sections(member, "")
        for item in section["items"]
        if words in item["label"].lower()
    ]
