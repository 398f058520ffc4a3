"""Vault tokens: list, create, one, edit, delete."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from connections.forms.tokens import CreateTokenForm, EditTokenForm
from connections.models import VaultToken
from connections.selectors import tokens as selectors
from connections.services import tokens
from connections.services.refusals import Refused
from connections.views.common import add_refusal, menu_entry
from vaultadmin import audit, clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import frame, go
from vaultadmin.permissions import Permission, can

_SHOWN_EVENTS = 20
_SHOWN_USES = 100
_SYSTEM_LABELS = {"id": "Vault ID", "name": "Vault name", "dns": "DNS name"}


@require_safe
@requires(Permission.CONNECTION_READ)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """The system tokens and the vault's own, with how many connections use each."""
    member = request.member
    own, system = list(selectors.own(member)), selectors.system_values(member.vault)
    uses = selectors.uses(member, [*system, *(token.name for token in own)])
    context = {
        "system": [
            {"name": name, "label": _SYSTEM_LABELS[name], "value": value, "uses": uses[name]}
            for name, value in system.items()
        ],
        "rows": [(token, uses[token.name]) for token in own],
        "may_create": can(member, Permission.MANAGE_CONNECTIONS),
        "create_refusal": tokens.full_refusal(sum(not token.system_managed for token in own)),
        "page_title": "Tokens",
    }
    return render(request, "connections/tokens.html", context)


@require_safe
@requires(Permission.CONNECTION_READ)
def detail(request: MemberRequest, vault_id: int, vault_token_id: int) -> HttpResponse:
    """One token, and the connections whose URL holds it."""
    token = _token_or_404(request, vault_token_id)
    context = {
        "token": token,
        "used_by": selectors.connections_with(token.vault_id, token.name)[:_SHOWN_USES],
        "may_edit": can(request.member, Permission.MANAGE_CONNECTIONS) and not tokens.edit_refusal(token),
        "actions": _actions(request, token),
        "events": audit.history(token)[:_SHOWN_EVENTS],
        "page_title": token.name,
    }
    return render(request, "connections/token.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def create(request: MemberRequest, vault_id: int) -> HttpResponse:
    """A new token of this vault."""
    form = CreateTokenForm(request.POST if request.method == "POST" else None, vault_id=vault_id)
    refusal = tokens.create_refusal(vault_id) if request.method == "GET" else ""
    if form.is_valid():
        try:
            made = tokens.create(by=request.member, now=clock.now(), **form.values())
        except Refused as error:
            add_refusal(form, error)
        else:
            messages.success(request, f"{made.text} was created.")
            return redirect("connections:token", vault_id, made.pk)
    return _show(request, form, "Create token", _list_url(request), refusal=refusal)


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def edit(request: MemberRequest, vault_id: int, vault_token_id: int) -> HttpResponse:
    """Change everything but the name."""
    token = _token_or_404(request, vault_token_id)
    form = EditTokenForm(request.POST if request.method == "POST" else None, token=token)
    if form.is_valid():
        try:
            saved = tokens.edit(token=token, by=request.member, now=clock.now(), **form.values())
        except Refused as error:
            add_refusal(form, error)
        else:
            _tell(request, saved)
            return redirect("connections:token", vault_id, token.pk)
    return _show(request, form, f"Edit {token}", _url(token), token=token, refusal=tokens.edit_refusal(token))


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def delete(request: MemberRequest, vault_id: int, vault_token_id: int) -> HttpResponse:
    """*Delete*: refused while a URL holds the token."""
    token = _token_or_404(request, vault_token_id)
    refusal = tokens.delete_refusal(token)
    if request.method == "POST" and not refusal:
        try:
            tokens.delete(token=token, by=request.member)
        except Refused as error:
            refusal = str(error)
        else:
            messages.success(request, f"{token.text} was deleted.")
            return go(request, _list_url(request))
    context = {
        "refusal": refusal,
        "token": token,
        "frame": frame(request),
        "cancel_url": _url(token),
        "page_title": "Delete token",
    }
    status = 409 if refusal and request.method == "POST" else 200
    return render(request, "connections/token_delete.html", context, status=status)


def _token_or_404(request: MemberRequest, pk: int) -> VaultToken:
    found = selectors.find(request.member, pk)
    if found is None:
        raise Http404
    return found


def _url(token: VaultToken) -> str:
    return reverse("connections:token", args=[token.vault_id, token.pk])


def _list_url(request: MemberRequest) -> str:
    return reverse("connections:tokens", args=[request.member.vault_id])


def _actions(request: MemberRequest, token: VaultToken) -> list[dict[str, Any]]:
    return [
        menu_entry(
            request.member,
            "Delete",
            reverse("connections:token-delete", args=[token.vault_id, token.pk]),
            icon="trash",
            needs=Permission.MANAGE_CONNECTIONS,
            refusal=tokens.delete_refusal(token),
            danger=True,
        )
    ]


def _tell(request: MemberRequest, token: VaultToken) -> None:
    messages.success(request, f"{token.text} was saved.")
    users = [f"“{row}”" for row in selectors.connections_with(token.vault_id, token.name)[:3]]
    if users and not token.value:
        messages.warning(request, f"{token.text} has no value now: {', '.join(users)} cannot be used until it has one.")


def _show(
    request: MemberRequest, form: CreateTokenForm | EditTokenForm, title: str, cancel_url: str, **more: Any
) -> HttpResponse:
    context = {"form": form, "cancel_url": cancel_url, "page_title": title, **more}
    return render(request, "connections/token_form.html", context, status=422 if form.errors else 200)
