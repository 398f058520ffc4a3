"""The platform's tasks: wake-ups without logic."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from vaultadmin import clock, place
from vaultadmin.sandboxes import building
from vaultadmin.services import heartbeats
from vaultadmin.services import tidy as tidying
from vaultadmin.worklist import notices


@shared_task(ignore_result=True, soft_time_limit=10)
def pulse(*, queue: str, **_later: Any) -> None:
    """Prove that a worker of this queue gets work done."""
    heartbeats.beat(f"queue:{queue}", now=clock.now())


@shared_task(ignore_result=True)
def tidy(**_later: Any) -> None:
    """Forget expired sessions, old counters and dead links. A second run finds nothing."""
    tidying.sweep(now=clock.now())


@shared_task(ignore_result=True)
def build_sandboxes(**_later: Any) -> None:
    """Build every sandbox that waits. A second run finds nothing it can claim."""
    building.build_due(now=clock.now())


@shared_task(ignore_result=True, acks_late=True, soft_time_limit=110)
@place.only_at_home
def send_notices(**_later: Any) -> None:
    """Write what time alone brings about, then send every mail that is due. A second run finds nothing it can claim."""
    now = clock.now()
    notices.remind(now=now)
    notices.lent(now=now)
    notices.deliver_due(now=now)
