"""Who is alive: beat and one worker per queue, read from their heartbeats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from vaultadmin.models import Heartbeat

QUEUES = ("interactive", "delivery", "processing", "sync", "maintenance")
# A pulse comes every ten seconds; four missed ones are a fact, one is a busy moment.
SILENT_AFTER = timedelta(seconds=45)


@dataclass(frozen=True)
class Sign:
    """One thing that should beat: when it last did, and whether that is recent enough."""

    name: str
    at: datetime | None
    age: int | None
    alive: bool


@dataclass(frozen=True)
class VitalSigns:
    """Everything that should beat."""

    beat: Sign
    queues: list[Sign]

    @property
    def workers_alive(self) -> bool:
        """Has every queue a worker that gets work done?"""
        return all(sign.alive for sign in self.queues)

    @property
    def sentence(self) -> str:
        """What to tell people, empty while all is well."""
        if not self.beat.alive:
            return "Scheduled work is not running: no beat process has answered for a while."
        silent = [sign.name for sign in self.queues if not sign.alive]
        if silent:
            return f"No worker answers for {', '.join(silent)}: work is kept and will go on when one is back."
        return ""


def read(*, now: datetime) -> VitalSigns:
    """One query for all signs."""
    seen = dict(Heartbeat.objects.values_list("name", "at"))
    return VitalSigns(
        beat=_sign("beat", seen.get("beat"), now),
        queues=[_sign(queue, seen.get(f"queue:{queue}"), now) for queue in QUEUES],
    )


def _sign(name: str, at: datetime | None, now: datetime) -> Sign:
    if at is None:
        return Sign(name, None, None, alive=False)
    age = now - at
    return Sign(name, at, int(age.total_seconds()), alive=age < SILENT_AFTER)
