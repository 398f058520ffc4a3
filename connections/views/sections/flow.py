"""Traffic now: what waits, how long messages take, and the day so far."""

from __future__ import annotations

from typing import Any

from connections.models import Connection
from connections.views import flow
from connections.views.sections.base import Section
from vaultadmin.access import MemberRequest


def _flow(request: MemberRequest, connection: Connection) -> dict[str, Any]:
    return {"flow": flow.about_connection(connection)}


FLOW = Section("flow", "Traffic now", "connections/_flow.html", _flow)
