"""What begins when a connection becomes Active, for the plan an approver signs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q

from connections.constants import RecordStatus
from connections.foresight import Effect
from connections.models import Connection


def integrations(connection: Connection) -> Iterable[Effect]:
    """The integrations that are switched on, with how many of their points are."""
    active = Count("points", filter=Q(points__status=RecordStatus.ACTIVE))
    rows: Iterable[Any] = connection.integrations.active().annotate(active_points=active)
    for row in rows:
        points = f"{row.active_points} active integration point{'' if row.active_points == 1 else 's'}"
        yield Effect("Integration", f"{row.name} ({row.api_name})", points)
