"""Studies and sites: where the study team looks over all of them, and site staff find their one sentence."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from ecoa.cards import DOCUMENTED, OURS, SITUATIONS, UNLISTED
from ecoa.models import Site
from ecoa.selectors import site_list as site_selectors
from ecoa.selectors import sites as site_rows
from ecoa.sentences.sites import site_sentence
from ecoa.views import site_list
from ecoa.views.study import matrix
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission
from vaultadmin.query import as_key, onward

_PAGE = 100


@require_safe
@requires(Permission.ECOA_VIEW_SITES)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """The matrix for the study team; for site staff their sites, or straight to the only one."""
    if not site_rows.is_site_staff(request.member):
        return matrix.show(request)
    rows = site_rows.sites_after(request.member, as_key(request.GET.get("after", "")))
    found = list(rows[: _PAGE + 1])
    if len(found) == 1 and not request.GET.get("after"):
        only = found[0]
        return redirect("ecoa:site", vault_id, only.mapping.external_study_id, only.number)
    context = {
        **onward(request, found, size=_PAGE),
        "rows": _rows(found[:_PAGE]),
        "sentence": site_sentence(site_selectors.whole_summary(request.member)) if found else "",
        "page_title": "Your sites",
    }
    return render(request, "ecoa/home.html", context)


@require_safe
@requires(Permission.ECOA_VIEW_SITES)
def cards(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Every site card, to read or to print."""
    groups = [
        ("situations", "What you may see", [("", card) for card in SITUATIONS.values()]),
        ("answers", "When eCOA says no", [*DOCUMENTED.items(), ("", UNLISTED)]),
        ("ours", "When we could not ask, or got no clear answer", list(OURS.items())),
    ]
    return render(request, "ecoa/cards.html", {"groups": groups, "page_title": "What the messages mean"})


def _rows(sites: list[Site]) -> list[dict[str, Any]]:
    counts = site_selectors.counts_by_site(sites)
    return [
        {
            "site": site,
            "sentence": site_sentence(counts[site.pk].summary),
            "strip": [*site_list.cells(counts[site.pk]), site_list.differences(counts[site.pk])],
        }
        for site in sites
    ]
