"""The dialog *Test*: one GET of an External connection's URL, from its record and from its authorization."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from connections.forms.probing import ChooseConnectionForm
from connections.models import ConnectionAuthorization
from connections.selectors import authorizations as authorization_rows
from connections.services import outward, probing
from connections.services.probing import Probe
from connections.services.refusals import Refused
from connections.views.common import add_refusal, record_or_404, record_url
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import frame
from vaultadmin.permissions import Permission

TONES = {"passed": "success", "refused": "warning", "answered": "warning", "failed": "danger"}
_ICONS = {"success": "circle-check", "warning": "alert-triangle", "danger": "alert-circle"}


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def connection(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """*Test connection*, with whatever authorization the record has."""
    found = record_or_404(request, api_name)
    refusal, result = probing.refusal_of(found), None
    if not refusal and found.url:
        refusal = " ".join(outward.preview(found.url, found.vault).problems)
    if request.method == "POST" and not refusal:
        try:
            result = probing.probe(connection=found, by=request.member)
        except Refused as error:
            refusal = str(error)
    context = {"connection": found, "authorization": found.authorization, "cancel_url": record_url(found)}
    return _show(request, result, refusal, 409, context)


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def authorization(request: MemberRequest, vault_id: int, authorization_id: int) -> HttpResponse:
    """*Test* of an authorization, on one of the connections that use it."""
    found = authorization_rows.find(request.member, authorization_id)
    if found is None:
        raise Http404
    refusal, result = test_refusal(found), None
    form = ChooseConnectionForm(request.POST if request.method == "POST" else None, authorization=found)
    if not refusal and form.is_valid():
        try:
            result = probing.probe(connection=form.cleaned_data["connection"], authorization=found, by=request.member)
        except Refused as error:
            add_refusal(form, error)
    context = {
        "form": None if refusal else form,
        "authorization": found,
        "cancel_url": reverse("connections:authorization", args=[vault_id, found.pk]),
    }
    return _show(request, result, refusal, 422 if form.errors and not refusal else 409, context)


def test_refusal(found: ConnectionAuthorization) -> str:
    """Why this authorization cannot be tested now; empty when it can."""
    if refusal := outward.unusable_authorization(found):
        return refusal
    return "" if found.connections.exists() else "No connection uses it, so there is no URL to test it on."


def _show(
    request: MemberRequest, result: Probe | None, refusal: str, failed: int, context: dict[str, Any]
) -> HttpResponse:
    tone = TONES[result.outcome] if result else ""
    context |= {
        "result": result,
        "tone": tone,
        "tone_icon": _ICONS.get(tone, ""),
        "refusal": refusal,
        "seconds": round(probing.DEADLINE_SECONDS),
        "frame": frame(request),
        "page_title": "Test connection",
    }
    status = failed if request.method == "POST" and result is None else 200
    return render(request, "connections/test.html", context, status=status)
