"""The numbers of the sender in one place, with the reason of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from connections import conf


@dataclass(frozen=True, slots=True)
class Policy:
    """How hard and how long the sender tries."""

    # One claim over all lanes: the statements around it cost little then, and a crash repeats few calls.
    batch: int = 200
    # Of which each lane gets so many at least, and so many batches are under way at most.
    least: int = 20
    most_under_way: int = 64
    # Calls under way to one connection: a slow receiver takes no more than this.
    concurrency: int = 16
    # Calls under way altogether in one worker.
    overall: int = 128
    # Longer than any call; renewed while a batch takes its time.
    lease: timedelta = timedelta(seconds=60)
    renew_every: float = 10.0
    # Seconds one call may take from its first byte to the last (veeva-core 6.5).
    call: float = 30.0
    # One wake-up drains at most this long, then hands over to the next.
    drain_for: float = 30.0
    # So many failures in a row of a kind that speaks for the receiver, and its lane is left alone for a while.
    breaker_at: int = 5
    breaker_first: timedelta = timedelta(seconds=30)
    breaker_longest: timedelta = timedelta(minutes=5)
    # A copy that was in the hands of three senders that died is set aside.
    crashes: int = 3
    # Taken together once a sender died over one of them; before the last death it is one.
    few: int = 10
    # What is kept of an answer.
    answer_bytes: int = 2048

    def share(self, lanes: int) -> int:
        """How many copies are taken of each of so many lanes."""
        return max(1, min(self.batch, max(self.least, self.batch // lanes)))


POLICY = Policy()


def current() -> Policy:
    """The numbers as operators set them."""
    return replace(POLICY, call=float(conf.spark_call_seconds()), concurrency=conf.spark_calls_per_connection())
