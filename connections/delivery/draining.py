"""Drain what is due: claim, send, settle, until nothing is left or the time is up. Running it twice is harmless."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from connections.delivery import claiming, local, settling
from connections.delivery.carrying import Carrier
from connections.delivery.claiming import Batch
from connections.delivery.loads import Load
from connections.delivery.policy import Policy, current
from connections.delivery.routing import LaneStopped, RouteUnavailable, route_of
from connections.delivery.sent import Sent, not_sent
from connections.services.messages import standstill
from vaultadmin import clock, place

logger = logging.getLogger(__name__)
# Seconds between two looks whether somebody stopped a lane that has something under way.
_LOOK = 1.0
# Never set: waited for between two tries to reach the database.
_PAUSE = threading.Event()


@dataclass
class _Wire:
    """What this sender has under way, and when it last looked after it."""

    loads: list[Load] = field(default_factory=list)
    renewed: float = field(default_factory=time.monotonic)
    looked: float = field(default_factory=time.monotonic)

    def busy(self) -> set[int]:
        """Lanes that are given nothing more for now; the others have at most one batch that comes to its end."""
        lanes = Counter(load.batch.lane for load in self.loads)
        return {load.batch.lane for load in self.loads if lanes[load.batch.lane] > 1 or not load.wants_more}


def drain(*, policy: Policy | None = None, now: Callable[[], datetime] = clock.now) -> int:
    """Send what is due; returns how many copies were settled.

    New calls begin for a while only. As long as one of that time is still under way, lanes that have none go on:
    whoever waits for a receiver that does not answer may as well serve the others.
    """
    policy = policy or current()
    held = bool(place.held())
    standstill.note(now=now(), held=held)
    if held:
        return 0
    began = time.monotonic()
    settled = 0
    with Carrier(policy) as carrier:
        wire = _Wire()
        slow: set[Load] | None = None
        while True:
            spent = time.monotonic() - began
            if spent < policy.drain_for:
                _dispatch(carrier, wire, wire.busy(), policy, now)
            else:
                slow = set(wire.loads) if slow is None else slow.intersection(wire.loads)
                if slow and spent < policy.drain_for + policy.call:
                    _dispatch(carrier, wire, {load.batch.lane for load in wire.loads}, policy, now)
                else:
                    carrier.stopping = True
            if not wire.loads:
                return settled
            settled += _collect(wire, policy, now)


def _dispatch(carrier: Carrier, wire: _Wire, busy: set[int], policy: Policy, now: Callable[[], datetime]) -> None:
    """Take what is due and let it go."""
    if any(load.batch.alone for load in wire.loads):
        return
    # As many lanes at a time as a batch serves well; the others follow, those first that were taken longest ago.
    lanes = min(max(1, policy.batch // policy.least), policy.most_under_way - len(wire.loads))
    if lanes <= 0:
        return
    try:
        # Whoever has something under way looks again when some of it has come back; all others would leave for good.
        batches = claiming.take(now=now(), policy=policy, lanes=lanes, busy=busy, idle=not wire.loads)
    except (InterfaceError, OperationalError) as error:
        if not wire.loads:
            raise
        # What is on the wire is seen to its end.
        logger.warning("nothing more could be taken: %s", type(error).__name__)
        connection.close()
        return
    loads = [Load(batch) for batch in batches]
    wire.loads += loads
    for load in loads:
        _begin(carrier, load, now)


def _begin(carrier: Carrier, load: Load, now: Callable[[], datetime]) -> None:
    jobs = load.batch.jobs
    try:
        route = route_of(load.batch.lane, now=now())
        route.prepare(jobs)
    except LaneStopped:
        standstill.note(now=now())
        load.finish([Sent(job, None) for job in jobs])
    except (InterfaceError, OperationalError) as error:
        logger.warning("a batch could not begin: %s", type(error).__name__)
        connection.close()
        load.finish([Sent(job, None) for job in jobs])
    except RouteUnavailable as refusal:
        load.finish([Sent(job, not_sent(refusal)) for job in jobs])
    else:
        if route.is_here:
            load.finish(local.hand_over(route, jobs, may_go_on=_Asking(load.batch.lane)))
        else:
            carrier.submit(load, route)


class _Asking:
    """Asks now and then whether a lane may go on, for calls that keep this thread busy."""

    def __init__(self, lane: int) -> None:
        self._lane = lane
        self._asked = time.monotonic()
        self._stopped = False

    def __call__(self) -> bool:
        if not self._stopped and time.monotonic() - self._asked >= _LOOK:
            self._stopped = bool(claiming.stopped([self._lane]))
            self._asked = time.monotonic()
        return not self._stopped


def _collect(wire: _Wire, policy: Policy, now: Callable[[], datetime]) -> int:
    """Settle what came back, and look after the rest."""
    news: list[Future[Any]] = [load.sent for load in wire.loads]
    news += [load.runs_low for load in wire.loads if not load.runs_low.done()]
    wait(news, timeout=_LOOK, return_when=FIRST_COMPLETED)
    done = [load for load in wire.loads if load.sent.done()]
    wire.loads = [load for load in wire.loads if load not in done]
    settled = _settle([(load.batch, load.sent.result()) for load in done], policy, now)
    spent = time.monotonic()
    try:
        if wire.loads and spent - wire.looked >= _LOOK:
            wire.looked = spent
            _stop(wire.loads)
        if wire.loads and spent - wire.renewed >= policy.renew_every:
            wire.renewed = spent
            claiming.renew([load.batch for load in wire.loads], now=now(), policy=policy)
    except (DatabaseError, InterfaceError) as error:
        # Not renewed: the lease runs out, and somebody else sends again what is not settled.
        logger.warning("batches under way could not be looked after: %s", type(error).__name__)
        connection.close()
    return settled


def _stop(loads: list[Load]) -> None:
    """Where somebody stopped a lane meanwhile no further call begins."""
    stopped = claiming.stopped({load.batch.lane for load in loads})
    for load in loads:
        load.stopped = load.stopped or load.batch.lane in stopped


def _settle(done: list[tuple[Batch, list[Sent]]], policy: Policy, now: Callable[[], datetime]) -> int:
    """Write batches, all at once where that works.

    One that cannot be written at all is left to its lease, and the others are written: it is taken again, and set
    aside in the end.
    """
    if not done:
        return 0
    try:
        return _written(done, policy, now)
    except DatabaseError:
        if len(done) > 1:
            return sum(_settle([one], policy, now) for one in done)
        logger.exception("a batch could not be settled")
        return 0


def _written(done: list[tuple[Batch, list[Sent]]], policy: Policy, now: Callable[[], datetime]) -> int:
    """A database that is away is waited for as long as the leases last."""
    give_up = time.monotonic() + policy.lease.total_seconds()
    while True:
        try:
            settled = settling.settle_all(done, policy=policy, now=now())
        except (InterfaceError, OperationalError) as error:
            connection.close()
            if time.monotonic() > give_up:
                logger.exception("what was sent could not be settled")
                return 0
            logger.warning("what was sent could not be settled yet: %s", type(error).__name__)
            _PAUSE.wait(0.5)
        else:
            if settled.lost:
                logger.warning("%d copies were taken over before they could be settled", settled.lost)
            return settled.delivered + settled.put_off + settled.given_up
