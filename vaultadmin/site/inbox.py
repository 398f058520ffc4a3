"""The approver's inbox: for me, mine, done. The verdict itself is given in the dialog of the record."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission
from vaultadmin.worklist import selectors

_LISTS = {"": selectors.inbox, "mine": selectors.requested_by, "done": selectors.done}


@require_safe
@requires(Permission.WORKFLOW_PARTICIPATE, Permission.WORKFLOW_START)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """For me, Mine, Done."""
    shown = request.GET.get("show", "")
    tasks = _LISTS.get(shown, selectors.inbox)(request.member)
    context = {"rows": selectors.rows(tasks, request.member), "shown": shown if shown in _LISTS else ""}
    return render(request, "site/inbox.html", context)
