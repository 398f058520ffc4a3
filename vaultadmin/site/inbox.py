"""The approver's inbox: for me, assigned to others, mine, done. The record's dialog takes the verdict."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import live
from vaultadmin.permissions import Permission, can
from vaultadmin.worklist import registry, selectors

# Approvals of connections, and corrections of participant IDs.
NEEDS = (Permission.WORKFLOW_PARTICIPATE, Permission.WORKFLOW_START, Permission.ECOA_STUDY_TEAM)
_LISTS = {"": selectors.inbox, "others": selectors.with_others, "mine": selectors.requested_by, "done": selectors.done}


@require_safe
@requires(*NEEDS)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """For me, Assigned to others, Mine, Done."""
    asked = request.GET.get("show", "")
    shown = asked if asked in _LISTS else ""
    decides = bool(registry.kinds_for(request.member))
    rows = selectors.rows(_LISTS[shown](request.member), request.member)
    context = {
        "rows": rows,
        "shown_list": shown,
        "decides": decides,
        "may_lend": decides or can(request.member, Permission.ADMIN_USERS),
    }
    return render(request, "site/inbox.html", context)


@require_safe
@requires(*NEEDS)
def count(request: MemberRequest, vault_id: int) -> HttpResponse:
    """How many tasks wait for this member, for the navigation of every open page; 304 while nothing changed."""
    waiting = selectors.waiting(request.member)
    return live(request, render(request, "site/_task_count.html", {"count": waiting}))
