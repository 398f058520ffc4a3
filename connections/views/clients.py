"""Dialogs of the Connection Client section: add, change, inactivate, activate."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from connections.forms.clients import ClientForm, EditClientForm
from connections.models import Connection, ConnectionClient
from connections.selectors import clients as selectors
from connections.services import clients
from connections.services.refusals import Refused
from connections.views.common import add_refusal, record_or_404, record_url
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import dialog_done, frame
from vaultadmin.permissions import Permission

CHANGED = "connection:changed"


@require_http_methods(["GET", "POST"])
@requires(Permission.CONNECTION_EDIT)
def add(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """*Add Client ID*."""
    connection = record_or_404(request, api_name)
    form = ClientForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = clients.add(connection=connection, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            return _done(request, connection, f"{made} can be used now.")
    return _dialog(request, "client", connection, form=form)


@require_http_methods(["GET", "POST"])
@requires(Permission.CONNECTION_EDIT)
def edit(request: MemberRequest, vault_id: int, api_name: str, client_id: int) -> HttpResponse:
    """*Change Client ID*."""
    connection, client = _client_or_404(request, api_name, client_id)
    form = EditClientForm(request.POST if request.method == "POST" else None, client=client)
    if form.is_valid():
        try:
            saved = clients.change(client=client, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            return _done(request, connection, f"{saved} was saved.")
    return _dialog(request, "client", connection, form=form, client=client)


@require_http_methods(["GET", "POST"])
@requires(Permission.CONNECTION_EDIT)
def status(request: MemberRequest, vault_id: int, api_name: str, client_id: int, active: bool) -> HttpResponse:
    """*Inactivate* and *Activate*."""
    connection, client = _client_or_404(request, api_name, client_id)
    refusal = ""
    if request.method == "POST":
        try:
            clients.set_active(client=client, active=active, by=request.member, now=clock.now())
        except Refused as error:
            refusal = str(error)
        else:
            return _done(request, connection, f"{client} is {'active' if active else 'inactive'} now.")
    return _dialog(request, "client_status", connection, client=client, activate=active, refusal=refusal)


def _client_or_404(request: MemberRequest, api_name: str, client_id: int) -> tuple[Connection, ConnectionClient]:
    connection = record_or_404(request, api_name)
    client = selectors.find(request.member, connection, client_id)
    if client is None:
        raise Http404
    return connection, client


def _done(request: MemberRequest, connection: Connection, sentence: str) -> HttpResponse:
    response = dialog_done(request, CHANGED, fallback=f"{record_url(connection)}#clients", toast=sentence)
    if response.status_code != 204:
        messages.success(request, sentence)
    return response


def _dialog(request: MemberRequest, name: str, connection: Connection, **context: Any) -> HttpResponse:
    form = context.get("form")
    status_code = 422 if form is not None and form.errors else 409 if context.get("refusal") else 200
    context |= {
        "connection": connection,
        "frame": frame(request),
        "cancel_url": f"{record_url(connection)}#clients",
    }
    return render(request, f"connections/{name}.html", context, status=status_code)
