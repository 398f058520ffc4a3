"""Audit: what happened to the record."""

from __future__ import annotations

from typing import Any

from connections.selectors.record import Record
from connections.views.sections.base import Section
from vaultadmin import audit
from vaultadmin.access import MemberRequest
from vaultadmin.together import Asking

_SHOWN = 20


def _events(request: MemberRequest, record: Record) -> Asking[dict[str, Any]]:
    (events,) = yield (audit.history(record.connection)[:_SHOWN],)
    return {"events": events}


AUDIT = Section("audit", "Audit", "connections/_audit.html", _events)
