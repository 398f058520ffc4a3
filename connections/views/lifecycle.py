"""The dialogs that end a connection or its use: reset, delete, inactivate, activate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from connections.forms.dialogs import ReasonForm
from connections.models import Connection
from connections.selectors import connections as selectors
from connections.services import deleting, switching
from connections.services.handshake import parting
from connections.services.refusals import Refused
from connections.views.common import list_url, record_or_404
from connections.views.dialogs import dialog, done
from vaultadmin import clock
from vaultadmin.access import MemberRequest, fresh_credentials, requires
from vaultadmin.answers import go
from vaultadmin.permissions import Permission
from vaultadmin.together import answer


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
@fresh_credentials
def reset(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """*Reset Connection*."""
    connection = record_or_404(request, api_name)

    def told(_reset: Connection) -> HttpResponse:
        return done(request, connection, f"{connection} was reset. It is Pending now.")

    return _act(request, connection, "reset", parting.reset_refusal(connection), parting.reset, told)


@require_http_methods(["GET", "POST"])
@requires(Permission.CONNECTION_DELETE)
@fresh_credentials
def delete(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """*Delete*: leads to the list, because the record is gone."""
    connection = record_or_404(request, api_name)

    def told(_gone: None) -> HttpResponse:
        messages.success(request, f"{connection} was deleted.")
        return go(request, list_url(request))

    return _act(request, connection, "delete", answer(deleting.delete_refusal(connection)), deleting.delete, told)


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def inactivate(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """*Inactivate*."""
    connection = record_or_404(request, api_name)

    def told(saved: Connection) -> HttpResponse:
        return done(request, connection, f"{saved} is Inactive now.")

    refusal = switching.inactivate_refusal(connection)
    return _act(request, connection, "inactivate", refusal, switching.inactivate, told)


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def activate(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """*Activate*."""
    connection = record_or_404(request, api_name)

    def told(saved: Connection) -> HttpResponse:
        return done(request, connection, f"{saved} is {saved.get_state_display()} now.")

    return _act(request, connection, "activate", switching.activate_refusal(connection), switching.activate, told)


def _act(
    request: MemberRequest,
    connection: Connection,
    name: str,
    refusal: str,
    act: Callable[..., Any],
    told: Callable[[Any], HttpResponse],
) -> HttpResponse:
    """Show the dialog; posted, carry the act out and tell what came of it."""
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and not refusal:
        try:
            result = act(connection=connection, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            refusal = str(error)
        else:
            return told(result)
    agreed, request_runs = selectors.agreed_binding(connection), selectors.open_binding(connection)
    context = {"form": form, "binding": agreed, "request_runs": request_runs}
    return dialog(request, name, connection, refusal, context)
