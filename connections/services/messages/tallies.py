"""How many messages wait in a queue, counted without counting rows (`QueueTally`)."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection as database
from django.db.models import Sum

from connections.models import Queue, QueueTally
from connections.spark.message import CAPACITY, MessageRefused, PutError
from vaultadmin.together import Asking

# Writers of one database session share a slot, others hardly ever do.
SLOTS = 32
# So near the end whoever puts goes through one door, one at a time, and the last place is given once.
_CLOSE = 2000

_ADD = """
INSERT INTO connections_queuetally AS t (queue_id, slot, waiting)
SELECT queue, pg_backend_pid() %% %(slots)s, more
  FROM unnest(%(queues)s::bigint[], %(more)s::bigint[]) AS u(queue, more)
 ORDER BY queue
    ON CONFLICT (queue_id, slot) DO UPDATE SET waiting = t.waiting + excluded.waiting
"""


def waiting(queue: Queue) -> int:
    """Messages in the queue now, each copy counted."""
    return QueueTally.objects.filter(queue=queue).aggregate(total=Sum("waiting"))["total"] or 0


def asked(queue: Queue) -> Asking[int]:
    """The same, asked together with other questions of a page."""
    (slots,) = yield (QueueTally.objects.filter(queue=queue).values_list("waiting", flat=True),)
    return sum(slots)


def add(changes: Mapping[int, int]) -> None:
    """Add to queues by id, negative for what left, in one statement inside the caller's transaction."""
    filled = sorted((queue, more) for queue, more in changes.items() if more)
    if filled:
        queues, more = zip(*filled, strict=True)
        with database.cursor() as cursor:
            cursor.execute(_ADD, {"slots": SLOTS, "queues": list(queues), "more": list(more)})


def make_room(queue: Queue, copies: int) -> None:
    """MessageRefused when the queue cannot take so many more."""
    now_in_it = waiting(queue)
    if now_in_it + copies > CAPACITY - _CLOSE:
        Queue.objects.select_for_update(no_key=True).get(pk=queue.pk)
        now_in_it = waiting(queue)
    if now_in_it + copies > CAPACITY:
        sentence = f"The queue “{queue}” is full: it holds {now_in_it:,} of at most {CAPACITY:,} messages."
        raise MessageRefused(PutError.QUEUE_FULL, sentence)
