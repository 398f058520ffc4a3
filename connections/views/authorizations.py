"""Connection Authorizations: list, create, one, edit."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from connections.constants import AuthorizationType
from connections.forms.authorizations import AuthorizationTypeForm, CreateAuthorizationForm, EditAuthorizationForm
from connections.models import ConnectionAuthorization
from connections.selectors import authorizations as selectors
from connections.services import authorizations
from connections.services.refusals import Refused
from connections.views.common import add_refusal, menu_entry
from connections.views.probing import test_refusal
from vaultadmin import audit, clock
from vaultadmin.access import MemberRequest, fresh_credentials, requires
from vaultadmin.answers import frame, go
from vaultadmin.permissions import Permission, can
from vaultadmin.query import PAGE, key_page, replaced_query

_SHOWN_EVENTS = 20
TYPE_CARDS = [
    {
        "value": AuthorizationType.BASIC.value,
        "label": AuthorizationType.BASIC.label,
        "icon": "user-circle",
        "text": "The external system asks for a User Name and a Password.",
    },
    {
        "value": AuthorizationType.CLIENT_CREDENTIALS.value,
        "label": AuthorizationType.CLIENT_CREDENTIALS.label,
        "icon": "api",
        "text": "The external system gave out a Client ID and a Client Secret.",
    },
]


@require_safe
@requires(Permission.AUTHORIZATION_READ)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Search, filter and page are in the address."""
    asked = {name: request.GET.get(name, "") for name in ("q", "type")}
    rows = selectors.authorizations(request.member, search=asked["q"], type_=asked["type"])
    context = key_page(rows, request, column="id", size=PAGE) | {
        "search": {"name": "q", "value": asked["q"], "label": "Name, User Name or Client ID"},
        "has_filters": True,
        "types": AuthorizationType.choices,
        "asked": asked,
        "chips": _chips(request, asked),
        "clear_url": request.path,
        "may_create": can(request.member, Permission.AUTHORIZATION_CREATE),
        "page_title": "Authorizations",
    }
    return render(request, "connections/authorizations.html", context)


@require_safe
@requires(Permission.AUTHORIZATION_READ)
def detail(request: MemberRequest, vault_id: int, authorization_id: int) -> HttpResponse:
    """One authorization and what uses it; never its secret."""
    authorization = _authorization_or_404(request, authorization_id)
    reads_connections = can(request.member, Permission.CONNECTION_READ)
    context = {
        "authorization": authorization,
        "used_by": authorization.connections.order_by("name", "pk")[:100] if reads_connections else [],
        "may_edit": can(request.member, Permission.AUTHORIZATION_EDIT),
        "actions": _actions(request, authorization),
        "events": audit.history(authorization)[:_SHOWN_EVENTS],
        "page_title": authorization.name,
    }
    return render(request, "connections/authorization.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.AUTHORIZATION_CREATE)
@fresh_credentials
def create(request: MemberRequest, vault_id: int) -> HttpResponse:
    """First the type (`?type=`), then its fields."""
    type_ = request.GET.get("type", "")
    if type_ not in AuthorizationType.values:
        chosen = AuthorizationTypeForm(request.GET if "type" in request.GET else None)
        return _show(request, chosen, "Create authorization", type_cards=TYPE_CARDS)
    form = CreateAuthorizationForm(request.POST if request.method == "POST" else None, type_=type_)
    if form.is_valid():
        values = dict(form.cleaned_data)
        try:
            made = authorizations.create(
                type=type_, creation_key=values.pop("key"), by=request.member, now=clock.now(), **values
            )
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"{made} was created.")
            return redirect("connections:authorization", vault_id, made.pk)
    title = f"Create {AuthorizationType(type_).label} authorization"
    return _show(request, form, title)


@require_http_methods(["GET", "POST"])
@requires(Permission.AUTHORIZATION_EDIT)
@fresh_credentials
def edit(request: MemberRequest, vault_id: int, authorization_id: int) -> HttpResponse:
    """Change name, public half, or put another secret in."""
    authorization = _authorization_or_404(request, authorization_id)
    form = EditAuthorizationForm(request.POST if request.method == "POST" else None, authorization=authorization)
    if form.is_valid():
        try:
            authorizations.edit(authorization=authorization, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"{authorization} was saved.")
            return redirect("connections:authorization", vault_id, authorization.pk)
    return _show(request, form, f"Edit {authorization}", authorization=authorization)


@require_http_methods(["GET", "POST"])
@requires(Permission.AUTHORIZATION_DELETE)
@fresh_credentials
def delete(request: MemberRequest, vault_id: int, authorization_id: int) -> HttpResponse:
    """*Delete*: refused while a connection uses it."""
    authorization = _authorization_or_404(request, authorization_id)
    refusal = authorizations.delete_refusal(authorization)
    if request.method == "POST" and not refusal:
        try:
            authorizations.delete(authorization=authorization, by=request.member)
        except Refused as error:
            refusal = str(error)
        else:
            messages.success(request, f"{authorization} was deleted.")
            return go(request, reverse("connections:authorizations", args=[vault_id]))
    context = {
        "refusal": refusal,
        "authorization": authorization,
        "frame": frame(request),
        "cancel_url": reverse("connections:authorization", args=[vault_id, authorization_id]),
        "page_title": "Delete authorization",
    }
    status = 409 if refusal and request.method == "POST" else 200
    return render(request, "connections/authorization_delete.html", context, status=status)


def _actions(request: MemberRequest, authorization: ConnectionAuthorization) -> list[dict[str, Any]]:
    place = [authorization.vault_id, authorization.pk]
    return [
        menu_entry(
            request.member,
            "Test",
            reverse("connections:authorization-test", args=place),
            icon="microscope",
            needs=Permission.MANAGE_CONNECTIONS,
            refusal=test_refusal(authorization),
        ),
        menu_entry(
            request.member,
            "Delete",
            reverse("connections:authorization-delete", args=place),
            icon="trash",
            needs=Permission.AUTHORIZATION_DELETE,
            refusal=authorizations.delete_refusal(authorization),
            danger=True,
        ),
    ]


def _authorization_or_404(request: MemberRequest, authorization_id: int) -> ConnectionAuthorization:
    found = selectors.find(request.member, authorization_id)
    if found is None:
        raise Http404
    return found


def _show(request: MemberRequest, form: Any, title: str, **more: Any) -> HttpResponse:
    authorization = more.get("authorization")
    back = (
        reverse("connections:authorization", args=[request.member.vault_id, authorization.pk])
        if authorization
        else reverse("connections:authorizations", args=[request.member.vault_id])
    )
    context = {"form": form, "cancel_url": back, "page_title": title, **more}
    return render(request, "connections/authorization_form.html", context, status=422 if form.errors else 200)


def _chips(request: MemberRequest, asked: dict[str, str]) -> list[dict[str, str]]:
    shown = {
        "q": f"“{asked['q']}”" if asked["q"] else "",
        "type": dict(AuthorizationType.choices).get(asked["type"], ""),
    }
    return [
        {"label": label, "url": replaced_query(request, **{name: "", "before": "", "after": ""})}
        for name, label in shown.items()
        if label
    ]
