"""Connection Stats to take away."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from connections.constants import CONNECTION_STATS_API_NAMES
from connections.selectors import stats
from connections.selectors.stats import COUNTERS
from connections.views.common import record_or_404
from connections.views.sections.stats import asked_days
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.exports import csv_response
from vaultadmin.permissions import Permission
from vaultadmin.together import answer


@require_safe
@requires(Permission.CONNECTION_READ)
def download(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponseBase:
    """The days of the shown period, oldest first, under the API names of their fields."""
    connection = record_or_404(request, api_name)
    today, number = clock.now().date(), asked_days(request)
    days = answer(stats.last_days(connection, today=today, number=number)).days
    columns = [CONNECTION_STATS_API_NAMES[name] for name in ("connection", "date", *COUNTERS)]
    lines = [
        [connection.api_name, day.date.isoformat(), *(str(getattr(day, name)) for name in COUNTERS)] for day in days
    ]
    return csv_response(f"{connection.api_name} stats {today.isoformat()}.csv", columns, lines)
