"""Is everything where it should be? Asked of the service's own store and of ours, row by row, value by value."""

from __future__ import annotations

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
SELECT count(*) FROM {ServiceParticipant._meta.db_table} s
  JOIN {Participant._meta.db_table} p ON p.mapping_id = %(mapping)s AND p.internal_id = s.internal_id
 WHERE starts_with(s.participant_id, %(prefix)s) AND p.participant_id = s.participant_id
   AND p.my_veeva_participant_id = s.my_veeva_participant_id::text
   AND p.status = %(synced)s AND p.synced_version = p.version
"""


def arrived(prefix: str, amount: int) -> None:
    """The service holds exactly these participants, each with its own value."""
    _expect(amount, _count(_IN_STORE, prefix=f"{prefix}-"), f"{prefix}: participants in the service's store")


def matched(world: World, prefix: str, amount: int) -> None:
    """The service holds them, and our rows say the same as the service's."""
    arrived(prefix, amount)
    found = _count(_MATCHED, prefix=f"{prefix}-", mapping=world.mapping.pk, synced=ParticipantStatus.SYNCED)
    _expect(amount, found, f"{prefix}: participants known alike on both sides")


def settled(world: World, run: SyncRun, prefix: str, amount: int) -> None:
    """A run of ours did all it promises: outcomes, one try each, a trail of each move."""
    _expect(amount, run.synced, f"{run}: participants in eCOA")
    _expect(amount, run.total, f"{run}: participants planned")
    _expect(amount, SyncItem.objects.filter(run=run, state=ItemState.SYNCED, due_at=None).count(), f"{run}: items over")
    _expect(amount, Attempt.objects.filter(item__run=run, ended_at__isnull=False).count(), f"{run}: tries noted")
    trail = AuditEvent.objects.filter(event="participant.synced", reason=str(run), chain=run.vault_id)
    _expect(amount, trail.count(), f"{run}: entries in the audit trail")
    matched(world, prefix, amount)


def _count(statement: str, **values: str | int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: int = cursor.fetchone()[0]
    return found


def _expect(wanted: int, found: int, what: str) -> None:
    if found != wanted:
        raise BenchError(f"{what}: {found} instead of {wanted}.")
