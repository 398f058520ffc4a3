"""The queue log: written in the transaction of what it tells, read by the day, kept for thirty of them (5.4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.db import connection as database
from django.db import transaction

from connections.constants import RECORD_ID_PREFIX
from connections.models import EntryType, Queue, QueueLogEntry, QueueTrace
from connections.services.refusals import Refused
from connections.spark.envelope import write_instant
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure

KEPT: Final = timedelta(days=30)
TRACE: Final = timedelta(minutes=20)
COLUMNS: Final = (
    "TimeStamp",
    "VaultId",
    "QueueName",
    "ConnectionName",
    "MessageId",
    "EntryType",
    "QueueTime",
    "SendTime",
    "AttemptNumber",
    "HttpStatus",
    "Error",
    "Body",
)
MASKED: Final = "(masked)"
_FORGET_AT_ONCE: Final = 5_000

# One statement for a whole batch; the newest attempt of each copy tells what happened.
_WRITE = """
INSERT INTO connections_queuelogentry (vault_id, at, queue_name, connection_record, message_id, entry_type, queue_time,
                                       send_time, attempt, http_status, error, content_id)
SELECT c.vault_id, %(now)s, q.name,
       CASE WHEN c.connection_id IS NULL THEN '' ELSE %(prefix)s || lpad(c.connection_id::text, 12, '0') END,
       c.message_id, %(type)s, c.entered_at, a.started_at, c.attempts, a.status,
       COALESCE(NULLIF(%(why)s, ''), a.error, ''), c.content_id
  FROM connections_messagecopy c
  JOIN connections_queue q ON q.id = c.queue_id
  LEFT JOIN LATERAL (
       SELECT t.started_at, t.status, t.error FROM connections_deliveryattempt t
        WHERE t.copy_id = c.id ORDER BY t.number DESC LIMIT 1
  ) a ON TRUE
 WHERE c.id = ANY(%(copies)s)
 ORDER BY c.id
"""


_WRITE_INCOMING = """
INSERT INTO connections_queuelogentry (vault_id, at, queue_name, connection_record, message_id, entry_type, queue_time,
                                       attempt, error)
SELECT m.vault_id, %(now)s, q.name,
       CASE WHEN m.connection_id IS NULL THEN '' ELSE %(prefix)s || lpad(m.connection_id::text, 12, '0') END,
       m.message_id, 'REMOVAL', m.received_at, m.attempts, COALESCE(NULLIF(%(why)s, ''), m.last_error)
  FROM connections_incomingmessage m
  JOIN connections_queue q ON q.id = m.queue_id
 WHERE m.id = ANY(%(messages)s)
 ORDER BY m.id
"""


def write_incoming(messages: Sequence[int], *, now: datetime, why: str = "") -> None:
    """A removal for each message that left an inbound queue unprocessed, by id, inside the caller's transaction."""
    if messages:
        values: dict[str, Any] = {
            "now": now,
            "prefix": RECORD_ID_PREFIX,
            "why": why[:255],
            "messages": list(messages),
        }
        with database.cursor() as cursor:
            cursor.execute(_WRITE_INCOMING, values)


def write(copies: Sequence[int], *, entry_type: EntryType, now: datetime, why: str = "") -> None:
    """A line for each copy, by id, inside the caller's transaction; `why` stands in place of the last error."""
    if not copies:
        return
    values: dict[str, Any] = {
        "now": now,
        "prefix": RECORD_ID_PREFIX,
        "type": entry_type.value,
        "why": why[:255],
        "copies": list(copies),
    }
    with database.cursor() as cursor:
        cursor.execute(_WRITE, values)


def may_trace(queue: Queue) -> str:
    """Why the deliveries of a queue cannot be traced, in one sentence; empty when they can."""
    return "" if queue.is_outbound else "Only an Outbound queue delivers messages; there is nothing to trace here."


def trace(*, queue: Queue, by: Membership, now: datetime) -> QueueTrace:
    """*Trace Queue Delivery*: twenty minutes from now every attempt is written down; it ends by itself."""
    ensure(by, Permission.MESSAGES_OPERATE, Permission.SPARK_QUEUES)
    if refusal := may_trace(queue):
        raise Refused(refusal, field="queue")
    with transaction.atomic():
        values = {"started_by": str(by), "started_at": now, "ends_at": now + TRACE}
        made, _new = QueueTrace.objects.update_or_create(queue=queue, defaults=values)
        changes: audit.Changes = {"trace ends": (None, made.ends_at)}
        audit.record(vault=by.vault, by=by, event="queue.trace_started", subject=queue, changes=changes)
    return made


def lines(member: Membership, day: date, *, bodies: bool = False) -> Iterator[list[str]]:
    """The file of one day (UTC), oldest first; bodies only for whoever proved who they are for it."""
    begin = datetime.combine(day, time.min, tzinfo=UTC)
    rows = QueueLogEntry.objects.visible_to(member).filter(at__gte=begin, at__lt=begin + timedelta(days=1))
    if bodies:
        rows = rows.select_related("content")
    for row in rows.order_by("at", "pk").iterator(chunk_size=1000):
        yield [
            _instant(row.at),
            str(row.vault_id),
            row.queue_name,
            row.connection_record,
            str(row.message_id),
            row.entry_type,
            write_instant(row.queue_time),
            write_instant(row.send_time) if row.send_time else "",
            str(row.attempt),
            str(row.http_status or ""),
            row.error,
            _body(row) if bodies else MASKED,
        ]


def note_download(*, day: date, bodies: bool, by: Membership) -> None:
    """Who took away which day, and whether with what the messages hold."""
    ensure(by, Permission.QUEUE_LOG, Permission.MESSAGES_OPERATE)
    with transaction.atomic():
        changes: audit.Changes = {"day": (None, day), "with bodies": (None, bodies)}
        audit.record(vault=by.vault, by=by, event="queue_log.downloaded", subject=by.vault, changes=changes)


def forget(*, now: datetime) -> int:
    """Remove what is older than thirty days, a bounded number of rows a statement; returns how many."""
    removed = 0
    while True:
        old = QueueLogEntry.objects.filter(at__lt=now - KEPT).order_by("pk").values("pk")[:_FORGET_AT_ONCE]
        number, _kinds = QueueLogEntry.objects.filter(pk__in=old).delete()
        removed += number
        if number < _FORGET_AT_ONCE:
            return removed


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _body(row: QueueLogEntry) -> str:
    return row.content.payload if row.content is not None else ""
