"""Studies and sites: where the study team looks over all of them, and site staff find their one sentence."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from ecoa import selectors
from ecoa.sentences import site_sentence
from ecoa.views.study import matrix
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission, can
from vaultadmin.query import replaced_query

_PAGE = 100


@require_safe
@requires(Permission.ECOA_VIEW_SITES)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """The matrix for the study team; for site staff their sites, or straight to the only one."""
    if not selectors.is_site_staff(request.member):
        return matrix.show(request)
    after = request.GET.get("after", "")
    rows = selectors.sites(request.member)
    if after.isascii() and after.isdigit() and len(after) < 19:
        rows = selectors.sites_after(request.member, int(after))
    found = list(rows[: _PAGE + 1])
    if not after and len(found) == 1 and selectors.is_site_staff(request.member):
        only = found[0]
        return redirect("ecoa:site", vault_id, only.mapping.external_study_id, only.number)
    context = {
        "rows": [(site, site_sentence(selectors.tally_summary(site))) for site in found[:_PAGE]],
        "older_url": replaced_query(request, after=str(found[_PAGE - 1].pk)) if len(found) > _PAGE else "",
        "older_label": "Next",
        "newer_url": replaced_query(request, after="") if after else "",
        "newer_label": "First page",
        "may_manage": can(request.member, Permission.ECOA_MANAGE),
        "page_title": "Studies and sites",
    }
    return render(request, "ecoa/home.html", context)
