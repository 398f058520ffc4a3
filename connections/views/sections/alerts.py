"""Alerts: the rules that watch this connection, and what fires."""

from __future__ import annotations

from typing import Any

from connections.models import Connection
from connections.views import alerts
from connections.views.sections.base import Section
from vaultadmin.access import MemberRequest


def _alerts(request: MemberRequest, connection: Connection) -> dict[str, Any]:
    return {"alerts": alerts.about_connection(request, connection)}


ALERTS = Section("alerts", "Alerts", "connections/_alerts.html", _alerts)
