"""Signed deliveries per second beside the way Django projects send webhooks: a task and a row for each of them."""

from __future__ import annotations

import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import certifi
from celery import Celery
from django.conf import settings
from django.db import connection

from bench import spark_engine, spark_world, webhook_settings
from bench.errors import BenchError
from bench.meter import Meter, machine
from bench.report import Goal, Result, Row, drifted
from bench.spark_world import ATTRIBUTES, ITEMS, Receiver
from bench.stand import Stand, stand
from connections.models import Queue
from vaultadmin.models import Membership

_POLL = 0.05
_PROCESSES = 2
# The size the goals were taken with. The product makes larger keys unless it is told otherwise.
_KEY_BITS = 2048


@dataclass(frozen=True)
class Counts:
    """How much one round carries."""

    rounds: int
    bound: int
    peer: int
    ours: int


QUICK = Counts(rounds=2, bound=3000, peer=200, ours=4000)
FULL = Counts(rounds=5, bound=20_000, peer=3000, ours=60_000)


@dataclass
class _Rates:
    """Messages per second, one value a round."""

    before: list[float] = field(default_factory=list)
    stock: list[float] = field(default_factory=list)
    tuned: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class _Peer:
    """The peer's webhook, the receiver it shares with us, and the wire to its workers."""

    webhook: int
    receiver: Receiver
    broker: Celery


def run(*, full: bool) -> Result:
    """About two minutes; in full about twenty."""
    return measure(FULL if full else QUICK)


def measure(counts: Counts) -> Result:
    """Bound, peer as it comes, peer tuned, ours, bound again; everything that was sent is found and counted."""
    started = time.monotonic()
    settings.SIGNING_KEY_BITS = _KEY_BITS
    with stand() as ground:
        receiver, by = spark_world.start_receiver(ground), spark_world.make_owner()
        queue, peer = spark_world.make_queue(by, lanes=4), _make_peer(ground, receiver)
        _ours(queue, receiver, by, 200)
        rates = _Rates()
        with Meter() as meter:
            for _ in range(counts.rounds):
                _round(ground, queue, receiver, peer, by, counts, rates)
        ground.require_alive()
    return _result(counts, rates, meter, time.monotonic() - started)


def _round(
    ground: Stand, queue: Queue, receiver: Receiver, peer: _Peer, by: Membership, counts: Counts, rates: _Rates
) -> None:
    rates.before.append(_bound(receiver, by, counts.bound))
    for kind, kept in (("stock", rates.stock), ("tuned", rates.tuned)):
        _start_workers(ground, kind)
        _theirs(peer, 20)
        kept.append(_theirs(peer, counts.peer))
        ground.stop("peer")
    rates.ours.append(_ours(queue, receiver, by, counts.ours))
    rates.after.append(_bound(receiver, by, counts.bound))


def _make_peer(ground: Stand, receiver: Receiver) -> _Peer:
    with connection.cursor() as cursor:
        for statement in webhook_settings.CREATE_TABLES:
            cursor.execute(statement)
        cursor.execute(
            f"INSERT INTO {webhook_settings.WEBHOOKS} (url, secret, active) VALUES (%s, %s, TRUE) RETURNING id",
            [f"https://localhost:{receiver.port}/in", "secret of the benchmark"],
        )
        (webhook,) = cursor.fetchone()
    # Its sessions trust the public authorities, as those of requests do, and the receiver's.
    trusted = ground.layout.data / "trusted.pem"
    trusted.write_text(certifi.contents() + Path(receiver.authority).read_text(encoding="utf-8"), encoding="utf-8")
    os.environ[webhook_settings.TRUSTED] = str(trusted)
    return _Peer(webhook, receiver, Celery("bench", broker=settings.CELERY_BROKER_URL, set_as_current=False))


def _start_workers(ground: Stand, kind: str) -> None:
    options = ["--concurrency", str(_PROCESSES), "--queues", webhook_settings.QUEUE, "--loglevel", "INFO"]
    ground.start("peer", [sys.executable, "-m", "celery", "--app", f"bench.webhook_peer:{kind}", "worker", *options])
    deadline = time.monotonic() + 60
    while "ready." not in ground.log("peer"):
        if time.monotonic() > deadline:
            raise BenchError("The workers of the peer did not start.")
        time.sleep(_POLL)


def _theirs(peer: _Peer, amount: int) -> float:
    """From the first task that is queued to the last event that is noted."""
    before = _events()
    payload = {"attributes": ATTRIBUTES, "items": ITEMS}
    began = time.perf_counter()
    for _ in range(amount):
        peer.broker.send_task(
            webhook_settings.TASK,
            [peer.webhook, payload, "study_site.updated"],
            queue=webhook_settings.QUEUE,
            ignore_result=True,
        )
    while _events() - before < amount:
        if time.perf_counter() - began > 60 + amount / 2:
            raise BenchError(f"The peer delivered {_events() - before} of {amount} events.")
        time.sleep(_POLL)
    seconds = time.perf_counter() - began
    spark_world.expect(amount, peer.receiver.heard()[0], "calls of the peer that arrived")
    return amount / seconds


def _events() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {webhook_settings.EVENTS} WHERE status = 'SUCCESS'")
        return int(cursor.fetchone()[0])


def _ours(queue: Queue, receiver: Receiver, by: Membership, amount: int) -> float:
    spark_world.fill_all([queue], amount // queue.connections.count(), by=by)
    done = spark_engine.drain(receiver.port, seconds=120 + amount / 50)
    spark_world.check_delivered([queue], amount)
    spark_world.check_heard(receiver, amount)
    spark_world.forget()
    return spark_engine.rate_of(done, amount)


def _bound(receiver: Receiver, by: Membership, amount: int) -> float:
    found = spark_engine.bound(receiver.port, amount, vault_id=by.vault_id)
    spark_world.check_heard(receiver, amount)
    return found


def _result(counts: Counts, rates: _Rates, meter: Meter, seconds: float) -> Result:
    ours, limit = statistics.median(rates.ours), statistics.median([*rates.before, *rates.after])
    stock, tuned = (
        statistics.median(made / theirs for made, theirs in zip(rates.ours, kept, strict=True))
        for kept in (rates.stock, rates.tuned)
    )
    return Result(
        name="spark_send_peer",
        value=ours,
        unit="messages/s",
        limit=limit,
        ratio=tuned,
        ratios={"stock": stock, "tuned": tuned, "bound": ours / limit},
        n=counts.ours * counts.rounds,
        seconds=seconds,
        machine=machine(meter.foreign),
        rows=[
            Row(
                "bound, before", rates.before, "messages/s", f"two RSA-{_KEY_BITS} signatures and a POST on a kept line"
            ),
            Row("peer, stock", rates.stock, "messages/s", "a task, a row, an HMAC and requests.Session each; TLS"),
            Row("peer, tuned", rates.tuned, "messages/s", "the same with CELERY_DB_REUSE_MAX"),
            Row("ours", rates.ours, "messages/s", "RSA twice, TLS, attempts, counters, queue log"),
            Row("bound, after", rates.after, "messages/s"),
        ],
        goals=[
            Goal("ours ÷ peer as it comes", stock, 20),
            Goal("ours ÷ peer tuned", tuned, 12),
            Goal("ours ÷ peer as it comes", stock, 28, later=True),
            Goal("ours ÷ peer tuned", tuned, 17, later=True),
        ],
        invalid=drifted(rates.before, rates.after),
    )
