"""Questions of the page of queue logs."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from django.db.models import QuerySet

from connections.models import QueueLogEntry, QueueTrace
from vaultadmin.models import Membership


def days(member: Membership, *, now: datetime, kept: timedelta) -> list[date]:
    """The days (UTC) there is a file of, newest first: one look into the index a day, never a count."""
    today = now.astimezone(UTC).date()
    wanted = [today - timedelta(days=ago) for ago in range(kept.days + 1)]
    return [day for day in wanted if _has_lines(member, day)]


def traces(member: Membership, *, now: datetime) -> QuerySet[QueueTrace]:
    """Queues whose deliveries are traced now."""
    rows: QuerySet[QueueTrace] = QueueTrace.objects.filter(queue__vault=member.vault_id, ends_at__gt=now)
    return rows.select_related("queue").order_by("ends_at")


def _has_lines(member: Membership, day: date) -> bool:
    begin = datetime.combine(day, time.min, tzinfo=UTC)
    rows = QueueLogEntry.objects.visible_to(member)
    return bool(rows.filter(at__gte=begin, at__lt=begin + timedelta(days=1)).exists())
