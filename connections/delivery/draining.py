"""Drain what is due: claim, send, settle, until nothing is left or the time is up. Running it twice is harmless."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DatabaseError, InterfaceError, connection

from connections.constants import AttemptOutcome
from connections.delivery import claiming, local, settling
from connections.delivery.carrying import Carrier
from connections.delivery.claiming import Batch
from connections.delivery.outcomes import Result
from connections.delivery.policy import POLICY, Policy
from connections.delivery.routing import Route, RouteUnavailable, route_of
from connections.delivery.settling import Sent
from connections.services import standstill
from vaultadmin import clock, place

logger = logging.getLogger(__name__)
_LANES = 64


@dataclass
class _Shipment:
    """One batch on the wire."""

    batch: Batch
    sent: Future[list[Sent]]
    renewed: float = field(default_factory=time.monotonic)


def drain(*, policy: Policy = POLICY, now: Callable[[], datetime] = clock.now) -> int:
    """Send what is due; returns how many copies were settled."""
    held = bool(place.held())
    standstill.note(now=now(), held=held)
    if held:
        return 0
    stop_at = time.monotonic() + policy.drain_for
    settled = 0
    with Carrier(policy) as carrier:
        on_the_wire: list[_Shipment] = []
        while True:
            if time.monotonic() < stop_at:
                on_the_wire += _dispatch(carrier, on_the_wire, policy, now)
            if not on_the_wire:
                return settled
            settled += _collect(on_the_wire, policy, now)


def _dispatch(
    carrier: Carrier, on_the_wire: list[_Shipment], policy: Policy, now: Callable[[], datetime]
) -> list[_Shipment]:
    busy = {shipment.batch.lane for shipment in on_the_wire}
    begun = []
    for batch in claiming.take(now=now(), policy=policy, lanes=_LANES, busy=busy):
        try:
            route = route_of(batch.lane, now=now())
            route.prepare(batch.jobs)
        except RouteUnavailable as refusal:
            refused: Future[list[Sent]] = Future()
            result = Result(AttemptOutcome.NOT_SENT, error=str(refusal))
            refused.set_result([Sent(job, result) for job in batch.jobs])
            begun.append(_Shipment(batch, refused))
        else:
            begun.append(_Shipment(batch, _begin(carrier, batch, route)))
    return begun


def _begin(carrier: Carrier, batch: Batch, route: Route) -> Future[list[Sent]]:
    if not route.is_here:
        return carrier.submit(batch, route)
    done: Future[list[Sent]] = Future()
    done.set_result(local.hand_over(route, batch.jobs))
    return done


def _collect(on_the_wire: list[_Shipment], policy: Policy, now: Callable[[], datetime]) -> int:
    """Settle what came back; leases of the rest are renewed while they take their time."""
    wait([shipment.sent for shipment in on_the_wire], timeout=1.0, return_when=FIRST_COMPLETED)
    settled = 0
    for shipment in [one for one in on_the_wire if one.sent.done()]:
        on_the_wire.remove(shipment)
        settled += _settle(shipment.batch, shipment.sent.result(), policy, now)
    for shipment in on_the_wire:
        if time.monotonic() - shipment.renewed >= policy.renew_every:
            shipment.renewed = time.monotonic()
            _renew(shipment.batch, policy, now)
    return settled


def _renew(batch: Batch, policy: Policy, now: Callable[[], datetime]) -> None:
    try:
        claiming.renew(token=batch.token, now=now(), policy=policy)
    except (DatabaseError, InterfaceError) as error:
        # Not renewed: the lease runs out, and somebody else sends again what is not settled.
        logger.warning("a lease could not be renewed: %s", type(error).__name__)
        connection.close()


def _settle(batch: Batch, sent: list[Sent], policy: Policy, now: Callable[[], datetime]) -> int:
    """Write a batch. A database that is away is waited for as long as the lease lasts."""
    give_up = time.monotonic() + policy.lease.total_seconds()
    while True:
        try:
            done = settling.settle(batch, sent, policy=policy, now=now())
        except (DatabaseError, InterfaceError) as error:
            if time.monotonic() > give_up:
                raise
            logger.warning("a batch could not be settled yet: %s", type(error).__name__)
            time.sleep(0.5)
            connection.close()
        else:
            if done.lost:
                logger.warning("%d copies were taken over before they could be settled", done.lost)
            return done.delivered + done.put_off + done.given_up
