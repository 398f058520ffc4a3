"""Signed deliveries per second, with attempts, retries, counters and queue log, beside signing and posting alone."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field

from bench import spark_engine, spark_world
from bench.meter import Meter, machine
from bench.report import Goal, Result, Row, drifted
from bench.spark_world import Receiver
from bench.stand import stand
from connections.models import Queue
from vaultadmin.models import Membership

GOAL, STRETCH = 0.7, 0.85
LANES = 4
_WARM = 200
_MEMORY_MIB = 16


@dataclass(frozen=True)
class Counts:
    """How much one round carries."""

    rounds: int
    bound: int
    ours: int


QUICK = Counts(rounds=3, bound=4000, ours=8000)
FULL = Counts(rounds=5, bound=20_000, ours=100_000)


@dataclass
class _Rates:
    """Messages per second, one value a round, and the memory of the larger sender."""

    before: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)


def run(*, full: bool) -> Result:
    """About a minute; in full about a quarter of an hour."""
    return measure(FULL if full else QUICK)


def measure(counts: Counts) -> Result:
    """Everything over TLS to one receiver, and every message found where it should be."""
    started = time.monotonic()
    with stand() as ground:
        receiver = spark_world.start_receiver(ground)
        by = spark_world.make_owner()
        queue = spark_world.make_queue(by, lanes=LANES)
        small = _ours(queue, receiver, by, _WARM, _Rates())
        rates = _Rates()
        with Meter() as meter:
            for _ in range(counts.rounds):
                rates.before.append(_bound(receiver, by, counts.bound))
                _ours(queue, receiver, by, counts.ours, rates)
                rates.after.append(_bound(receiver, by, counts.bound))
        ground.require_alive()
    return _result(counts, rates, small, meter, time.monotonic() - started)


def _bound(receiver: Receiver, by: Membership, amount: int) -> float:
    found = spark_engine.bound(receiver.port, amount, vault_id=by.vault_id)
    spark_world.check_heard(receiver, amount)
    return found


def _ours(queue: Queue, receiver: Receiver, by: Membership, amount: int, rates: _Rates) -> float:
    """One round; returns the memory of the larger sender."""
    spark_world.fill_all([queue], amount // LANES, by=by)
    with Meter() as meter:
        done = spark_engine.drain(receiver.port, seconds=120 + amount / 100)
    spark_world.check_delivered([queue], amount)
    spark_world.check_heard(receiver, amount)
    spark_world.forget()
    rates.ours.append(spark_engine.rate_of(done, amount))
    rates.spent.append(meter.ours / amount * 1000)
    rates.memory.append(max(one.rss_mib for one in done))
    return rates.memory[-1]


def _result(counts: Counts, rates: _Rates, small: float, meter: Meter, seconds: float) -> Result:
    ours, limit = statistics.median(rates.ours), statistics.median([*rates.before, *rates.after])
    # Each round against its own neighbours: what else the machine did then met both.
    shares = [
        made * 2 / (first + last) for made, first, last in zip(rates.ours, rates.before, rates.after, strict=True)
    ]
    ratio, growth = statistics.median(shares), statistics.median(rates.memory) - small
    return Result(
        name="spark_send",
        value=ours,
        unit="messages/s",
        limit=limit,
        ratio=ratio,
        ratios={"bound": ratio, "worker_growth_mib": growth},
        n=counts.ours * counts.rounds,
        seconds=seconds,
        machine=machine(meter.foreign),
        rows=[
            Row("bound, before", rates.before, "messages/s", "two signatures and a POST over a kept connection"),
            Row("ours", rates.ours, "messages/s", f"{LANES} lanes, claimed, tried, settled, counted and logged"),
            Row("bound, after", rates.after, "messages/s"),
            Row("CPU of ours", rates.spent, "ms a message", "senders, receiver and their start together"),
            Row(
                "memory of a sender", [small, *rates.memory], "MiB", f"after {_WARM:,} messages, then after each round"
            ),
        ],
        goals=[
            Goal("ours ÷ bound", ratio, GOAL),
            Goal("ours ÷ bound", ratio, STRETCH, later=True),
            Goal("worker memory growth, MiB", growth, _MEMORY_MIB, at_most=True, counted=True),
        ],
        invalid=drifted(rates.before, rates.after),
    )
