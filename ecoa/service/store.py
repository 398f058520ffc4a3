"""The participants of the regions: one statement writes, one reads."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, connection
from psycopg.errors import UniqueViolation

from ecoa.contract import Code
from ecoa.service.models import ServiceParticipant
from ecoa.service.refusals import Refusal

_TABLE = ServiceParticipant._meta.db_table

# The participant keeps its myVeevaParticipantId through every change of id, site and region. No row comes back when
# another participant of the study holds the participant id; the unique constraint decides between two at once.
_UPSERT = f"""
INSERT INTO {_TABLE} AS mine
    (study_id, site_id, region, internal_id, participant_id, my_veeva_participant_id, created_at, updated_at)
SELECT %(study)s, %(site)s, %(region)s, %(internal)s, %(participant)s, %(new_id)s, %(now)s, %(now)s
WHERE NOT EXISTS (
    SELECT 1 FROM {_TABLE} other
    WHERE other.study_id = %(study)s AND other.participant_id = %(participant)s AND other.internal_id <> %(internal)s
)
ON CONFLICT (study_id, internal_id) DO UPDATE
    SET participant_id = EXCLUDED.participant_id, site_id = EXCLUDED.site_id, region = EXCLUDED.region,
        updated_at = EXCLUDED.updated_at
RETURNING my_veeva_participant_id
"""

_FIND = f"""
SELECT my_veeva_participant_id, participant_id FROM {_TABLE}
WHERE study_id = %(study)s AND internal_id = %(internal)s AND site_id = %(site)s AND region = %(region)s
"""

_ATTEMPTS = 3


def upsert(*, study_id: int, site_id: int, region: str, internal_id: str, participant_id: str, now: datetime) -> UUID:
    """Create or update a participant and return its myVeevaParticipantId; ID-0003 when the id is another's.

    Two calls at once for one new participant can trip over the second constraint before the first one settles them.
    By the time the error comes, the other call has committed, so asking again gives the true answer.
    """
    values: dict[str, Any] = {
        "study": study_id,
        "site": site_id,
        "region": region,
        "internal": internal_id,
        "participant": participant_id,
        "new_id": uuid4(),
        "now": now,
    }
    for _ in range(_ATTEMPTS):
        try:
            written = _write(values)
        except IntegrityError as error:
            if not isinstance(error.__cause__, UniqueViolation):
                raise
            continue
        if written is not None:
            return written
        break
    raise Refusal(Code.PARTICIPANT_EXISTS, "The participantId belongs to another participant of the study")


def find(*, study_id: int, site_id: int, region: str, internal_id: str) -> tuple[UUID, str]:
    """myVeevaParticipantId and participantId of a participant at this site; NF-0004 when it is not there."""
    values: dict[str, Any] = {"study": study_id, "site": site_id, "region": region, "internal": internal_id}
    with connection.cursor() as cursor:
        cursor.execute(_FIND, values)
        row = cursor.fetchone()
    if row is None:
        raise Refusal(Code.PARTICIPANT_NOT_FOUND, "Participant not found")
    return row[0], row[1]


def _write(values: dict[str, Any]) -> UUID | None:
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, values)
        row = cursor.fetchone()
    return row[0] if row else None
