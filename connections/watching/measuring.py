"""What an alert rule finds now, from counters and the oldest message of a lane; no message is counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database

from connections.constants import AlertKind
from connections.models import AlertRule
from connections.models.traffic import LONG, SHORT, start_of
from connections.selectors import traffic
from vaultadmin.together import answer, rows_of

# So few failures say nothing about a rate.
FEWEST = 3

_PLACE = """
  FROM connections_trafficslot s JOIN connections_queueconnection k ON k.id = s.link_id
 WHERE (%(queue)s::bigint IS NULL OR k.queue_id = %(queue)s)
   AND (%(connection)s::bigint IS NULL OR k.connection_id = %(connection)s)
   AND s.minutes = %(minutes)s AND s.starts_at > %(since)s
"""
# What got through is what has a wait: copies delivered, messages processed.
_RATE = f"""
SELECT COALESCE(sum(s.failures), 0), COALESCE(sum((SELECT sum(one) FROM unnest(s.waits) AS one)), 0) {_PLACE}
"""  # nosec B608 - joined from constants
_LAST = f"SELECT max(s.last_at) {_PLACE}"


@dataclass(frozen=True)
class Finding:
    """Is it too much, and what was found, in one sentence."""

    is_on: bool
    reason: str = ""


QUIET = Finding(False)


def measure(rule: AlertRule, *, now: datetime) -> Finding:
    """What the rule finds now."""
    finders = {AlertKind.FAILURES: _failures, AlertKind.BACKLOG: _backlog, AlertKind.SILENCE: _silence}
    return finders[AlertKind(rule.kind)](rule, now)


def _failures(rule: AlertRule, now: datetime) -> Finding:
    window, threshold = rule.window or 0, rule.threshold or 0
    # Spans that began within the window: the oldest may reach back a little further, never less far.
    since = start_of(now, SHORT) - timedelta(minutes=window)
    failed, through = _ask(_RATE, rule, minutes=SHORT, since=since)
    if failed < FEWEST or 100 * failed < threshold * (failed + through):
        return QUIET
    share = round(100 * failed / (failed + through))
    return Finding(
        True,
        f"{failed:,} of {failed + through:,} attempts failed in the last {length(window)}: {share} %, and the rule "
        f"fires from {threshold} % on.",
    )


def _backlog(rule: AlertRule, now: datetime) -> Finding:
    watched = {"queue": rule.queue_id, "connection": rule.connection_id}
    place = {name: number for name, number in watched.items() if number is not None}
    lanes = answer(rows_of(traffic.lanes(vault=rule.vault_id, **place)))
    oldest = min((lane.oldest_at for lane in map(traffic.lane_of, lanes) if lane.oldest_at is not None), default=None)
    allowed = rule.threshold or 0
    if oldest is None or now - oldest < timedelta(minutes=allowed):
        return QUIET
    waited = int((now - oldest).total_seconds() // 60)
    return Finding(
        True,
        f"The oldest message has waited for {length(waited)}, since {_exact(oldest)}; the rule fires from "
        f"{length(allowed)} on.",
    )


def _silence(rule: AlertRule, now: datetime) -> Finding:
    window = rule.window or 0
    (last,) = _ask(_LAST, rule, minutes=LONG, since=start_of(now, LONG) - timedelta(minutes=window + LONG))
    since = max(moment for moment in (last, rule.watched_since) if moment is not None)
    if now - since < timedelta(minutes=window):
        return QUIET
    told = f"the last one did on {_exact(last)}" if last else f"none has since {_exact(rule.watched_since)}"
    return Finding(True, f"No message went through for {length(window)}; {told}.")


def _ask(question: str, rule: AlertRule, *, minutes: int, since: datetime) -> tuple[Any, ...]:
    values: dict[str, Any] = {
        "queue": rule.queue_id,
        "connection": rule.connection_id,
        "minutes": minutes,
        "since": since,
    }
    with database.cursor() as cursor:
        cursor.execute(question, values)
        row: tuple[Any, ...] = cursor.fetchone()
    return row


def length(minutes: int) -> str:
    """Minutes as people say them."""
    for unit, size in (("day", 1440), ("hour", 60)):
        if minutes >= 2 * size and minutes % size == 0:
            return f"{minutes // size} {unit}s"
    return "1 minute" if minutes == 1 else f"{minutes:,} minutes"


def _exact(moment: datetime) -> str:
    return f"{moment:%d %b %Y %H:%M} UTC"
