"""Details and Remote Vault Details."""

from __future__ import annotations

from typing import Any

from connections.constants import ConnectionState
from connections.models import Connection
from connections.selectors import certificates
from connections.selectors import connections as selectors
from connections.services import editing, outward
from connections.views.sections.base import Section, between_vaults
from vaultadmin.access import MemberRequest
from vaultadmin.permissions import Permission, can

STATUS_NOTE = "The record itself; messages travel once its Lifecycle State is Active."


def _details(request: MemberRequest, connection: Connection) -> dict[str, Any]:
    has_tokens = connection.is_external and "${" in connection.url
    return {
        "may_edit": can(request.member, Permission.CONNECTION_EDIT),
        "preview": outward.preview(connection.url, connection.vault) if has_tokens else None,
        # Two fields say Active or Inactive; a record that is neither tells them apart.
        "status_note": "" if connection.state in (ConnectionState.ACTIVE, ConnectionState.INACTIVE) else STATUS_NOTE,
    }


def _remote(request: MemberRequest, connection: Connection) -> dict[str, Any]:
    return {
        "may_change_remote_vault_id": editing.may_change_remote_vault_id(connection),
        "peer_address": selectors.peer_address(connection),
        "peer_certificates": certificates.of_the_peer(connection),
    }


DETAILS = Section("details", "Details", "connections/_details.html", _details)
REMOTE = Section("remote", "Remote Vault Details", "connections/_remote.html", _remote, between_vaults)
