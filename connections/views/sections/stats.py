"""Connection Stats: what the connection carried per day, as a sentence, a chart and a table."""

from __future__ import annotations

from typing import Any

from connections.models import ConnectionStats
from connections.selectors import stats
from connections.selectors.record import Record
from connections.selectors.stats import COUNTERS, Period
from connections.views.common import record_url
from connections.views.sections.base import Section
from vaultadmin import clock
from vaultadmin.access import MemberRequest
from vaultadmin.query import replaced_query
from vaultadmin.together import Asking

PERIODS = (7, 30, 90)
_DEFAULT = 30
# What travelled and what went wrong differ by orders of magnitude, so each has a panel of its own.
_PANELS = {"sent": "Messages", "received": "Messages"}
_TROUBLE = "Trouble"


def asked_days(request: MemberRequest) -> int:
    """The period of the address; thirty days for anything that is none of the choices."""
    asked = request.GET.get("days", "")
    return int(asked) if asked in map(str, PERIODS) else _DEFAULT


def _stats(request: MemberRequest, record: Record) -> Asking[dict[str, Any]]:
    number = asked_days(request)
    connection = record.connection
    period = yield from stats.last_days(connection, today=clock.now().date(), number=number)
    labels = {name: str(getattr(ConnectionStats._meta.get_field(name), "verbose_name", name)) for name in COUNTERS}
    shown = {
        "number": number,
        "choices": [{"number": days, "url": replaced_query(request, days=str(days))} for days in PERIODS],
        "csv_url": f"{record_url(connection, 'stats-csv')}?days={number}",
        "period": period,
        "columns": [{"label": labels[name], "panel": _PANELS.get(name, _TROUBLE)} for name in COUNTERS],
        "rows": [_row(day, labels) for day in reversed(period.days)],
        "totals": [{"label": labels[name], "value": f"{period.totals[name]:,}"} for name in COUNTERS],
        "text": _sentence(period, number),
        "chart_label": f"Messages and trouble per day over the last {number} days",
        "empty_title": f"No message in the last {number} days",
        "empty_text": "Counting begins with the first Spark message: attach this connection to a queue to send some.",
    }
    return {"stats": shown}


def _row(day: ConnectionStats, labels: dict[str, str]) -> dict[str, Any]:
    cells = [{"label": labels[name], "value": getattr(day, name)} for name in COUNTERS]
    return {"day": day.date.isoformat(), "cells": cells}


def _sentence(period: Period, number: int) -> str:
    """What the chart shows, in words."""
    if period.is_empty:
        return ""
    totals, busiest, worst = period.totals, period.busiest, period.worst
    text = (
        f"In the last {number} days {totals['sent']:,} messages were sent and {totals['received']:,} received, "
        f"most on {busiest.date:%Y-%m-%d} ({busiest.sent + busiest.received:,})."
    )
    if worst is None:
        return f"{text} No attempt failed."
    given_up = f"{totals['fatal']:,} given up" if totals["fatal"] else "none given up"
    return (
        f"{text} {totals['failures']:,} attempts failed, {totals['timeouts']:,} of them by timeout, most on "
        f"{worst.date:%Y-%m-%d} ({worst.failures:,}); {given_up}."
    )


STATS = Section("stats", "Connection Stats", "connections/_stats.html", _stats)
