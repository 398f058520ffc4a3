"""Filed messages: the list and one of them."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from connections.selectors import filed as selectors
from connections.views.messages.common import CHANGED, message_url, shown_until
from connections.views.messages.page import content_of
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission, can
from vaultadmin.query import PAGE, key_page, replaced_query


@require_safe
@requires(Permission.MESSAGES_OPERATE)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Search, filters and page are in the address."""
    asked = {name: request.GET.get(name, "") for name in selectors.FILTERS}
    context = key_page(selectors.filed(request.member, asked), request, column="pk", size=PAGE) | {
        "search": {"name": "q", "value": asked["q"], "label": "Message ID, item or attribute"},
        "has_filters": True,
        "queues": selectors.queues(request.member),
        "kinds": selectors.KINDS,
        "asked": asked,
        "chips": _chips(request, asked),
        "clear_url": request.path,
        "page_title": "Filed messages",
    }
    return render(request, "connections/filed_messages.html", context)


@require_safe
@requires(Permission.MESSAGES_OPERATE)
def detail(request: MemberRequest, vault_id: int, filed_id: int) -> HttpResponse:
    """Who sent one message and when; what it says is masked until it is revealed, as everywhere."""
    filed = selectors.find(request.member, filed_id)
    if filed is None:
        raise Http404
    message, until = filed.message, shown_until(request, filed.message, clock.now())
    origin = selectors.origin(message)
    answered = selectors.answered(request.member, origin)
    context = content_of(request, message, until) | {
        "filed": filed,
        "message": message,
        "origin": origin,
        "answered_url": message_url(answered) if answered else "",
        "message_url": message_url(message),
        "goes_on": until is not None,
        "refresh_on": CHANGED,
        "may_read_connection": can(request.member, Permission.CONNECTION_READ),
        "page_title": str(message.message_id),
    }
    return render(request, "connections/filed_message.html", context)


def _chips(request: MemberRequest, asked: dict[str, str]) -> list[dict[str, str]]:
    shown = {
        "q": f"“{asked['q']}”" if asked["q"] else "",
        "queue": asked["queue"],
        "kind": dict(selectors.KINDS).get(asked["kind"], ""),
    }
    return [
        {"label": label, "url": replaced_query(request, **{name: "", "before": "", "after": ""})}
        for name, label in shown.items()
        if label
    ]
