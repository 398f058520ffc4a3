"""Integrations: create, look at, edit, switch, copy, delete."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connections.constants import RecordStatus
from connections.forms.integrations import CopyIntegrationForm, CreateIntegrationForm, EditIntegrationForm, StatusForm
from connections.models import Integration
from connections.selectors import integrations as selectors
from connections.services import integrations
from connections.services.refusals import Refused
from connections.views.common import add_refusal, integration_url, record_or_404, record_url
from connections.views.dialogs import said, show
from vaultadmin import audit, clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import go
from vaultadmin.permissions import Permission, can

_SHOWN_EVENTS = 20


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def create(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """A custom integration; its points are added on its own page, which this leads to."""
    connection = record_or_404(request, api_name)
    refusal = integrations.refusal(connection)
    form = CreateIntegrationForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and not refusal:
        try:
            made = integrations.create(connection=connection, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            messages.success(request, f"{made} was created. Add its integration points next.")
            return go(request, integration_url(made))
    return show(
        request,
        title="Create integration",
        sentences=["A custom integration is switched on at once. Its integration points are added on its page."],
        form=form,
        refusal=refusal,
        submit="Create",
        cancel_url=record_url(connection),
    )


@require_safe
@requires(Permission.CONNECTION_READ)
def detail(request: MemberRequest, vault_id: int, api_name: str, integration_id: int) -> HttpResponse:
    """One integration with its points."""
    integration = integration_or_404(request, api_name, integration_id)
    context = {
        "integration": integration,
        "connection": integration.connection,
        "points": integration.points.order_by("name", "pk"),
        "may_manage": can(request.member, Permission.MANAGE_CONNECTIONS),
        "actions": _actions(integration),
        "events": audit.history(integration)[:_SHOWN_EVENTS],
        "page_title": integration.name,
    }
    return render(request, "connections/integration.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def edit(request: MemberRequest, vault_id: int, api_name: str, integration_id: int) -> HttpResponse:
    """Change a custom integration."""
    integration = integration_or_404(request, api_name, integration_id)
    refusal = integrations.change_refusal(integration)
    form = EditIntegrationForm(request.POST if request.method == "POST" else None, integration=integration)
    if form.is_valid() and not refusal:
        try:
            integrations.edit(integration=integration, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            return said(request, f"{form.cleaned_data['name']} was saved.", fallback=integration_url(integration))
    return show(
        request,
        title="Edit integration",
        sentences=["Changing the Integration API Name may break code that asks for it."],
        form=form,
        refusal=refusal,
        cancel_url=integration_url(integration),
    )


@require_POST
@requires(Permission.MANAGE_CONNECTIONS)
def status(request: MemberRequest, vault_id: int, api_name: str, integration_id: int) -> HttpResponse:
    """Switch it on or off; `status` is what is wanted, so pressing twice does not switch back."""
    integration = integration_or_404(request, api_name, integration_id)
    form = StatusForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("The Status is Active or Inactive.")
    wanted, back = form.cleaned_data["status"], integration_url(integration)
    try:
        integrations.set_status(integration=integration, status=wanted, by=request.member, now=clock.now())
    except Refused as error:
        return show(request, title="Change status", refusal=str(error), cancel_url=record_url(integration.connection))
    return said(request, f"{integration} is now {RecordStatus(wanted).label}.", fallback=back)


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def copy(request: MemberRequest, vault_id: int, api_name: str, integration_id: int) -> HttpResponse:
    """A custom integration made from this one."""
    integration = integration_or_404(request, api_name, integration_id)
    form = CopyIntegrationForm(
        request.POST if request.method == "POST" else None,
        integration=integration,
        homes=selectors.homes(request.member),
    )
    if form.is_valid():
        try:
            made = integrations.copy(integration=integration, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            messages.success(request, f"{made} was created. It is Inactive until you switch it on.")
            return go(request, integration_url(made))
    return show(
        request,
        title="Copy integration",
        sentences=[
            f"A custom integration with the {integration.points.count()} integration points of {integration} is made.",
            "It is Inactive until you switch it on, and everything in it can be changed.",
        ],
        form=form,
        submit="Copy",
        cancel_url=integration_url(integration),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def delete(request: MemberRequest, vault_id: int, api_name: str, integration_id: int) -> HttpResponse:
    """Delete a custom integration."""
    integration = integration_or_404(request, api_name, integration_id)
    refusal = integrations.change_refusal(integration)
    if request.method == "POST" and not refusal:
        integrations.delete(integration=integration, by=request.member)
        messages.success(request, f"{integration} was deleted.")
        return go(request, f"{record_url(integration.connection)}#integrations")
    return show(
        request,
        title="Delete integration",
        sentences=[
            f"{integration} and its {integration.points.count()} integration points are deleted; "
            "messages that name them are no longer taken.",
            "This cannot be undone. To stop it for a while, set its Status to Inactive instead.",
        ],
        refusal=refusal,
        submit="Delete",
        danger=True,
        cancel_url=integration_url(integration),
    )


def integration_or_404(request: MemberRequest, api_name: str, integration_id: int) -> Integration:
    """The integration of this address, within its connection."""
    found = selectors.find(request.member, record_or_404(request, api_name), integration_id)
    if found is None:
        raise Http404
    return found


def _actions(integration: Integration) -> list[dict[str, Any]]:
    refusal = integrations.change_refusal(integration)
    entries = (("Edit", "edit", "pencil"), ("Copy", "copy", "copy"), ("Delete", "delete", "trash"))
    return [
        {
            "label": label,
            "url": integration_url(integration, name),
            "icon": icon,
            "dialog": True,
            "disabled_reason": "" if name == "copy" else refusal,
            "danger": name == "delete",
        }
        for label, name, icon in entries
    ]
