"""Drain what is due: claim, send, settle, until nothing is left or the time is up. Running it twice is harmless."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from connections.delivery import claiming, local, settling
from connections.delivery.carrying import Carrier
from connections.delivery.claiming import Batch
from connections.delivery.policy import Policy, current
from connections.delivery.routing import LaneStopped, RouteUnavailable, route_of
from connections.delivery.settling import Sent, not_sent
from connections.services.messages import standstill
from vaultadmin import clock, place

logger = logging.getLogger(__name__)
_LANES = 64
# Never set: waited for between two tries to reach the database.
_PAUSE = threading.Event()


@dataclass
class _Shipment:
    """One batch on the wire."""

    batch: Batch
    sent: Future[list[Sent]]
    renewed: float = field(default_factory=time.monotonic)


def drain(*, policy: Policy | None = None, now: Callable[[], datetime] = clock.now) -> int:
    """Send what is due; returns how many copies were settled.

    New calls begin for a while only; as long as some are still under way, other lanes go on.
    """
    policy = policy or current()
    held = bool(place.held())
    standstill.note(now=now(), held=held)
    if held:
        return 0
    began = time.monotonic()
    settled = 0
    with Carrier(policy) as carrier:
        on_the_wire: list[_Shipment] = []
        while True:
            spent = time.monotonic() - began
            if spent < policy.drain_for or (on_the_wire and spent < policy.drain_for + policy.call):
                on_the_wire += _dispatch(carrier, on_the_wire, policy, now)
            else:
                carrier.stopping = True
            if not on_the_wire:
                return settled
            settled += _collect(on_the_wire, policy, now)


def _dispatch(
    carrier: Carrier, on_the_wire: list[_Shipment], policy: Policy, now: Callable[[], datetime]
) -> list[_Shipment]:
    busy = {shipment.batch.lane for shipment in on_the_wire}
    try:
        batches = claiming.take(now=now(), policy=policy, lanes=_LANES, busy=busy)
    except (InterfaceError, OperationalError) as error:
        if not on_the_wire:
            raise
        # What is on the wire is seen to its end.
        logger.warning("nothing more could be taken: %s", type(error).__name__)
        connection.close()
        return []
    return [_Shipment(batch, _begin(carrier, batch, now)) for batch in batches]


def _begin(carrier: Carrier, batch: Batch, now: Callable[[], datetime]) -> Future[list[Sent]]:
    try:
        route = route_of(batch.lane, now=now())
        route.prepare(batch.jobs)
    except LaneStopped:
        standstill.note(now=now())
        return _done([Sent(job, None) for job in batch.jobs])
    except (InterfaceError, OperationalError) as error:
        logger.warning("a batch could not begin: %s", type(error).__name__)
        connection.close()
        return _done([Sent(job, None) for job in batch.jobs])
    except RouteUnavailable as refusal:
        return _done([Sent(job, not_sent(refusal)) for job in batch.jobs])
    return _done(local.hand_over(route, batch.jobs)) if route.is_here else carrier.submit(batch, route)


def _done(sent: list[Sent]) -> Future[list[Sent]]:
    future: Future[list[Sent]] = Future()
    future.set_result(sent)
    return future


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
    """Write a batch. A database that is away is waited for as long as the lease lasts.

    A batch that cannot be written at all is left to its lease, and the others are written: it is taken again, and set
    aside in the end.
    """
    give_up = time.monotonic() + policy.lease.total_seconds()
    while True:
        try:
            done = settling.settle(batch, sent, policy=policy, now=now())
        except (InterfaceError, OperationalError) as error:
            connection.close()
            if time.monotonic() > give_up:
                logger.exception("a batch could not be settled")
                return 0
            logger.warning("a batch could not be settled yet: %s", type(error).__name__)
            _PAUSE.wait(0.5)
        except DatabaseError:
            logger.exception("a batch could not be settled")
            return 0
        else:
            if done.lost:
                logger.warning("%d copies were taken over before they could be settled", done.lost)
            return done.delivered + done.put_off + done.given_up
