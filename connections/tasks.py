"""Wake-ups: no logic, the rows hold what is due."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from connections.delivery import draining
from connections.processing import working
from connections.services.handshake import delivering, lapsing
from connections.services.messages import arrivals, queue_log, replay_work, retention
from connections.services.signing import foretelling, renewing
from connections.watching import calling, looking
from vaultadmin import clock, place


@shared_task(ignore_result=True, acks_late=True, soft_time_limit=50, time_limit=60)
@place.only_at_home
def deliver_peer_messages(**_later: Any) -> None:
    """Send every peer message that is due. A second run finds nothing it can claim."""
    delivering.deliver_due(now=clock.now())


@shared_task(ignore_result=True, acks_late=True, soft_time_limit=110, time_limit=120)
@place.only_at_home
def deliver_messages(**_later: Any) -> None:
    """Send every Spark message that is due. A second sender finds other ones, or none."""
    draining.drain()


@shared_task(ignore_result=True, acks_late=True, soft_time_limit=110, time_limit=120)
@place.only_at_home
def process_messages(**_later: Any) -> None:
    """Process what inbound queues hold. A second worker takes other messages, or none."""
    working.work(now=clock.now)


@shared_task(ignore_result=True, acks_late=True, soft_time_limit=110, time_limit=120)
@place.only_at_home
def renew_certificates(**_later: Any) -> None:
    """Take every due step of the signing certificates and write the mails ahead of them. A second run finds none."""
    now = clock.now()
    renewing.advance(now=now)
    foretelling.tell_due(now=now)


@shared_task(ignore_result=True, acks_late=True, soft_time_limit=50, time_limit=60)
@place.only_at_home
def lapse_requests(**_later: Any) -> None:
    """End requests nobody decided in time."""
    lapsing.lapse_due(now=clock.now())


@shared_task(ignore_result=True, acks_late=True, soft_time_limit=50, time_limit=60)
@place.only_at_home
def replay_messages(**_later: Any) -> None:
    """Carry every running replay on. A second worker leaves alone what the first one holds."""
    replay_work.work(now=clock.now)


@shared_task(ignore_result=True, acks_late=True, soft_time_limit=280, time_limit=300)
def forget_queue_log(**_later: Any) -> None:
    """Remove lines of the queue log that are older than thirty days."""
    queue_log.forget(now=clock.now())


@shared_task(ignore_result=True, acks_late=True, soft_time_limit=110, time_limit=120)
@place.only_at_home
def watch_alerts(**_later: Any) -> None:
    """Open and end alerts, then make the webhook calls that are due. A second run finds nothing to do."""
    now = clock.now()
    arrivals.count_up()
    looking.look(now=now)
    calling.deliver_due(now=now)


@shared_task(ignore_result=True, acks_late=True, soft_time_limit=110, time_limit=120)
def forget_messages(**_later: Any) -> None:
    """Remove what messages said once their vault keeps it no longer. A second run finds nothing."""
    retention.forget(now=clock.now())
