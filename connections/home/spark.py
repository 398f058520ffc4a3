"""Spark messages for monitoring: what waits, what went through, what fires."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database

from connections.models.traffic import SHORT, start_of
from connections.selectors import waiting
from vaultadmin.registries import Gauge

_WAITING = "SELECT COALESCE(sum(waiting), 0) FROM connections_queuetally"
_CARRIED = """
SELECT COALESCE(sum(sent), 0), COALESCE(sum(received), 0), COALESCE(sum(failures), 0), COALESCE(sum(fatal), 0)
  FROM connections_trafficslot WHERE minutes = %(minutes)s AND starts_at > %(since)s
"""
_FIRING = "SELECT count(*) FROM connections_alert WHERE closed_at IS NULL"


def gauges(now: datetime) -> list[Gauge]:
    """What monitoring asks for, over the whole installation."""
    (number,) = _ask(_WAITING)
    oldest = waiting.oldest_due(now)
    late = max((now - oldest).total_seconds(), 0) if oldest is not None else 0
    since = start_of(now, SHORT) - timedelta(hours=1)
    sent, received, failures, fatal = _ask(_CARRIED, {"minutes": SHORT, "since": since})
    (firing,) = _ask(_FIRING)
    return [
        Gauge("spark_waiting", "Messages in queues.", number),
        Gauge("spark_oldest_due_seconds", "How long the first message that could move now has been due.", late),
        Gauge("spark_delivered_last_hour", "Copies that far ends accepted in the last hour.", sent),
        Gauge("spark_received_last_hour", "Messages accepted in the last hour.", received),
        Gauge("spark_failures_last_hour", "Attempts that failed in the last hour.", failures),
        Gauge("spark_given_up_last_hour", "Messages given up in the last hour.", fatal),
        Gauge("spark_alerts_firing", "Alerts that fire.", firing),
    ]


def _ask(question: str, values: dict[str, Any] | None = None) -> tuple[Any, ...]:
    with database.cursor() as cursor:
        cursor.execute(question, values)
        row: tuple[Any, ...] = cursor.fetchone()
    return row
