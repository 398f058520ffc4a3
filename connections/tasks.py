"""Wake-ups: no logic, the rows hold what is due."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from connections.services import delivering
from vaultadmin import clock


@shared_task(ignore_result=True, acks_late=True, soft_time_limit=50, time_limit=60)
def deliver_peer_messages(**_later: Any) -> None:
    """Send every peer message that is due. A second run finds nothing it can claim."""
    delivering.deliver_due(now=clock.now())
