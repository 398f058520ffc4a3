"""Integration points of custom integrations: add, edit, remove."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_http_methods

from connections.forms.integrations import AddPointForm, EditPointForm
from connections.models import IntegrationPoint
from connections.selectors import integrations as selectors
from connections.services import integration_points, integrations
from connections.services.refusals import Refused
from connections.views.common import add_refusal, integration_url
from connections.views.dialogs import said, show
from connections.views.integrations import integration_or_404
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def add(request: MemberRequest, vault_id: int, api_name: str, integration_id: int) -> HttpResponse:
    """One more step of a custom integration."""
    integration = integration_or_404(request, api_name, integration_id)
    refusal, back = integrations.change_refusal(integration), integration_url(integration)
    form = AddPointForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and not refusal:
        try:
            made = integration_points.add(
                integration=integration, by=request.member, now=clock.now(), **form.cleaned_data
            )
        except Refused as error:
            add_refusal(form, error)
        else:
            return said(request, f"{made} was added.", fallback=back)
    sentences = ["A message names the receiving point by its API name; the other Vault must use the same one."]
    return show(
        request,
        title="Add integration point",
        sentences=sentences,
        form=form,
        refusal=refusal,
        submit="Add",
        cancel_url=back,
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def edit(request: MemberRequest, vault_id: int, api_name: str, integration_id: int, point_id: int) -> HttpResponse:
    """Change a point."""
    point = _point_or_404(request, api_name, integration_id, point_id)
    refusal, back = integrations.change_refusal(point.integration), integration_url(point.integration)
    form = EditPointForm(request.POST if request.method == "POST" else None, point=point)
    if form.is_valid() and not refusal:
        try:
            integration_points.edit(point=point, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            return said(request, f"{form.cleaned_data['name']} was saved.", fallback=back)
    sentences = ["Messages under way that name the former API name are no longer taken."]
    return show(
        request, title="Edit integration point", sentences=sentences, form=form, refusal=refusal, cancel_url=back
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def remove(request: MemberRequest, vault_id: int, api_name: str, integration_id: int, point_id: int) -> HttpResponse:
    """Remove a point."""
    point = _point_or_404(request, api_name, integration_id, point_id)
    refusal, back = integrations.change_refusal(point.integration), integration_url(point.integration)
    if request.method == "POST" and not refusal:
        integration_points.remove(point=point, by=request.member)
        return said(request, f"{point} was removed.", fallback=back)
    return show(
        request,
        title="Remove integration point",
        sentences=[f"Messages that name {point.api_name} are no longer taken.", "This cannot be undone."],
        refusal=refusal,
        submit="Remove",
        danger=True,
        cancel_url=back,
    )


def _point_or_404(request: MemberRequest, api_name: str, integration_id: int, point_id: int) -> IntegrationPoint:
    found = selectors.find_point(integration_or_404(request, api_name, integration_id), point_id)
    if found is None:
        raise Http404
    return found
