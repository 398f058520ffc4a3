"""wake(lane): tell the workers of a lane, after commit, that rows are due.

A nudge and nothing more: every lane also has a tick that derives its work from the rows, so a nudge that is lost
with Redis costs seconds, never work.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)
_lanes: dict[str, str] = {}
# Whoever was nudged this many seconds ago is at work or about to be; one more nudge when they are over covers the rest.
PAUSE = 0.2


def register(lane: str, task_name: str) -> None:
    """Say which Celery task drains a lane. Apps call it in AppConfig.ready."""
    if _lanes.setdefault(lane, task_name) != task_name:
        raise ValueError(f"Lane {lane!r} already has a task.")


def wake(lane: str, **ids: Any) -> None:
    """Send the lane's task once the current transaction has committed; `ids` are keyword ids for it.

    However often a transaction asks for the same, one nudge is sent: a thousand messages are put as one is.
    """
    task_name, database = _lanes[lane], transaction.get_connection()
    if not (ids or database.in_atomic_block) and _few.is_to_come(task_name):
        return
    nudge = _Nudge(task_name, ids)
    # What stands there was asked for by a block that is still open or was closed well, so it goes when this one goes.
    if not any(asked == nudge for _, asked, _ in database.run_on_commit):
        database.on_commit(nudge, robust=True)


@dataclass(frozen=True)
class _Nudge:
    task_name: str
    ids: dict[str, Any]

    def __call__(self) -> None:
        if self.ids:
            _send(self.task_name, self.ids)
        else:
            _few.nudge(self.task_name)


class _Few:
    """Nudges of whole lanes, one at once and then one a pause: a thousand messages a second are no thousand nudges."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._timers: dict[str, threading.Timer] = {}

    def is_to_come(self, task_name: str) -> bool:
        """A nudge is still to be sent: whoever gets it finds what is committed by now."""
        return task_name in self._timers

    def nudge(self, task_name: str) -> None:
        """Now, or when the pause since the last one is over."""
        with self._lock:
            if task_name in self._timers:
                return
            left = self._last.get(task_name, -PAUSE) + PAUSE - time.monotonic()
            if left > 0:
                self._timers[task_name] = timer = threading.Timer(left, self._late, [task_name])
                timer.daemon = True
                timer.start()
                return
            self._last[task_name] = time.monotonic()
        _send(task_name, {})

    def _late(self, task_name: str) -> None:
        with self._lock:
            self._timers.pop(task_name, None)
            self._last[task_name] = time.monotonic()
        _send(task_name, {})


_few = _Few()


def _send(task_name: str, ids: dict[str, Any]) -> None:
    try:
        current_app.send_task(task_name, kwargs=ids, ignore_result=True, retry=False)
    except (OperationalError, ConnectionError, TimeoutError) as error:
        # Redis is away: the row is committed and the lane's tick will find it.
        logger.debug("wake %s not sent: %s", task_name, error)
