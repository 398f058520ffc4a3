"""When nothing may leave through a lane, and for how long: that time does not count into a retry window (6.5)."""

from __future__ import annotations

from datetime import datetime

from django.db import connection as database

from connections.models import Queue

# What lets a lane move: both switches, its link, and an Active connection. `held` stands for the whole installation.
_NOTE = """
WITH found AS (
    SELECT l.link_id, l.stopped_since,
           q.delivery_enabled AND k.is_active AND c.state = 'active_state__sys' AND NOT %(held)s AS moves
      FROM connections_lane l
      JOIN connections_queueconnection k ON k.id = l.link_id
      JOIN connections_queue q ON q.id = k.queue_id
      JOIN connections_connection c ON c.id = k.connection_id
     WHERE %(queue)s::bigint IS NULL OR q.id = %(queue)s
     ORDER BY l.link_id
       FOR NO KEY UPDATE OF l
)
UPDATE connections_lane l
   SET stopped_since = CASE WHEN found.moves THEN NULL ELSE %(now)s END,
       stood_still = l.stood_still
           + CASE WHEN found.moves THEN GREATEST(%(now)s - l.stopped_since, interval '0') ELSE interval '0' END
  FROM found
 WHERE l.link_id = found.link_id AND found.moves = (found.stopped_since IS NOT NULL)
"""


def note(*, now: datetime, queue: Queue | None = None, held: bool = False) -> int:
    """Note which lanes stop and which go on now, of one queue or of all; returns how many did either.

    Called by whoever turns a switch, and by every tick for what changed elsewhere, such as a connection's state.
    """
    with database.cursor() as cursor:
        cursor.execute(_NOTE, {"now": now, "queue": queue.pk if queue is not None else None, "held": held})
        changed: int = cursor.rowcount
    return changed
