"""When nothing may leave through a lane, and for how long: that time does not count into a retry window (6.5)."""

from __future__ import annotations

from datetime import datetime

from django.db import connection as database

from connections.models import Connection, Queue

# What lets a lane move: both switches, its link, an Active connection, and nobody who holds it. `held` stands for an
# installation that does not know yet whether it is a copy. Only lanes that stop or go on are locked: whoever sends asks
# this all the time, and hardly ever anything changed.
_NOTE = """
WITH found AS (
    SELECT k.id,
           q.delivery_enabled AND k.is_active AND c.state = 'active_state__sys' AND NOT %(held)s
           AND NOT EXISTS (SELECT 1 FROM connections_hold h
                            WHERE h.released_at IS NULL
                              AND (h.connection_id IS NULL
                                   OR (h.connection_id = c.id AND (h.queue_id IS NULL OR h.queue_id = q.id)))
           ) AS moves
      FROM connections_queueconnection k
      JOIN connections_queue q ON q.id = k.queue_id
      JOIN connections_connection c ON c.id = k.connection_id
     WHERE (%(queue)s::bigint IS NULL OR q.id = %(queue)s)
       AND (%(connection)s::bigint IS NULL OR c.id = %(connection)s)
), changing AS (
    SELECT l.link_id, found.moves
      FROM connections_lane l JOIN found ON found.id = l.link_id
     WHERE found.moves = (l.stopped_since IS NOT NULL)
     ORDER BY l.link_id
       FOR NO KEY UPDATE OF l
)
UPDATE connections_lane l
   SET stopped_since = CASE WHEN changing.moves THEN NULL ELSE %(now)s END,
       stood_still = l.stood_still
           + CASE WHEN changing.moves THEN GREATEST(%(now)s - l.stopped_since, interval '0') ELSE interval '0' END
  FROM changing
 WHERE l.link_id = changing.link_id
"""


def note(*, now: datetime, queue: Queue | None = None, connection: Connection | None = None, held: bool = False) -> int:
    """Note which lanes stop and which go on now, of one queue, one connection or of all; returns how many did either.

    Called by whoever turns a switch, and by every tick for what changed elsewhere, such as a connection's state.
    """
    place = {
        "queue": queue.pk if queue is not None else None,
        "connection": connection.pk if connection is not None else None,
    }
    with database.cursor() as cursor:
        cursor.execute(_NOTE, {"now": now, "held": held, **place})
        changed: int = cursor.rowcount
    return changed
