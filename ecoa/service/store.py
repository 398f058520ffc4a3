"""The participants of the regions: one statement writes, one reads.

Both do nothing when the spot was remembered and the configuration has changed since (Outdated).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError
from psycopg.errors import UniqueViolation

from ecoa.contract import Code
from ecoa.service.models import ServiceParticipant, ServiceRevision
from ecoa.service.models.participants import PARTICIPANT_ONCE
from ecoa.service.refusals import Refusal
from vaultadmin import prepared

_TABLE = ServiceParticipant._meta.db_table
_CURRENT = f"(SELECT code FROM {ServiceRevision._meta.db_table})"  # nosec B608: as below
_HOLDS = f"(%(revision)s::uuid IS NULL OR %(revision)s::uuid = {_CURRENT})"

# The participant keeps its myVeevaParticipantId through every change of id, site and region. Nothing is written when
# another participant of the study holds the participant id; the second constraint decides between two at once.
# Calls for the same participant go one after the other: ON CONFLICT looks at its own constraint only, and two first
# writes of one pair could otherwise trip over the second one, or wait for each other.
_UPSERT = f"""
WITH written AS (
    INSERT INTO {_TABLE}
        (study_id, site_id, region, internal_id, participant_id, my_veeva_participant_id, created_at, updated_at)
    SELECT %(study)s::bigint, %(site)s::bigint, %(region)s::varchar, %(internal)s::varchar, %(participant)s::varchar,
        %(new_id)s::uuid, %(now)s::timestamptz, %(now)s::timestamptz
    FROM (SELECT pg_advisory_xact_lock(hashtextextended(%(internal)s::varchar, %(study)s::bigint))) alone
    WHERE {_HOLDS} AND NOT EXISTS (
        SELECT 1 FROM {_TABLE} other
        WHERE other.study_id = %(study)s::bigint AND other.participant_id = %(participant)s::varchar
            AND other.internal_id <> %(internal)s::varchar
    )
    ON CONFLICT (study_id, internal_id) DO UPDATE
        SET participant_id = EXCLUDED.participant_id, site_id = EXCLUDED.site_id, region = EXCLUDED.region,
            updated_at = EXCLUDED.updated_at
    RETURNING my_veeva_participant_id
)
SELECT {_HOLDS}, (SELECT my_veeva_participant_id FROM written)
"""  # nosec B608: table names come from our models, values are parameters

_FIND = f"""
SELECT {_HOLDS}, found.my_veeva_participant_id, found.participant_id
FROM (SELECT 1) one LEFT JOIN {_TABLE} found
    ON found.study_id = %(study)s::bigint AND found.internal_id = %(internal)s::varchar
    AND found.site_id = %(site)s::bigint AND found.region = %(region)s::varchar
"""  # nosec B608: table names come from our models, values are parameters


class Outdated(Exception):
    """The configuration changed since the place was remembered; nothing was done."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A site of a study in the store of its region, and the revision this was remembered at (None: read just now)."""

    study_id: int
    site_id: int
    region: str
    revision: UUID | None = None


def upsert(spot: Spot, *, internal_id: str, participant_id: str, now: datetime) -> UUID:
    """Create or update a participant and return its myVeevaParticipantId; ID-0003 when the id is another's."""
    values = {"internal": internal_id, "participant": participant_id, "new_id": uuid4(), "now": now}
    try:
        written: UUID | None = _ask(_UPSERT, _values(spot) | values)[0]
    except IntegrityError as error:
        if not _is_taken_meanwhile(error):
            raise
        written = None
    if written is None:
        raise Refusal(Code.PARTICIPANT_EXISTS, "The participantId belongs to another participant of the study")
    return written


def find(spot: Spot, *, internal_id: str) -> tuple[UUID, str]:
    """myVeevaParticipantId and participantId of a participant at this site; NF-0004 when it is not there."""
    my_veeva_participant_id, participant_id = _ask(_FIND, _values(spot) | {"internal": internal_id})
    if my_veeva_participant_id is None:
        raise Refusal(Code.PARTICIPANT_NOT_FOUND, "Participant not found")
    return my_veeva_participant_id, participant_id


def _values(spot: Spot) -> dict[str, Any]:
    return {"study": spot.study_id, "site": spot.site_id, "region": spot.region, "revision": spot.revision}


def _ask(statement: str, values: dict[str, Any]) -> tuple[Any, ...]:
    """The one row of a statement, after its first column said that the revision holds. Twice is as once: the same
    values are written."""
    row = prepared.fetch_one(statement, values)
    if row is None or not row[0]:
        raise Outdated
    return row[1:]


def _is_taken_meanwhile(error: IntegrityError) -> bool:
    cause = error.__cause__
    return isinstance(cause, UniqueViolation) and cause.diag.constraint_name == PARTICIPANT_ONCE
