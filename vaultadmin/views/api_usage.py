"""The API usage log: filtered, paged by key, a day of it as CSV."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from vaultadmin import clock, exports
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission
from vaultadmin.query import PAGE, key_page, replaced_query
from vaultadmin.selectors import api_usage as selectors

_FILTERS = {"date": "Day", "user": "User", "client_id": "Client ID", "connection": "Connection", "status": "Status"}


@require_safe
@requires(Permission.API_USAGE_LOGS)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Newest first; the state of the list is in its address."""
    asked = {name: request.GET.get(name, "") for name in _FILTERS}
    page = key_page(selectors.rows(request.member, asked), request, column="id", size=PAGE)
    context: dict[str, Any] = {
        **page,
        "asked": asked,
        "statuses": selectors.STATUSES,
        "chips": _chips(request, asked),
        "clear_url": request.path,
        "has_filters": True,
        "day": selectors.read_day(asked["date"]) or clock.now().date(),
        "page_title": "API usage",
    }
    return render(request, "site/api_usage.html", context)


@require_safe
@requires(Permission.API_USAGE_LOGS)
def download(request: MemberRequest, vault_id: int) -> HttpResponseBase:
    """One day as CSV, streamed: `?date=YYYY-MM-DD`."""
    day = selectors.read_day(request.GET.get("date", ""))
    if day is None:
        return HttpResponseRedirect(reverse("vault:api-usage", args=[vault_id]))
    found = selectors.of_day(request.member.vault, day)
    return exports.csv_response(f"api_usage-{vault_id}-{day}.csv", selectors.COLUMNS, selectors.lines(found))


def _chips(request: MemberRequest, asked: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"label": f"{label}: {asked[name]}", "url": replaced_query(request, **{name: "", "before": "", "after": ""})}
        for name, label in _FILTERS.items()
        if asked[name]
    ]
