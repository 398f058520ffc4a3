"""Count what connections carry, one row a connection and UTC day (`connection_stats__sys`, veeva-core section 10.3).

What is counted are Spark messages: whoever sends and receives them calls `count_many` with the batch it settles. The
messages by which two vaults agree on a connection (connect, approve, reject, delete, new certificates) travel in the
same envelope but carry no data of either vault; they are not counted, and the record's Workflow Timeline shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime

from django.db import connection as database

from connections.models import Connection, ConnectionStats

# The connections are locked against deletion and in the order of their ids, and so are the rows counted on: writers
# that meet wait for each other and never in a circle. A connection that has gone is left out.
_ADD = """
WITH present AS (
    SELECT id FROM connections_connection WHERE id = ANY(%(ids)s) ORDER BY id FOR KEY SHARE
)
INSERT INTO connections_connectionstats AS kept
    (connection_id, date, sent, received, failures, retries, timeouts, fatal)
SELECT present.id, %(date)s, more.sent, more.received, more.failures, more.retries, more.timeouts, more.fatal
FROM present
JOIN unnest(%(ids)s, %(sent)s, %(received)s, %(failures)s, %(retries)s, %(timeouts)s, %(fatal)s)
    AS more(id, sent, received, failures, retries, timeouts, fatal) ON more.id = present.id
ORDER BY present.id
ON CONFLICT (connection_id, date) DO UPDATE SET
    sent = kept.sent + EXCLUDED.sent,
    received = kept.received + EXCLUDED.received,
    failures = kept.failures + EXCLUDED.failures,
    retries = kept.retries + EXCLUDED.retries,
    timeouts = kept.timeouts + EXCLUDED.timeouts,
    fatal = kept.fatal + EXCLUDED.fatal
"""
_COLUMNS = ("sent", "received", "failures", "retries", "timeouts", "fatal")


@dataclass(frozen=True)
class Counts:
    """What one connection carried in one piece of work.

    `sent` counts copies the far end accepted, `received` inbound messages we accepted, `failures` failed attempts of
    any kind, `retries` attempts with a number above one, `timeouts` those of the failures that ended by timeout, and
    `fatal` copies given up.
    """

    sent: int = 0
    received: int = 0
    failures: int = 0
    retries: int = 0
    timeouts: int = 0
    fatal: int = 0

    def __post_init__(self) -> None:
        if min(astuple(self)) < 0:
            raise ValueError("Counts are never taken back.")
        if self.timeouts > self.failures:
            raise ValueError("An attempt that ended by timeout is a failure too.")


def count(
    connection_id: int,
    *,
    at: datetime,
    sent: int = 0,
    received: int = 0,
    failures: int = 0,
    retries: int = 0,
    timeouts: int = 0,
    fatal: int = 0,
) -> None:
    """Add to one connection's day; the rules are those of `count_many`, what each number means is at `Counts`."""
    count_many({connection_id: Counts(sent, received, failures, retries, timeouts, fatal)}, at=at)


def count_many(counts: Mapping[int, Counts], *, at: datetime) -> None:
    """Add to the UTC day of `at` for many connections in one statement, inside the caller's transaction.

    Call it once and last in a transaction: the rows stay locked until its end, and everybody else who counts on the
    same connections waits. Whoever also locks a connection record locks it before. A connection deleted meanwhile is
    not an error; its counts are dropped with it.
    """
    filled = sorted((key, added) for key, added in counts.items() if any(astuple(added)))
    if not filled:
        return
    numbers = {name: [getattr(added, name) for _, added in filled] for name in _COLUMNS}
    with database.cursor() as cursor:
        cursor.execute(_ADD, {"ids": [key for key, _ in filled], "date": at.astimezone(UTC).date(), **numbers})


def clear(connection: Connection) -> int:
    """Delete every row of a connection whose peer has gone; returns how many days that were."""
    return ConnectionStats.objects.filter(connection=connection).delete()[0]
