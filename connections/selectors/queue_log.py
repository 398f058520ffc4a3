"""Questions of the page of queue logs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.db import connection
from django.db.models import QuerySet

from connections.models import QueueTrace
from connections.models.queue_log import may_read
from vaultadmin.models import Membership

# One look into the index a day, never a count.
_DAYS = """
SELECT day::date
  FROM generate_series(%(first)s::timestamptz, %(last)s::timestamptz, interval '1 day') day
 WHERE EXISTS (SELECT 1 FROM connections_queuelogentry e
                WHERE e.vault_id = %(vault)s AND e.at >= day AND e.at < day + interval '1 day')
 ORDER BY day DESC
"""


def days(member: Membership, *, now: datetime, kept: timedelta) -> list[date]:
    """The days (UTC) there is a file of, newest first."""
    if not may_read(member):
        return []
    last = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, {"vault": member.vault_id, "first": last - timedelta(days=kept.days), "last": last})
        return [day for (day,) in cursor.fetchall()]


def traces(member: Membership, *, now: datetime) -> QuerySet[QueueTrace]:
    """Queues whose deliveries are traced now."""
    rows: QuerySet[QueueTrace] = QueueTrace.objects.filter(queue__vault=member.vault_id, ends_at__gt=now)
    return rows.select_related("queue").order_by("ends_at")
