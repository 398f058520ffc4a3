"""Alerts: the rules that watch this connection, and what fires."""

from __future__ import annotations

from typing import Any

from connections.selectors.record import Record
from connections.views import alerts
from connections.views.sections.base import Section
from vaultadmin.access import MemberRequest
from vaultadmin.together import Asking


def _alerts(request: MemberRequest, record: Record) -> Asking[dict[str, Any]]:
    return {"alerts": (yield from alerts.about_connection(request, record.connection))}


ALERTS = Section("alerts", "Alerts", "connections/_alerts.html", _alerts)
