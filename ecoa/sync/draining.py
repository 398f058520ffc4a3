"""Draining one lane of one run: lease, hand over, settle, until nothing is due or the time is up.

Running it twice, or in ten workers, is harmless: rows are leased, and a lane that is taken is left alone.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import DatabaseError, InterfaceError, connection

from ecoa.client.errors import CREDENTIALS
from ecoa.models import OPEN_STATES, RunState, SyncRun
from ecoa.sync import batches, closing, healing, planning, settling, shares
from ecoa.sync.batches import Batch
from ecoa.sync.carrier import Carrier
from ecoa.sync.carrying import Lease, Outcome, Verdict
from ecoa.sync.policy import POLICY, Policy
from ecoa.sync.routing import RouteUnavailable, route_of
from vaultadmin import clock, place

logger = logging.getLogger(__name__)

# First half of the advisory lock's key; the second half is the run.
_LANE_LOCK = 0x0EC0A00
_IN_FLIGHT = 2


@dataclass
class _Shipment:
    """One batch on the wire."""

    batch: Batch
    lease: Lease
    outcomes: Future[list[Outcome]]
    renewed: float = field(default_factory=time.monotonic)


def drain(*, run_id: int, lane: int = 0, policy: Policy = POLICY, now: Callable[[], datetime] = clock.now) -> int:
    """Work off what is due in one run; returns how many items were settled."""
    if place.held():
        return 0
    with _lane(run_id, lane) as free:
        if not free:
            return 0
        started = planning.freeze(run_id=run_id, now=now())
        if started is not None and started.total > policy.batch:
            # The other lanes need not wait for the next tick.
            healing.wake_lanes(started, lanes=policy.lanes)
        runs = SyncRun.objects.select_related("vault", "mapping__connection__authorization__secret")
        run = runs.filter(pk=run_id, state__in=OPEN_STATES).first()
        if run is None:
            return 0
        if run.cancel_requested_at is not None and run.state != RunState.PLANNED:
            closing.close_open(run=run, now=now())
            settled = 0
        else:
            settled = _drain_run(run, policy, now) if run.state == RunState.RUNNING else 0
        closing.finish_if_done(run_id=run_id, now=now())
        return settled


def _drain_run(run: SyncRun, policy: Policy, now: Callable[[], datetime]) -> int:
    try:
        route = route_of(run.mapping)
    except RouteUnavailable as refusal:
        return _refuse_all(run, str(refusal), policy, now)
    with Carrier(route, policy) as carrier, _shares(run, carrier, policy, now) as share:
        # Others use all there is: the tick comes again.
        return _ship(run, carrier, share, policy, now) if share.overall else 0


def _ship(run: SyncRun, carrier: Carrier, share: _Share, policy: Policy, now: Callable[[], datetime]) -> int:
    """Keep two batches on the wire, so that the database and the network work at the same time."""
    stop_at = time.monotonic() + policy.drain_for
    on_the_wire: deque[_Shipment] = deque()
    settled = 0
    while True:
        while _has_room(on_the_wire) and time.monotonic() < stop_at and not carrier.lanes.blocked:
            shipment = _dispatch(run, carrier, policy, now)
            if shipment is None:
                break
            on_the_wire.append(shipment)
        if not on_the_wire:
            break
        outcomes = _await(on_the_wire, share, stop_at, policy, now)
        settled += _settle(run, on_the_wire.popleft().batch, outcomes, policy, now)
        if _stopped(run):
            stop_at = 0.0
    _note_silence(run, carrier, now())
    return settled


def _has_room(on_the_wire: deque[_Shipment]) -> bool:
    """A row that saw two workers die goes without company: were it poison, its neighbour would be set aside with it."""
    return len(on_the_wire) < _IN_FLIGHT and not any(shipment.batch.alone for shipment in on_the_wire)


def _dispatch(run: SyncRun, carrier: Carrier, policy: Policy, now: Callable[[], datetime]) -> _Shipment | None:
    lease = Lease(policy.lease.total_seconds(), margin=policy.lease_margin)
    batch = batches.take(run_id=run.pk, policy=policy, now=now())
    return _Shipment(batch, lease, carrier.submit(batch.jobs, lease)) if batch else None


def _await(
    on_the_wire: deque[_Shipment], share: _Share, stop_at: float, policy: Policy, now: Callable[[], datetime]
) -> list[Outcome]:
    """The outcomes of the oldest batch; leases and shares are renewed while it takes its time."""
    oldest = on_the_wire[0].outcomes
    while True:
        waited: list[Future[Any]] = [oldest, share.carrier.asking]
        wait(waited, timeout=policy.share_every, return_when=FIRST_COMPLETED)
        if oldest.done():
            share.keep()
            return oldest.result()
        if time.monotonic() > stop_at + policy.linger or _stopped(share.run):
            share.carrier.stop_starting()
        share.keep()
        for shipment in on_the_wire:
            if time.monotonic() - shipment.renewed >= policy.renew_every:
                shipment.renewed = time.monotonic()
                _renew(shipment, policy, now)


@dataclass
class _Share:
    """This lane's part of the caps: kept while it drains, given back at its end."""

    run: SyncRun
    carrier: Carrier
    policy: Policy
    now: Callable[[], datetime]
    holder: UUID = field(default_factory=uuid4)
    overall: int = 0
    asked: float = 0.0

    def keep(self) -> None:
        """Ask again when it is time to, or when a region was met that has no share yet."""
        if not self.carrier.asking.done() and time.monotonic() - self.asked < self.policy.share_every:
            return
        self.asked = time.monotonic()
        try:
            granted = shares.renew(run_id=self.run.pk, holder=self.holder, needs=self.carrier.needs(), now=self.now())
        except (DatabaseError, InterfaceError) as error:
            # Not renewed: what was granted runs out, and no call is started past its end.
            logger.warning("shares could not be renewed: %s", type(error).__name__)
            _fresh_connection()
            return
        self.overall = self.carrier.grant(granted)


