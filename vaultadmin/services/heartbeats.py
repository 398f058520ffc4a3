"""Signs of life."""

from __future__ import annotations

from datetime import datetime

from vaultadmin.models import Heartbeat


def beat(name: str, *, now: datetime) -> None:
    """Note that `name` works at this moment."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": now})
