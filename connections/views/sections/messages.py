"""Messages: how many wait for this connection, and where all that travelled through it are listed."""

from __future__ import annotations

from typing import Any

from connections.models import Connection
from connections.selectors import messages, queues
from connections.views.messages.common import filtered_url, message_url
from connections.views.sections.base import Section
from vaultadmin.access import MemberRequest
from vaultadmin.permissions import can_any

_SHOWN = 5


def _messages(request: MemberRequest, connection: Connection) -> dict[str, Any]:
    if not can_any(request.member, messages.READERS):
        return {"messages_waiting": None}
    return {
        "newest_messages": [
            (row, message_url(row)) for row in messages.newest_of(request.member, connection, number=_SHOWN)
        ],
        "messages_waiting": queues.waiting_through(request.member, connection),
        "outgoing_url": filtered_url(request.member, connection=connection.api_name),
        "incoming_url": filtered_url(request.member, direction=messages.IN, connection=connection.api_name),
    }


MESSAGES = Section("messages", "Messages", "connections/_messages.html", _messages)
