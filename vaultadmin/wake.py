"""wake(lane): tell the workers of a lane, after commit, that rows are due.

A nudge and nothing more: every lane also has a tick that derives its work from the rows, so a nudge that is lost
with Redis costs seconds, never work.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)
_lanes: dict[str, str] = {}


def register(lane: str, task_name: str) -> None:
    """Say which Celery task drains a lane. Apps call it in AppConfig.ready."""
    if _lanes.setdefault(lane, task_name) != task_name:
        raise ValueError(f"Lane {lane!r} already has a task.")


def wake(lane: str, **ids: Any) -> None:
    """Send the lane's task once the current transaction has committed; `ids` are keyword ids for it."""
    transaction.on_commit(partial(_send, _lanes[lane], ids), robust=True)


def _send(task_name: str, ids: dict[str, Any]) -> None:
    try:
        current_app.send_task(task_name, kwargs=ids, ignore_result=True, retry=False)
    except (OperationalError, ConnectionError, TimeoutError) as error:
        # Redis is away: the row is committed and the lane's tick will find it.
        logger.debug("wake %s not sent: %s", task_name, error)
