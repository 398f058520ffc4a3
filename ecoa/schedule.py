"""Periodic work of the ecoa app."""

from typing import Any

BEAT_SCHEDULE: dict[str, Any] = {}
