"""The list of connections."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from connections.constants import ConnectionState, ConnectionType
from connections.selectors import connections as selectors
from connections.services import standard
from connections.views.common import TYPE_CARDS, TYPE_ICONS
from connections.views.standard import NONE_LEFT
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission, can
from vaultadmin.query import replaced_query


@require_safe
@requires(Permission.CONNECTION_READ)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Search, filters, sort and page are in the address."""
    asked = {name: request.GET.get(name, "") for name in ("q", "type", "state", "sort", "after")}
    rows = selectors.connections(request.member, search=asked["q"], type_=asked["type"], state=asked["state"])
    page = selectors.page(rows, sort=asked["sort"] or "name", after=asked["after"])
    context = {
        "rows": [(connection, TYPE_ICONS[connection.type]) for connection in page.rows],
        "older_url": replaced_query(request, after=page.next_key) if page.next_key else "",
        "older_label": "Next",
        "newer_url": replaced_query(request, after="") if asked["after"] else "",
        "newer_label": "First page",
        "search": {"name": "q", "value": asked["q"], "label": "Name, API Name, record id or Remote Vault"},
        "has_filters": True,
        "types": ConnectionType.choices,
        "states": ConnectionState.choices,
        "asked": asked,
        "chips": _chips(request, asked),
        "clear_url": request.path,
        "default_sort": "name",
        "refresh_on": "connections:changed",
        "type_cards": TYPE_CARDS,
        "may_create": can(request.member, Permission.CONNECTION_CREATE),
        "actions": _actions(request),
        "page_title": "Connections",
    }
    return render(request, "connections/list.html", context)


def _chips(request: MemberRequest, asked: dict[str, str]) -> list[dict[str, str]]:
    shown = {
        "q": f"“{asked['q']}”" if asked["q"] else "",
        "type": dict(ConnectionType.choices).get(asked["type"], ""),
        "state": dict(ConnectionState.choices).get(asked["state"], ""),
    }
    return [
        {"label": label, "url": replaced_query(request, **{name: "", "after": ""})}
        for name, label in shown.items()
        if label
    ]


def _actions(request: MemberRequest) -> list[dict[str, Any]]:
    allowed = can(request.member, Permission.MANAGE_CONNECTIONS)
    lacking = "" if allowed else f"Needs “{Permission.MANAGE_CONNECTIONS.label}”."
    none_left = "" if standard.offers(request.member.vault) else NONE_LEFT
    entries = [
        ("Connect from File", "connect-from-file", "file-import", lacking),
        ("Add standard connection", "add-standard", "plus", lacking or none_left),
    ]
    return [
        {
            "label": label,
            "url": reverse(f"connections:{route}", args=[request.member.vault_id]),
            "icon": icon,
            "dialog": True,
            "disabled_reason": reason,
        }
        for label, route, icon, reason in entries
    ]
