"""Integrations: what the connection is used for, each switched on or off."""

from __future__ import annotations

from typing import Any

from connections.models import Connection
from connections.selectors import integrations as selectors
from connections.services import integrations
from connections.views.sections.base import Section
from vaultadmin.access import MemberRequest
from vaultadmin.permissions import Permission, can


def _integrations(request: MemberRequest, connection: Connection) -> dict[str, Any]:
    refusal = integrations.refusal(connection)
    return {
        "integrations": [] if refusal else list(selectors.of_connection(connection)),
        "integrations_refusal": refusal,
        "may_manage": can(request.member, Permission.MANAGE_CONNECTIONS),
    }


INTEGRATIONS = Section("integrations", "Integrations", "connections/_integrations.html", _integrations)
