"""Sessions of the Vault REST API that are in force: one's own, and the vault's for who administers users."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from vaultadmin import clock
from vaultadmin.access import Gate, MemberRequest, requires
from vaultadmin.answers import frame, go
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.models import ApiSession, VaultSettings
from vaultadmin.permissions import Permission, can
from vaultadmin.query import PAGE, key_page
from vaultadmin.services import api_sessions

_OWN = "own"


@require_safe
@requires(Gate.MEMBER)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Newest first. Whoever administers users sees everybody's, and their own with `?whose=own`."""
    rows = _shown(request).select_related("membership__user", "membership__profile")
    page = key_page(rows, request, column="id", size=PAGE)
    refused = api_sessions.refused(page["rows"], request.member.vault)
    context = page | {
        "rows": [row for row in page["rows"] if row.pk not in refused],
        "sees_all": can(request.member, Permission.ADMIN_USERS),
        "own": _is_own(request),
        "end_all_url": f"{reverse('vault:api-sessions-end', args=[vault_id])}{_query(request)}",
        "minutes": VaultSettings.of(request.member.vault).session_minutes,
        "refresh_on": "api-sessions:changed",
        "page_title": "API sessions",
    }
    return render(request, "people/api_sessions.html", context)


@require_http_methods(["GET", "POST"])
@requires(Gate.MEMBER)
def end(request: MemberRequest, vault_id: int, api_session_id: int) -> HttpResponse:
    """The dialog *End session*. Ending one that ended meanwhile is no error."""
    session = ApiSession.objects.visible_to(request.member).filter(pk=api_session_id).first()
    if session is None:
        raise Http404
    if request.method == "POST":
        api_sessions.end_many([session], by=request.member, now=clock.now())
        messages.success(request, f"Session {session} is ended: calls with it are refused.")
        return go(request, _url(request))
    return _ask(request, {"session": session})


@require_http_methods(["GET", "POST"])
@requires(Gate.MEMBER)
def end_all(request: MemberRequest, vault_id: int) -> HttpResponse:
    """The dialog *End all sessions*: those the list shows."""
    if request.method == "POST":
        ended = api_sessions.end_many(_shown(request), by=request.member, now=clock.now())
        messages.success(request, f"{ended} session{'' if ended == 1 else 's'} ended.")
        return go(request, _url(request))
    return _ask(request, {"number": _shown(request).count(), "own": _is_own(request)})


def _shown(request: MemberRequest) -> QuerySet[ApiSession]:
    return api_sessions.in_force(request.member, own=_is_own(request), now=clock.now())


def _is_own(request: MemberRequest) -> bool:
    return request.GET.get("whose") == _OWN or not can(request.member, Permission.ADMIN_USERS)


def _ask(request: MemberRequest, about: dict[str, object]) -> HttpResponse:
    context = about | {"form": ConfirmForm(), "danger": True, "frame": frame(request), "cancel_url": _url(request)}
    return render(request, "people/api_session_end.html", context)


def _url(request: MemberRequest) -> str:
    return f"{reverse('vault:api-sessions', args=[request.member.vault_id])}{_query(request)}"


def _query(request: MemberRequest) -> str:
    return f"?whose={_OWN}" if request.GET.get("whose") == _OWN else ""
