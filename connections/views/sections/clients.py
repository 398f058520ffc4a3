"""Connection Client: the approved Client IDs."""

from __future__ import annotations

from typing import Any

from connections.models import Connection
from connections.views.sections.base import Section
from vaultadmin.access import MemberRequest
from vaultadmin.models import VaultSettings
from vaultadmin.permissions import Permission, can


def _clients(request: MemberRequest, connection: Connection) -> dict[str, Any]:
    return {
        "clients": connection.clients.all(),
        "may_edit_clients": can(request.member, Permission.CONNECTION_EDIT),
        "client_id_filtering": VaultSettings.of(request.member.vault).client_id_filtering,
    }


CLIENTS = Section("clients", "Connection Client", "connections/_clients.html", _clients)
