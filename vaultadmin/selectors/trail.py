"""Search in the audit trail: by person, event, record and day, and the rows as a download writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.dateparse import parse_date

from vaultadmin.models import AuditEvent

FILTERS = {"event": "event__regex", "actor": "actor__icontains", "subject": "subject_label__icontains"}
DAYS = ("from", "to")
MOST_EXPORTED = 100_000
COLUMNS = [
    "sequence",
    "at",
    "actor",
    "event",
    "subject_type",
    "subject_id",
    "subject_label",
    "field",
    "before",
    "after",
    "reason",
    "source_ip",
    "request_id",
]
_LONGEST = 100


def asked(query: Mapping[str, Any]) -> dict[str, str]:
    """What a page was asked for, keyed by filter; what cannot be meant is left out."""
    found = {name: str(query.get(name, "")).strip().replace("\x00", "")[:_LONGEST] for name in FILTERS}
    return found | {name: _day_text(str(query.get(name, ""))) for name in DAYS}


def matching(rows: QuerySet[AuditEvent], values: Mapping[str, str]) -> QuerySet[AuditEvent]:
    """The rows that fit; days are UTC days, both included."""
    for name, lookup in FILTERS.items():
        if value := values.get(name):
            rows = rows.filter(**{lookup: _event_pattern(value) if name == "event" else value})
    if value := values.get("from"):
        rows = rows.filter(at__gte=_begin(value))
    if value := values.get("to"):
        rows = rows.filter(at__lt=_begin(value) + timedelta(days=1))
    return rows


def chips(values: Mapping[str, str]) -> list[tuple[str, str]]:
    """The filters in force as (name, words)."""
    words = {"event": "What", "actor": "Who", "subject": "Record", "from": "From", "to": "Until"}
    return [(name, f"{words[name]}: {value}") for name, value in values.items() if value]


def lines(rows: QuerySet[AuditEvent]) -> Iterator[list[str]]:
    """One line for each changed field, one for a row that changed none; columns as COLUMNS."""
    for row in rows.order_by("-sequence")[:MOST_EXPORTED].iterator(chunk_size=2000):
        head = [
            str(row.sequence),
            row.at.isoformat(),
            row.actor,
            row.event,
            row.subject_type,
            row.subject_id,
            row.subject_label,
        ]
        tail = [row.reason, row.source_ip, row.request_id]
        for name, (before, after) in row.changes.items() or [("", (None, None))]:
            yield [*head, name, _text(before), _text(after), *tail]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _event_pattern(words: str) -> str:
    """What people read as "Connection file used" is stored as connection_file.used; a beginning is enough."""
    return "^" + "[._]".join(re.escape(word) for word in re.split(r"[ ._]+", words.lower()))


def _day_text(text: str) -> str:
    try:
        day = parse_date(text.strip()[:10])
    except ValueError:
        return ""
    return day.isoformat() if day is not None and 1900 < day.year < 9999 else ""


def _begin(text: str) -> datetime:
    return datetime.combine(datetime.fromisoformat(text), time.min, tzinfo=UTC)
