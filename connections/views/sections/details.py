"""Details and Remote Vault Details."""

from __future__ import annotations

from typing import Any

from connections.constants import ConnectionState
from connections.models import Binding, Connection
from connections.selectors import certificates
from connections.selectors import connections as selectors
from connections.selectors.record import Record
from connections.services import outward
from connections.views.sections.base import Section, between_vaults
from vaultadmin.access import MemberRequest
from vaultadmin.permissions import Permission, can
from vaultadmin.together import Asking, together

STATUS_NOTE = "The record itself; messages travel once its Lifecycle State is Active."


def _details(request: MemberRequest, record: Record) -> Asking[dict[str, Any]]:
    connection = record.connection
    has_tokens = connection.is_external and "${" in connection.url
    preview = (yield from outward.previewing(connection.url, connection.vault)) if has_tokens else None
    return {
        "may_edit": can(request.member, Permission.CONNECTION_EDIT),
        "preview": preview,
        # Two fields say Active or Inactive; a record that is neither tells them apart.
        "status_note": "" if connection.state in (ConnectionState.ACTIVE, ConnectionState.INACTIVE) else STATUS_NOTE,
    }


def _remote(request: MemberRequest, record: Record) -> Asking[dict[str, Any]]:
    agreed = record.open or record.in_force
    if agreed is None:
        return {"peer_address": "", "peer_certificates": []}
    address, rows = yield from together(_of_the_peer(record.connection, agreed))
    return {"peer_address": address, "peer_certificates": rows}


def _of_the_peer(connection: Connection, agreed: Binding) -> list[Asking[Any]]:
    return [selectors.peer_address(connection), certificates.of_the_peer(agreed)]


DETAILS = Section("details", "Details", "connections/_details.html", _details)
REMOTE = Section("remote", "Remote Vault Details", "connections/_remote.html", _remote, between_vaults)
