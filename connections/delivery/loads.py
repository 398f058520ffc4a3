"""A batch on its way, as its sender and the carrier both see it."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

from connections.delivery.claiming import Batch, Job
from connections.delivery.routing import Route
from connections.delivery.sent import Sent


class Load:
    """One batch. `sent` holds one entry per job, in order, as soon as the last call of it has ended."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.sent: Future[list[Sent]] = Future()
        # Hardly any of its calls have yet to begin.
        self.runs_low: Future[None] = Future()
        # Set by whoever notices at any time that its lane may not go on: no further call begins.
        self.stopped = False
        # Something went back untried, or its receiver has trouble.
        self._falters = False
        self._done = [Sent(job, None) for job in batch.jobs]
        self._to_begin = self._to_end = len(batch.jobs)

    @property
    def wants_more(self) -> bool:
        """May its lane be given another batch already, so that no call waits for the database?

        Not where order is kept, and not before it is written down how a receiver in trouble fared.
        """
        steady = not (self.batch.sequential or self.batch.probing or self.stopped or self._falters)
        return steady and self.runs_low.done()

    def take_up(self, *, low: int) -> None:
        """One more job is called or put back now; at most `low` others have yet to be."""
        self._to_begin -= 1
        if self._to_begin <= low and not self.runs_low.done():
            self.runs_low.set_result(None)

    def end(self, place: int, sent: Sent | None) -> None:
        """What became of a job; nothing where no call was made."""
        if sent is not None:
            self._done[place] = sent
        if sent is None or (sent.result is not None and sent.result.speaks_for_receiver):
            self._falters = True
        self._to_end -= 1
        if not self._to_end and not self.sent.done():
            self.sent.set_result(self._done)

    def fail(self, error: BaseException) -> None:
        """Its owner gets the error instead of what was sent."""
        self._falters = True
        if not self.sent.done():
            self.sent.set_exception(error)

    def finish(self, sent: list[Sent]) -> None:
        """All of it at once."""
        self._falters = True
        self.sent.set_result(sent)


@dataclass(frozen=True, slots=True)
class Item:
    """One job in its load."""

    load: Load
    route: Route
    place: int

    @property
    def job(self) -> Job:
        """What is to be sent."""
        return self.load.batch.jobs[self.place]


@dataclass(slots=True)
class Flow:
    """What leaves through one lane side by side: one receiver, whichever load a message belongs to."""

    waiting: deque[Item] = field(default_factory=deque)
    callers: int = 0
    # Failures in a row that speak for the receiver.
    in_vain: int = 0

    def note(self, sent: Sent) -> None:
        """One more call has ended."""
        self.in_vain = self.in_vain + 1 if sent.result is not None and sent.result.speaks_for_receiver else 0
