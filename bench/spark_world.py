"""The little world a benchmark of messages needs: a vault, queues, External connections to one receiver, and messages.

Queues and connections are made by the services people use. One message is put as a program puts it; the others are
copies of its rows, made in one statement, each with an id of its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPSConnection
from ssl import create_default_context
from uuid import uuid4

from django.db import connection as database
from django.db import models

from bench import environment, world
from bench.errors import BenchError
from bench.stand import Stand
from connections.constants import AttemptOutcome, CopyState, QueueType
from connections.models import DeliveryAttempt, MessageCopy, Queue, SparkMessage
from connections.services import creating
from connections.services.messages import putting, queue_links, queues, tallies
from connections.services.messages.putting import Draft
from vaultadmin import clock
from vaultadmin.models import Membership

HOST = world.HOST
# Two records of a study, as an integration would announce them.
ITEMS = ("VVT000000001001", "VVT000000001002")
ATTRIBUTES = {"object": "study_site__v", "event": "AFTER_UPDATE", "requested_by": "integration@example.test"}
_SERIALS = {"id"}


@dataclass(frozen=True)
class Receiver:
    """A sink that answers at once, as the processes of this stand reach it."""

    port: int
    authority: str

    def heard(self) -> tuple[int, int]:
        """POSTs and different messages since it was asked last."""
        asked = HTTPSConnection("localhost", self.port, context=create_default_context(cafile=self.authority))
        try:
            asked.request("GET", "/")
            found = json.loads(asked.getresponse().read())
        finally:
            asked.close()
        return found["posts"], found["messages"]


def start_receiver(ground: Stand, name: str = "receiver") -> Receiver:
    """A receiver over TLS."""
    port = environment.free_ports(1)
    says = [str(port), str(ground.tls.certificate), str(ground.tls.key)]
    ground.start(name, [sys.executable, "-m", "bench.spark_sink", *says])
    ground.wait_for_port(name, port)
    return Receiver(port, str(ground.tls.authority))


def make_owner() -> Membership:
    """Somebody who may do everything in a vault of their own."""
    return world.owner("Messages", uuid4().hex[:8])


def make_queue(by: Membership, *, lanes: int = 1, path: str = "/in", sequential: bool = False) -> Queue:
    """An outbound queue with so many External connections, one lane each."""
    now, mark = clock.now(), uuid4().hex[:8]
    queue = queues.create(
        name=f"bench_{mark}__c", label="Benchmark", type=QueueType.OUTBOUND, sequential=sequential, by=by, now=now
    )
    for number in range(lanes):
        link = creating.create_external(
            name=f"Receiver {mark} {number}",
            api_name=f"bench_{mark}_{number}",
            url=f"https://{HOST}{path}/{number}",
            by=by,
            now=now,
        )
        queue_links.add(queue=queue, connection=link, by=by, now=now)
    return queue


def fill(queue: Queue, amount: int, *, by: Membership) -> None:
    """Put one message and repeat its rows until each lane of the queue holds `amount`."""
    put = putting.enqueue(vault=by.vault, queue=queue.name, draft=Draft(ATTRIBUTES, ITEMS), by=by, now=clock.now())
    if put.error is not None:
        raise BenchError(put.sentence)
    pattern = SparkMessage.objects.filter(queue=queue).latest("pk")
    with database.cursor() as cursor:
        cursor.execute(_repeated(), {"message": pattern.pk, "more": amount - 1})
        tallies.add({queue.pk: (amount - 1) * len(put.copies)})


def fill_all(filled: Sequence[Queue], amount: int, *, by: Membership) -> None:
    """The same for several queues, and at once what PostgreSQL would else do about so many new rows while they are
    sent: clear up, learn what the planner should know, and write out what it keeps in memory."""
    for queue in filled:
        fill(queue, amount, by=by)
    with database.cursor() as cursor:
        for model in (SparkMessage, MessageCopy, DeliveryAttempt):
            cursor.execute(f"VACUUM (ANALYZE) {model._meta.db_table}")
        cursor.execute("CHECKPOINT")


def check_delivered(filled: Sequence[Queue], amount: int) -> None:
    """Each copy was delivered by its first attempt, all of it was written down, and nothing waits."""
    copies = MessageCopy.objects.filter(queue__in=filled)
    tries = DeliveryAttempt.objects.filter(
        copy__queue__in=filled, number=1, outcome=AttemptOutcome.DELIVERED, status=200, ended_at__isnull=False
    )
    expect(amount, copies.count(), "copies")
    expect(amount, copies.filter(state=CopyState.DELIVERED, attempts=1, due_at=None).count(), "copies delivered")
    expect(amount, tries.exclude(signed_digest=None).count(), "attempts noted")
    expect(0, waiting(filled), "messages waiting")


def check_heard(receiver: Receiver, amount: int) -> None:
    """The receiver got each message, and none twice."""
    posts, messages = receiver.heard()
    expect(amount, posts, "calls that arrived")
    expect(amount, messages, "different messages that arrived")


def waiting(queues: Sequence[Queue]) -> int:
    """Messages these queues hold, by their own counters."""
    return sum(tallies.waiting(queue) for queue in queues)


def expect(wanted: int, found: int, what: str) -> None:
    """What was measured must be what was done."""
    if wanted != found:
        raise BenchError(f"{what}: {found} instead of {wanted}.")


def forget() -> None:
    """Empty queues for the next round, which must not pay for the dead rows of this one."""
    with database.cursor() as cursor:
        cursor.execute("TRUNCATE connections_sparkmessage, connections_queuetally CASCADE")


def _repeated() -> str:
    """Copies of one message's rows with new ids; every other column is as it was put."""
    content = _columns(SparkMessage)
    copy = _columns(MessageCopy)
    of_content = ", ".join("gen_random_uuid()" if name == "execution_id" else f"m.{name}" for name in content)
    mine = {"content_id": "made.id", "message_id": "gen_random_uuid()"}
    of_copy = ", ".join(mine.get(name, f"c.{name}") for name in copy)
    return (
        f"WITH made AS (INSERT INTO {SparkMessage._meta.db_table} ({', '.join(content)})"
        f" SELECT {of_content} FROM {SparkMessage._meta.db_table} m, generate_series(1, %(more)s)"
        " WHERE m.id = %(message)s RETURNING id)"
        f" INSERT INTO {MessageCopy._meta.db_table} ({', '.join(copy)})"
        f" SELECT {of_copy} FROM made CROSS JOIN {MessageCopy._meta.db_table} c WHERE c.content_id = %(message)s"
    )


def _columns(model: type[models.Model]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields if field.column not in _SERIALS]
