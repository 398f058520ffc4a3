"""Is everything where it should be? Asked of the other side's own store and of ours, row by row, value by value."""

from __future__ import annotations

from typing import Protocol

from django.db import connection

from bench.errors import BenchError
from bench.world import World
from ecoa.models import Attempt, ItemState, Participant, ParticipantStatus, SyncItem, SyncRun
from ecoa.service.models import ServiceParticipant
from vaultadmin.models import AuditEvent

# The internal ID says which participant ID belongs to it, so a value in the wrong row is seen.
_IN_STORE = f"""
SELECT count(*) FROM {ServiceParticipant._meta.db_table}
 WHERE starts_with(participant_id, %(prefix)s) AND internal_id = 'i-' || participant_id
"""
_MATCHED = f"""
SELECT count(*) FROM {Participant._meta.db_table} p
 WHERE p.mapping_id = %(mapping)s AND starts_with(p.participant_id, %(prefix)s)
   AND p.internal_id = 'i-' || p.participant_id AND p.my_veeva_participant_id = {{remote_id}}
   AND p.status = %(synced)s AND p.synced_version = p.version
"""


class Store(Protocol):
    """What the other side holds. `remote_id` is SQL for its name of our participant `p`."""

    @property
    def remote_id(self) -> str: ...

    def held(self, prefix: str) -> int:
        """Participants whose ID begins so, each with the internal ID that belongs to it."""
        ...


class BundledStore:
    """The rows of the bundled service."""

    remote_id = (
        f"(SELECT s.my_veeva_participant_id::text FROM {ServiceParticipant._meta.db_table} s"
        " WHERE s.internal_id = p.internal_id AND s.participant_id = p.participant_id)"
    )

    def held(self, prefix: str) -> int:
        return _count(_IN_STORE, prefix=prefix)


def arrived(store: Store, prefix: str, amount: int) -> None:
    """The other side holds exactly these participants, each with its own value."""
    _expect(amount, store.held(f"{prefix}-"), f"{prefix}: participants on the other side")


def matched(world: World, store: Store, prefix: str, amount: int) -> None:
    """The other side holds them, and our rows say the same as it does."""
    arrived(store, prefix, amount)
    statement = _MATCHED.format(remote_id=store.remote_id)
    found = _count(statement, prefix=f"{prefix}-", mapping=world.mapping.pk, synced=ParticipantStatus.SYNCED)
    _expect(amount, found, f"{prefix}: participants known alike on both sides")


def settled(world: World, store: Store, run: SyncRun, prefix: str, amount: int) -> None:
    """A run of ours did all it promises: outcomes, one try each, a trail of each move."""
    _expect(amount, run.synced, f"{run}: participants in eCOA")
    _expect(amount, run.total, f"{run}: participants planned")
    _expect(amount, SyncItem.objects.filter(run=run, state=ItemState.SYNCED, due_at=None).count(), f"{run}: items over")
    _expect(amount, Attempt.objects.filter(item__run=run, ended_at__isnull=False).count(), f"{run}: tries noted")
    trail = AuditEvent.objects.filter(event="participant.synced", reason=str(run), chain=run.vault_id)
    _expect(amount, trail.count(), f"{run}: entries in the audit trail")
    matched(world, store, prefix, amount)


def _count(statement: str, **values: str | int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: int = cursor.fetchone()[0]
    return found


def _expect(wanted: int, found: int, what: str) -> None:
    if found != wanted:
        raise BenchError(f"{what}: {found} instead of {wanted}.")
