"""Audit: what happened to the record."""

from __future__ import annotations

from typing import Any

from connections.models import Connection
from connections.views.sections.base import Section
from vaultadmin import audit
from vaultadmin.access import MemberRequest

_SHOWN = 20


def _events(request: MemberRequest, connection: Connection) -> dict[str, Any]:
    return {"events": audit.history(connection)[:_SHOWN]}


AUDIT = Section("audit", "Audit", "connections/_audit.html", _events)
