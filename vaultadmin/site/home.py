"""A vault's home: what is broken or waiting, for whoever looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from vaultadmin import permissions, registries
from vaultadmin.access import Gate, MemberRequest, requires
from vaultadmin.models import AuditEvent, Membership
from vaultadmin.permissions import Permission
from vaultadmin.together import Asking, answer, known, rows_of, together
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
    sources: list[Sequence[registries.HomeSource]] = [registries.home_cards, registries.notices, registries.troubles]
    parts = [*(registries.of_all(each, member) for each in sources), _recent(member)]
    cards, notices, troubles, changes = answer(together(parts))
    context: dict[str, Any] = {
        "cards": cards,
        "notices": notices,
        "troubles": troubles,
        "may_decide": bool(registry.kinds_for(member)),
        "rows": worklist.rows(worklist.inbox(member), member, limit=5),
        "changes": changes,
    }
    return render(request, "site/home.html", context)


def _only_sites(member: Membership) -> bool:
    held = permissions.expand(member.profile.permissions)
    return held == {Permission.ECOA_VIEW_SITES.value}


def _recent(member: Membership) -> Asking[list[AuditEvent]]:
    if not permissions.can(member, Permission.ADMIN_AUDIT):
        return known([])
    by_people = AuditEvent.objects.filter(chain=member.vault_id, in_bulk=False).exclude(actor_id="")
    return rows_of(by_people.order_by("-sequence")[:_RECENT])
