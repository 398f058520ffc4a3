"""Integrations: what the connection is used for, each switched on or off."""

from __future__ import annotations

from typing import Any

from connections.selectors import integrations as selectors
from connections.selectors.record import Record
from connections.services import integrations
from connections.views.sections.base import Section
from vaultadmin.access import MemberRequest
from vaultadmin.permissions import Permission, can
from vaultadmin.together import Asking, rows_of


def _integrations(request: MemberRequest, record: Record) -> Asking[dict[str, Any]]:
    refusal = integrations.refusal(record.connection)
    rows = [] if refusal else (yield from rows_of(selectors.of_connection(record.connection)))
    return {
        "integrations": rows,
        "integrations_refusal": refusal,
        "may_manage": can(request.member, Permission.MANAGE_CONNECTIONS),
    }


INTEGRATIONS = Section("integrations", "Integrations", "connections/_integrations.html", _integrations)
