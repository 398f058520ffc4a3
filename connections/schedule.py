"""Periodic work of the connections app."""

from typing import Any

BEAT_SCHEDULE: dict[str, Any] = {}
