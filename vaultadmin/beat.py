"""Celery's beat with a heartbeat of its own, so that the status page knows the scheduler really ticks."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery.beat import PersistentScheduler
from django.db import Error, connection

from vaultadmin import clock

logger = logging.getLogger(__name__)
_EVERY_SECONDS = 10


class Scheduler(PersistentScheduler):
    """Notes a heartbeat from inside its loop: a scheduler that hangs stops beating."""

    _noted_at = 0.0

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """One turn of the loop, never longer than the heartbeat's interval."""
        if time.monotonic() - self._noted_at >= _EVERY_SECONDS:
            self._note()
        return min(super().tick(*args, **kwargs), _EVERY_SECONDS)

    def _note(self) -> None:
        from vaultadmin.services import heartbeats

        try:
            heartbeats.beat("beat", now=clock.now())
            self._noted_at = time.monotonic()
        except Error as error:
            # The database is away; beat must outlive that and go on scheduling.
            logger.warning("heartbeat of beat not written: %s", str(error).splitlines()[0])
            connection.close()
