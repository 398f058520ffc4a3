"""A vault's home: what is broken or waiting, for whoever looks."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from vaultadmin import permissions, registries
from vaultadmin.access import Gate, MemberRequest, requires
from vaultadmin.models import AuditEvent, Membership
from vaultadmin.permissions import Permission
from vaultadmin.worklist import registry
from vaultadmin.worklist import selectors as worklist

_RECENT = 8


@require_safe
@requires(Gate.MEMBER)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """An admin lands on what is broken, an approver on the inbox, a coordinator on their site (ux.md A1)."""
    member = request.member
    if _only_sites(member):
        return redirect("ecoa:home", vault_id)
    context: dict[str, Any] = {
        "cards": [card for source in registries.home_cards for card in source(member)],
        "notices": [notice for source in registries.notices for notice in source(member)],
        "troubles": [trouble for source in registries.troubles for trouble in source(member)],
        "may_decide": bool(registry.kinds_for(member)),
        "rows": worklist.rows(worklist.inbox(member), member, limit=5),
        "changes": _recent(member),
    }
    return render(request, "site/home.html", context)


def _only_sites(member: Membership) -> bool:
    held = permissions.expand(member.profile.permissions)
    return held == {Permission.ECOA_VIEW_SITES.value}


def _recent(member: Membership) -> list[AuditEvent]:
    if not permissions.can(member, Permission.ADMIN_AUDIT):
        return []
    by_people = AuditEvent.objects.filter(chain=member.vault_id, in_bulk=False).exclude(actor_id="")
    return list(by_people.order_by("-sequence")[:_RECENT])
