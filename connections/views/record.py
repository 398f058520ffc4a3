"""The record page of a connection."""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from connections.constants import ConnectionState
from connections.models import Binding, Connection, IssuedFile
from connections.selectors import connections as selectors
from connections.selectors import progress
from connections.services.messages import holding
from connections.views import next_step, record_actions
from connections.views.common import TYPE_ICONS, record_url
from connections.views.sections import SECTIONS
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission, can


@require_safe
@requires(Permission.CONNECTION_READ)
def detail(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """One connection: what it is, where it stands, what can be done. A former API Name leads on to the present one."""
    connection = selectors.find(request.member, api_name)
    if connection is None:
        if present := selectors.renamed_to(request.member, api_name):
            return redirect("connections:record", vault_id, present)
        raise Http404
    return render(request, "connections/record.html", record_context(request, connection))


@require_safe
@requires(Permission.CONNECTION_READ)
def changed(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """Polled while something is under way: 204, with an event for the page once the record moved on."""
    connection = selectors.find(request.member, api_name)
    if connection is None:
        raise Http404
    response = HttpResponse(status=204)
    if request.GET.get("seen") != _mark(connection, selectors.open_binding(connection), _file(connection)):
        response["HX-Trigger"] = "connection:changed"
    return response


def record_context(request: MemberRequest, connection: Connection) -> dict[str, Any]:
    """Everything the record page and its sections show."""
    member, binding = request.member, selectors.open_binding(connection)
    issued = _file(connection)
    connection.request_runs = binding is not None
    shown = [section for section in SECTIONS if section.shown(connection)]
    context = {
        "connection": connection,
        "binding": binding,
        "icon": TYPE_ICONS[connection.type],
        "actions": record_actions.menu(connection, member),
        "next_step": next_step.of(connection, binding, issued, member),
        "way": progress.way(connection),
        "peer_state": progress.peer_state(connection, binding),
        "poll_url": _poll_url(connection, _mark(connection, binding, issued)),
        "sections": shown,
        "holds": holding.in_force(connection.vault, connection=connection),
        "may_operate": can(member, Permission.MESSAGES_OPERATE),
        "page_title": connection.name,
    }
    for section in shown:
        context |= section.context(request, connection)
    return context


def _file(connection: Connection) -> IssuedFile | None:
    return selectors.newest_file(connection) if connection.is_vault_to_vault else None


def _poll_url(connection: Connection, mark: str) -> str:
    """Where the page asks whether anything changed; empty once nothing moves by itself any more."""
    settled = connection.state in (ConnectionState.ACTIVE, ConnectionState.INACTIVE)
    return "" if settled else f"{record_url(connection, 'changed')}?seen={mark}"


def _mark(connection: Connection, binding: Binding | None, issued: IssuedFile | None) -> str:
    """Changes with everything the live parts of the page show."""
    facts = [connection.state, connection.modified_at.isoformat()]
    if binding is not None:
        facts += [str(binding.pk), binding.state, binding.local_verdict, binding.remote_verdict]
    if issued is not None:
        facts += [str(issued.generation), str(issued.used_at), str(issued.revoked_at)]
    return hashlib.sha256("|".join(facts).encode()).hexdigest()[:16]
