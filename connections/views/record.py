"""The record page of a connection."""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from connections.constants import ConnectionState
from connections.models import Connection
from connections.selectors import connections as selectors
from connections.selectors import progress
from connections.selectors import record as records
from connections.selectors.record import Record
from connections.services.messages import holding
from connections.views import next_step, record_actions
from connections.views.common import TYPE_ICONS, record_url
from connections.views.sections import SECTIONS
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission, can
from vaultadmin.together import Asking, answer, together


@require_safe
@requires(Permission.CONNECTION_READ)
def detail(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """One connection: what it is, where it stands, what can be done. A former API Name leads on to the present one."""
    record = answer(records.find(request.member, api_name))
    if record is None:
        if present := selectors.renamed_to(request.member, api_name):
            return redirect("connections:record", vault_id, present)
        raise Http404
    return render(request, "connections/record.html", answer(record_context(request, record)))


@require_safe
@requires(Permission.CONNECTION_READ)
def changed(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """Polled while something is under way: 204, with an event for the page once the record moved on."""
    record = answer(records.find(request.member, api_name))
    if record is None:
        raise Http404
    response = HttpResponse(status=204)
    if request.GET.get("seen") != _mark(record):
        response["HX-Trigger"] = "connection:changed"
    return response


def record_context(request: MemberRequest, record: Record) -> Asking[dict[str, Any]]:
    """Everything the record page and its sections show."""
    connection, member = record.connection, request.member
    shown = [section for section in SECTIONS if section.shown(connection)]
    asked: list[Asking[Any]] = [
        record_actions.menu(record, member),
        next_step.of(record, member),
        holding.in_force(connection.vault, connection=connection),
        *(section.context(request, record) for section in shown),
    ]
    actions, step, holds, *contexts = yield from together(asked)
    context = {
        "connection": connection,
        "binding": record.open,
        "icon": TYPE_ICONS[connection.type],
        "actions": actions,
        "next_step": step,
        "way": progress.way(connection),
        "peer_state": progress.peer_state(record),
        "poll_url": _poll_url(connection, _mark(record)),
        "sections": shown,
        "holds": holds,
        "may_operate": can(member, Permission.MESSAGES_OPERATE),
        "page_title": connection.name,
    }
    for each in contexts:
        context |= each
    return context


def _poll_url(connection: Connection, mark: str) -> str:
    """Where the page asks whether anything changed; empty once nothing moves by itself any more."""
    settled = connection.state in (ConnectionState.ACTIVE, ConnectionState.INACTIVE)
    return "" if settled else f"{record_url(connection, 'changed')}?seen={mark}"


def _mark(record: Record) -> str:
    """Changes with everything the live parts of the page show."""
    connection, binding, issued = record.connection, record.open, record.issued
    facts = [connection.state, connection.modified_at.isoformat()]
    if binding is not None:
        facts += [str(binding.pk), binding.state, binding.local_verdict, binding.remote_verdict]
    if issued is not None:
        facts += [str(issued.generation), str(issued.used_at), str(issued.revoked_at)]
    return hashlib.sha256("|".join(facts).encode()).hexdigest()[:16]