@contextmanager
def _shares(run: SyncRun, carrier: Carrier, policy: Policy, now: Callable[[], datetime]) -> Iterator[_Share]:
    share = _Share(run, carrier, policy, now)
    share.keep()
    try:
        yield share
    finally:
        try:
            shares.release(holder=share.holder)
        except (DatabaseError, InterfaceError) as error:
            # They run out by themselves.
            logger.warning("shares could not be given back: %s", type(error).__name__)
            _fresh_connection()


def _renew(shipment: _Shipment, policy: Policy, now: Callable[[], datetime]) -> None:
    seconds = policy.lease.total_seconds()
    started = time.monotonic()
    try:
        still_ours = batches.renew(token=shipment.batch.token, policy=policy, now=now())
    except (DatabaseError, InterfaceError) as error:
        # Not renewed: the lease simply runs out, and no call is started past its end.
        logger.warning("a lease could not be renewed: %s", type(error).__name__)
        _fresh_connection()
        return
    if still_ours and shipment.lease.left() > 0:
        shipment.lease.extend(seconds - (time.monotonic() - started))
    else:
        shipment.lease.end()


def _settle(run: SyncRun, batch: Batch, outcomes: list[Outcome], policy: Policy, now: Callable[[], datetime]) -> int:
    """Write a batch. A database that is away is waited for as long as the lease lasts: the outcomes are worth it."""
    give_up = time.monotonic() + policy.lease.total_seconds()
    while True:
        try:
            done = settling.settle(run=run, token=batch.token, outcomes=outcomes, policy=policy, now=now())
        except (DatabaseError, InterfaceError) as error:
            if time.monotonic() > give_up:
                raise
            logger.warning("a batch could not be settled yet: %s", type(error).__name__)
            time.sleep(0.5)
            _fresh_connection()
        else:
            if done.lost:
                logger.warning("%d items were taken over before they could be settled", done.lost)
            return done.written


def _refuse_all(run: SyncRun, reason: str, policy: Policy, now: Callable[[], datetime]) -> int:
    """The connection itself cannot be used: every item gets that outcome once, and nobody is called."""
    settled = 0
    while batch := batches.take(run_id=run.pk, policy=policy, now=now()):
        outcomes = [
            Outcome(job, Verdict.REJECTED, code=CREDENTIALS, detail=reason[:500], final=True) for job in batch.jobs
        ]
        settled += _settle(run, batch, outcomes, policy, now)
    return settled


def _note_silence(run: SyncRun, carrier: Carrier, at: datetime) -> None:
    """Remember since when the other side is silent (`settling` forgets it with the first answer), and how long it
    asked us to wait."""
    if carrier.lanes.blocked and not carrier.lanes.heard:
        SyncRun.objects.filter(pk=run.pk, silent_since__isnull=True).update(silent_since=at)
    held = max(carrier.lanes.breakers, key=lambda breaker: breaker.asked)
    if held.asked:
        until = at + timedelta(seconds=held.wait)
        SyncRun.objects.filter(pk=run.pk).update(held_until=until, held_asked=held.asked)


def _stopped(run: SyncRun) -> bool:
    """Somebody paused or cancelled it: what is on the wire is seen through, and nothing more is taken."""
    going_on = SyncRun.objects.filter(pk=run.pk, state=RunState.RUNNING, cancel_requested_at__isnull=True)
    return not going_on.exists()


@contextmanager
def _lane(run_id: int, lane: int) -> Iterator[bool]:
    """Hold one lane of one run. The lock belongs to the database session, so it dies with the worker."""
    key = [_LANE_LOCK + lane, run_id % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
        (free,) = cursor.fetchone()
    try:
        yield free
    finally:
        if free:
            _release(key)


def _release(key: list[int]) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)
    except (DatabaseError, InterfaceError) as error:
        # The session that held the lock is gone, and the lock with it.
        logger.warning("a lane's lock went with its session: %s", type(error).__name__)


def _fresh_connection() -> None:
    if not connection.in_atomic_block:
        connection.close()
