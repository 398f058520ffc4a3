"""Does a long queue, or a receiver that never answers, slow down what else is to be sent?"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field

from django.db import connection

from bench import spark_engine, spark_world
from bench.meter import Meter, machine
from bench.report import Goal, Result, Row, drifted
from bench.spark_sink import DEAD
from bench.spark_world import Receiver
from bench.stand import stand
from connections.constants import CopyState
from connections.models import DeliveryAttempt, MessageCopy, Queue
from vaultadmin.models import Membership

QUEUES = 50
# Seconds a sender works at a backlog that is not to be emptied.
_SAMPLE = 4.0
_LIVING = """
SELECT count(*), extract(epoch FROM max(c.settled_at) - min(t.started_at))
  FROM connections_messagecopy c JOIN connections_deliveryattempt t ON t.copy_id = c.id
 WHERE c.state = 'delivered' AND c.queue_id = ANY(%(queues)s)
"""


@dataclass(frozen=True)
class Counts:
    """Messages a queue: few and many, and how many each lane has when one of the receivers is dead."""

    rounds: int
    few: int
    many: int
    lane: int


QUICK = Counts(rounds=2, few=120, many=1000, lane=50)
# The capacity of a queue, which fifty of them reach together with a million.
FULL = Counts(rounds=3, few=200, many=20_000, lane=400)


@dataclass
class _Rates:
    """Messages per second, one value a round."""

    before: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    living: list[float] = field(default_factory=list)
    beside_dead: list[float] = field(default_factory=list)


def run(*, full: bool) -> Result:
    """About two minutes; in full about twenty, most of which fills the queues."""
    return measure(FULL if full else QUICK)


def measure(counts: Counts) -> Result:
    """Few, many and few again; then all receivers alive, one of them dead, in each round."""
    started = time.monotonic()
    with stand() as ground:
        receiver, by = spark_world.start_receiver(ground), spark_world.make_owner()
        living = [spark_world.make_queue(by) for _ in range(QUEUES - 1)]
        last, dead = spark_world.make_queue(by), spark_world.make_queue(by, path=DEAD)
        queues = [*living, last]
        _sample(queues, receiver, by, 10)
        rates = _Rates()
        with Meter() as meter:
            for _ in range(counts.rounds):
                rates.before.append(_sample(queues, receiver, by, counts.few))
                rates.many.append(_sample(queues, receiver, by, counts.many))
                rates.after.append(_sample(queues, receiver, by, counts.few))
                rates.living.append(_others(living, last, receiver, by, counts.lane))
                rates.beside_dead.append(_others(living, dead, receiver, by, counts.lane))
        ground.require_alive()
    return _result(counts, rates, meter, time.monotonic() - started)


def _sample(queues: list[Queue], receiver: Receiver, by: Membership, amount: int) -> float:
    """So many messages in each queue, and the rate of what is sent of them in a few seconds."""
    spark_world.fill_all(queues, amount, by=by)
    done = spark_engine.drain(receiver.port, seconds=120, only_for=_SAMPLE)
    sent = MessageCopy.objects.filter(queue__in=queues, state=CopyState.DELIVERED, attempts=1).count()
    spark_world.expect(sent, DeliveryAttempt.objects.filter(status=200, number=1).count(), "attempts noted")
    spark_world.expect(amount * len(queues) - sent, spark_world.waiting(queues), "messages waiting")
    spark_world.check_heard(receiver, sent)
    spark_world.forget()
    return spark_engine.rate_of(done, sent)


def _others(living: list[Queue], one_more: Queue, receiver: Receiver, by: Membership, amount: int) -> float:
    """The rate of the other queues while one more is sent, whose receiver lives or not."""
    spark_world.fill_all([*living, one_more], amount, by=by)
    spark_engine.drain(receiver.port, seconds=180, call=5.0)
    with connection.cursor() as cursor:
        cursor.execute(_LIVING, {"queues": [queue.pk for queue in living]})
        delivered, seconds = cursor.fetchone()
    spark_world.expect(amount * len(living), delivered, "copies of the others delivered")
    spark_world.expect(0, spark_world.waiting(living), "messages of the others waiting")
    receiver.heard()
    spark_world.forget()
    return float(delivered) / float(seconds)


def _result(counts: Counts, rates: _Rates, meter: Meter, seconds: float) -> Result:
    few = [*rates.before, *rates.after]
    ratio = statistics.median(
        many * 2 / (first + last) for many, first, last in zip(rates.many, rates.before, rates.after, strict=True)
    )
    beside = statistics.median(dead / alive for dead, alive in zip(rates.beside_dead, rates.living, strict=True))
    total, small = counts.many * QUEUES, counts.few * QUEUES
    return Result(
        name="spark_backlog",
        value=statistics.median(rates.many),
        unit="messages/s",
        limit=statistics.median(few),
        ratio=ratio,
        ratios={"many": ratio, "beside_dead": beside},
        n=total,
        seconds=seconds,
        machine=machine(meter.foreign),
        rows=[
            Row(f"{small:,} queued", few, "messages/s", f"{QUEUES} queues with a lane each; before and after"),
            Row(f"{total:,} queued", rates.many, "messages/s", f"the first {_SAMPLE:.0f} s of them"),
            Row("all receivers alive", rates.living, "messages/s", f"{QUEUES - 1} of {QUEUES} lanes, to their end"),
            Row("one receiver dead", rates.beside_dead, "messages/s", "the same lanes; the last one is never answered"),
        ],
        goals=[
            Goal(f"rate with {total:,} queued ÷ with {small:,}", ratio, 0.9),
            Goal("others beside a dead receiver ÷ all alive", beside, 0.95),
            Goal(f"rate with {total:,} queued ÷ with {small:,}", ratio, 0.97, later=True),
        ],
        invalid=drifted(rates.before, rates.after),
    )
