"""Connection Client: the approved Client IDs."""

from __future__ import annotations

from typing import Any

from connections.selectors.record import Record
from connections.views.sections.base import Section
from vaultadmin.access import MemberRequest
from vaultadmin.models import VaultSettings
from vaultadmin.permissions import Permission, can
from vaultadmin.together import Asking


def _clients(request: MemberRequest, record: Record) -> Asking[dict[str, Any]]:
    (clients,) = yield (record.connection.clients.all(),)
    return {
        "clients": clients,
        "may_edit_clients": can(request.member, Permission.CONNECTION_EDIT),
        "client_id_filtering": VaultSettings.of(record.connection.vault).client_id_filtering,
    }


CLIENTS = Section("clients", "Connection Client", "connections/_clients.html", _clients)
