"""Who is alive: beat and one worker per queue, read from their heartbeats; and whether secrets can be opened."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists
from django.db.models.expressions import BaseExpression

from vaultadmin import secrets
from vaultadmin.models import Heartbeat

QUEUES = ("interactive", "delivery", "processing", "sync", "maintenance")
# A pulse comes every ten seconds; four missed ones are a fact, one is a busy moment.
SILENT_AFTER = timedelta(seconds=45)
SEALED = "Some secrets are sealed: their encryption key is missing. Nothing is sent with them until it is back."


@dataclass(frozen=True)
class Sign:
    """One thing that should beat: when it last did, and whether that is recent enough."""

    name: str
    at: datetime | None
    age: int | None
    alive: bool


@dataclass(frozen=True)
class VitalSigns:
    """Everything that should beat, and whether some secrets are sealed: their encryption key is missing."""

    beat: Sign
    queues: list[Sign]
    sealed: bool

    @property
    def workers_alive(self) -> bool:
        """Has every queue a worker that gets work done?"""
        return all(sign.alive for sign in self.queues)

    @property
    def sentence(self) -> str:
        """The one sentence everybody should see now, empty while all is well."""
        if self.sealed:
            return SEALED
        if not self.beat.alive:
            return "Scheduled work is not running: no beat process has answered for a while."
        silent = [sign.name for sign in self.queues if not sign.alive]
        if silent:
            return f"No worker answers for {', '.join(silent)}: work is kept and will go on when one is back."
        return ""


def read(*, now: datetime) -> VitalSigns:
    """All signs, in one query."""
    rows = list(Heartbeat.objects.annotate(sealed=Exists(secrets.sealed())).values_list("name", "at", "sealed"))
    sealed = any(sealed for *_, sealed in rows) if rows else secrets.sealed().exists()
    return _signs({name: at for name, at, _sealed in rows}, sealed, now)


def parts(key_ids: Collection[str]) -> dict[str, BaseExpression]:
    """All signs as parts of a question about something else; the row that has them answers `of`. `key_ids` are the keys
    we hold."""
    beats = Heartbeat.objects.order_by("name")
    return {
        "beat_names": ArraySubquery(beats.values("name")),
        "beat_times": ArraySubquery(beats.values("at")),
        "are_secrets_sealed": Exists(secrets.sealed(key_ids)),
    }


def of(row: Any, *, now: datetime) -> VitalSigns:
    """The signs on a row that was asked for with `parts`."""
    return _signs(dict(zip(row.beat_names, row.beat_times, strict=True)), row.are_secrets_sealed, now)


def _signs(times: dict[str, datetime], sealed: bool, now: datetime) -> VitalSigns:
    return VitalSigns(
        beat=_sign("beat", times.get("beat"), now),
        queues=[_sign(queue, times.get(f"queue:{queue}"), now) for queue in QUEUES],
        sealed=sealed,
    )


def _sign(name: str, at: datetime | None, now: datetime) -> Sign:
    if at is None:
        return Sign(name, None, None, alive=False)
    age = now - at
    return Sign(name, at, int(age.total_seconds()), alive=age < SILENT_AFTER)
