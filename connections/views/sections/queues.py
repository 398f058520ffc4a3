"""Queues: which of them name this connection, and how they fare through it."""

from __future__ import annotations

from typing import Any

from connections.selectors import queues as selectors
from connections.selectors.record import Record
from connections.services.messages.queues import VIEWERS
from connections.views.sections.base import Section
from vaultadmin.access import MemberRequest
from vaultadmin.permissions import can_any
from vaultadmin.together import Asking, rows_of


def _queues(request: MemberRequest, record: Record) -> Asking[dict[str, Any]]:
    may_see = can_any(request.member, VIEWERS)
    links = (yield from rows_of(selectors.using(request.member, record.connection))) if may_see else []
    return {
        "queue_links": [(link, selectors.outcome(link)) for link in links],
        "may_see_queues": may_see,
    }


QUEUES = Section("queues", "Queues", "connections/_queues.html", _queues)
