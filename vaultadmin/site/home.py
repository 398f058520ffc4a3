"""A vault's home: what is broken or waiting, for whoever looks."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from vaultadmin import permissions, registries
from vaultadmin.access import Gate, requires
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission
from vaultadmin.worklist import selectors as worklist


@require_safe
@requires(Gate.MEMBER)
def index(request: HttpRequest, vault_id: int) -> HttpResponse:
    """An admin lands on what is broken, an approver on the inbox, a coordinator on their site (ux.md A1)."""
    member = request.member
    if _only_sites(member):
        return redirect("ecoa:home", vault_id)
    tasks = worklist.rows(worklist.inbox(member), member, limit=5)
    context: dict[str, Any] = {
        "tasks": tasks,
        "cards": [card for source in registries.home_cards for card in source(member)],
    }
    return render(request, "site/home.html", context)


def _only_sites(member: Membership) -> bool:
    held = permissions.expand(member.profile.permissions)
    return held == {Permission.ECOA_VIEW_SITES.value}
