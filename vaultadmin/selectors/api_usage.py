"""The API usage log as pages and downloads read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection
from django.db.models import QuerySet

from vaultadmin.models import ApiUsage, Membership, Vault

STATUSES = ("SUCCESS", "WARNING", "FAILURE", "EXCEPTION")
# As Vault's own log names them; we run no SDK code, so its four columns stay empty.
COLUMNS = (
    "timestamp",
    "session_id",
    "user_id",
    "username",
    "http_method",
    "endpoint",
    "http_response_status",
    "api_version",
    "api_response_status",
    "api_response_error_type",
    "execution_id",
    "client_id",
    "client_ip",
    "burst_limit_remaining",
    "duration",
    "response_delay",
    "sdk_count",
    "sdk_cpu_time",
    "sdk_elasped_time",
    "sdk_gross_memory",
    "connection",
    "api_resource",
    "api_response_warning_type",
    "api_response_warning_message",
    "api_response_error_message",
    "reference_id",
)
_MOST_SEEN = 100
# Jumps from one client id to the next in the index, whatever the number of calls between them.
_SEEN = """
WITH RECURSIVE ids(client_id) AS (
    (SELECT min(client_id) FROM vaultadmin_apiusage WHERE vault_id = %(vault)s)
    UNION ALL
    SELECT (SELECT min(client_id) FROM vaultadmin_apiusage WHERE vault_id = %(vault)s AND client_id > ids.client_id)
    FROM ids WHERE ids.client_id IS NOT NULL
)
SELECT ids.client_id, last.at, last.username
FROM ids CROSS JOIN LATERAL (
    SELECT at, username FROM vaultadmin_apiusage
    WHERE vault_id = %(vault)s AND client_id = ids.client_id ORDER BY id DESC LIMIT 1
) AS last
WHERE ids.client_id IS NOT NULL
LIMIT %(most)s
"""


@dataclass(frozen=True)
class SeenClient:
    """A Client ID that called lately: when last, and who."""

    client_id: str
    last_at: datetime
    username: str


def rows(member: Membership, asked: Mapping[str, str]) -> QuerySet[ApiUsage]:
    """The log of the member's vault by day, user, Client ID, connection and status; empty values ask for all."""
    found = ApiUsage.objects.visible_to(member)
    if day := read_day(asked.get("date", "")):
        found = found.filter(**_within(day))
    if user := _plain(asked.get("user", "")):
        found = found.filter(username__icontains=user)
    if client_id := _plain(asked.get("client_id", "")):
        found = found.filter(client_id=client_id)
    if name := _plain(asked.get("connection", "")):
        found = found.filter(connection=name)
    if asked.get("status", "") in STATUSES:
        found = found.filter(api_response_status=asked["status"])
    return found


def of_day(vault: Vault, day: date) -> QuerySet[ApiUsage]:
    """One day of a vault's log, oldest first."""
    return ApiUsage.objects.filter(vault=vault, **_within(day)).order_by("pk")


def lines(found: QuerySet[ApiUsage]) -> Iterator[list[str]]:
    """Rows of the log as `COLUMNS` says."""
    for row in found.iterator(chunk_size=2000):
        yield _line(row)


def seen_clients(vault: Vault) -> list[SeenClient]:
    """The Client IDs of the calls the log still holds, at most a hundred, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, {"vault": vault.pk, "most": _MOST_SEEN})
        return [SeenClient(*found) for found in cursor.fetchall()]


def read_day(text: str) -> date | None:
    """A day written YYYY-MM-DD; None for anything else."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date() if len(text) == len("2026-01-31") else None
    except ValueError:
        return None
    # Its end must be a day, too.
    return day if day is None or day < date.max else None


def _within(day: date) -> dict[str, datetime]:
    begin = datetime.combine(day, time(), UTC)
    return {"at__gte": begin, "at__lt": begin + timedelta(days=1)}


def _plain(text: str) -> str:
    return text.strip().replace("\x00", "")[:255]


def _line(row: ApiUsage) -> list[str]:
    special = {"timestamp": row.at.isoformat().replace("+00:00", "Z")}
    return [special.get(name) or _cell(getattr(row, name, None)) for name in COLUMNS]


def _cell(value: object) -> str:
    return "" if value is None else str(value)
