"""Traffic now: what waits, how long messages take, and the day so far."""

from __future__ import annotations

from typing import Any

from connections.selectors.record import Record
from connections.views import flow
from connections.views.sections.base import Section
from vaultadmin.access import MemberRequest
from vaultadmin.together import Asking


def _flow(request: MemberRequest, record: Record) -> Asking[dict[str, Any]]:
    return {"flow": (yield from flow.about_connection(record.connection))}


FLOW = Section("flow", "Traffic now", "connections/_flow.html", _flow)
