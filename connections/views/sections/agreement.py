"""Workflow Timeline and Connection file: how a connection is agreed on."""

from __future__ import annotations

from typing import Any

from connections.models import Connection
from connections.selectors import connections as selectors
from connections.selectors import timeline
from connections.views.sections.base import Section, between_vaults
from vaultadmin import clock
from vaultadmin.access import MemberRequest


def _workflow(request: MemberRequest, connection: Connection) -> dict[str, Any]:
    if not connection.is_vault_to_vault:
        return {"timeline": [], "words_shown": False}
    binding = selectors.open_binding(connection)
    shown = binding is not None and binding.needs_approval
    return {"timeline": timeline.events(connection), "words_shown": shown}


def _file(request: MemberRequest, connection: Connection) -> dict[str, Any]:
    issued = selectors.newest_file(connection)
    return {"issued": issued, "issued_open": issued is not None and issued.is_open(clock.now())}


WORKFLOW = Section("workflow", "Workflow Timeline", "connections/_workflow.html", _workflow)
FILE = Section("file", "Connection file", "connections/_file.html", _file, between_vaults)
