"""How often something may be tried, decided by one SQL statement, so that every process counts the same.

The window slides: at most `limit` attempts in any stretch of `within`. Redis and the caches have no part in it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from vaultadmin.models import AttemptWindow

# The row is locked by the upsert itself, so two attempts at once cannot both take the last place.
_TAKE = """
INSERT INTO vaultadmin_attemptwindow AS held (key, stamps) VALUES (%(key)s, ARRAY[%(now)s]::timestamptz[])
ON CONFLICT (key) DO UPDATE
SET stamps = ARRAY(SELECT stamp FROM unnest(held.stamps) AS stamp WHERE stamp > %(since)s) || %(now)s::timestamptz
WHERE (SELECT count(*) FROM unnest(held.stamps) AS stamp WHERE stamp > %(since)s) < %(limit)s
RETURNING key
"""
_GIVE_BACK = (
    "UPDATE vaultadmin_attemptwindow SET stamps = array_remove(stamps, %(at)s::timestamptz) WHERE key = %(key)s"
)
_LONGEST_WINDOW = timedelta(days=1)


@dataclass(frozen=True)
class Attempt:
    """A place that was taken; handed back when the attempt turned out to be right."""

    key: str
    at: datetime


def take(key: str, *, limit: int, within: timedelta, now: datetime) -> Attempt | None:
    """Take one of `limit` places, or None when all are taken."""
    values: dict[str, Any] = {"key": key, "now": now, "since": now - within, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        return Attempt(key, now) if cursor.fetchone() else None


def give_back(attempt: Attempt) -> None:
    """A right password is no failed attempt: free its place."""
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, {"key": attempt.key, "at": attempt.at})


def forget_old(*, now: datetime) -> int:
    """Drop windows nothing happened in for a day; returns how many."""
    return AttemptWindow.objects.exclude(stamps__0__gt=now - _LONGEST_WINDOW).delete()[0]


def address_key(address: str) -> str:
    """One caller: an IPv4 address, or the /64 an IPv6 caller can choose freely from."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
