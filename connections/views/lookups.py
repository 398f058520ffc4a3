"""Reference lookups of a vault: the list, its download, and one row."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from connections.constants import REFERENCE_LOOKUP_API_NAMES, LookupType, RecordStatus
from connections.models import ReferenceLookup
from connections.selectors import lookups as selectors
from connections.services import lookups
from connections.views.common import lookup_or_404, lookup_url
from vaultadmin import audit, clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.exports import csv_response
from vaultadmin.permissions import Permission, can
from vaultadmin.query import PAGE, key_page, replaced_query

_SHOWN_EVENTS = 20
_READERS = (Permission.CONNECTION_READ, Permission.MANAGE_INTEGRATIONS)
_CSV_COLUMNS = ("connection", "type", "name", "target_key_field", "source_key", "target_key", "status")


@require_safe
@requires(*_READERS)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Search, filters and page are in the address."""
    asked = _asked(request)
    context = key_page(selectors.lookups(request.member, asked), request, column="id", size=PAGE) | {
        "search": {"name": "q", "value": asked["q"], "label": "Name, Source Key or Target Key"},
        "has_filters": True,
        "types": LookupType.choices,
        "statuses": RecordStatus.choices,
        "homes": selectors.homes(request.member),
        "asked": asked,
        "chips": _chips(request, asked),
        "clear_url": request.path,
        "refresh_on": "connection:changed",
        "csv_url": _same_query(request, "lookups-csv"),
        "add_url": _same_query(request, "lookup-add"),
        "may_manage": lookups.may_manage(request.member),
        "page_title": "Reference lookups",
    }
    return render(request, "connections/lookups.html", context)


@require_safe
@requires(*_READERS)
def download(request: MemberRequest, vault_id: int) -> HttpResponseBase:
    """Everything the filters find, under the API names of the fields."""
    rows = selectors.in_order(selectors.lookups(request.member, _asked(request)))
    columns = [REFERENCE_LOOKUP_API_NAMES[name] for name in _CSV_COLUMNS]
    lines = (
        [row.connection.api_name, row.type, row.name, row.target_key_field, row.source_key, row.target_key, row.status]
        for row in rows
    )
    return csv_response(f"reference lookups {clock.now():%Y-%m-%d}.csv", columns, lines)


@require_safe
@requires(*_READERS)
def detail(request: MemberRequest, vault_id: int, lookup_id: int) -> HttpResponse:
    """One row and what happened to it."""
    lookup = lookup_or_404(request, lookup_id)
    context = {
        "lookup": lookup,
        "may_read_connection": can(request.member, Permission.CONNECTION_READ),
        "may_manage": lookups.may_manage(request.member),
        "actions": [
            _action("Edit", "lookup-edit", "pencil", lookup),
            _action("Delete", "lookup-delete", "trash", lookup, danger=True),
        ],
        "events": audit.history(lookup)[:_SHOWN_EVENTS],
        "page_title": str(lookup),
    }
    return render(request, "connections/lookup.html", context)


def _asked(request: MemberRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "") for name in selectors.FILTERS}


def _same_query(request: MemberRequest, route: str) -> str:
    """Another page with the filters of this one."""
    query = replaced_query(request, before="", after="").removeprefix(request.path)
    return reverse(f"connections:{route}", args=[request.member.vault_id]) + query


def _action(label: str, route: str, icon: str, lookup: ReferenceLookup, *, danger: bool = False) -> dict[str, Any]:
    return {"label": label, "url": lookup_url(lookup, route), "icon": icon, "dialog": True, "danger": danger}


def _chips(request: MemberRequest, asked: dict[str, str]) -> list[dict[str, str]]:
    shown = {
        "q": f"“{asked['q']}”" if asked["q"] else "",
        "connection": asked["connection"],
        "type": dict(LookupType.choices).get(asked["type"], ""),
        "name": asked["name"],
        "status": dict(RecordStatus.choices).get(asked["status"], ""),
    }
    return [
        {"label": label, "url": replaced_query(request, **{name: "", "before": "", "after": ""})}
        for name, label in shown.items()
        if label
    ]
