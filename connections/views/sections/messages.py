"""Messages: how many wait for this connection, and where all that travelled through it are listed."""

from __future__ import annotations

from typing import Any

from connections.selectors import messages, queues
from connections.selectors.record import Record
from connections.views.messages.common import filtered_url, message_url
from connections.views.sections.base import Section
from vaultadmin.access import MemberRequest
from vaultadmin.permissions import can_any
from vaultadmin.together import Asking, rows_of, together

_SHOWN = 5


def _messages(request: MemberRequest, record: Record) -> Asking[dict[str, Any]]:
    if not can_any(request.member, messages.READERS):
        return {"messages_waiting": None}
    connection = record.connection
    asked: list[Asking[Any]] = [
        rows_of(messages.newest_of(request.member, connection, number=_SHOWN)),
        queues.waiting_through(request.member, connection),
    ]
    newest, waiting = yield from together(asked)
    return {
        "newest_messages": [(row, message_url(row)) for row in newest],
        "messages_waiting": waiting,
        "outgoing_url": filtered_url(request.member, connection=connection.api_name),
        "incoming_url": filtered_url(request.member, direction=messages.IN, connection=connection.api_name),
    }


MESSAGES = Section("messages", "Messages", "connections/_messages.html", _messages)
