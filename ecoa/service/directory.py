"""What the service knows about a caller and the place it names, in one question to the database.

A place may be remembered for the calls that follow, because every statement that relies on a remembered one compares
the revision it was read at and does nothing when the configuration has changed since.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from ecoa.service.models import (
    ServiceFault,
    ServiceRevision,
    ServiceSecret,
    ServiceSite,
    ServiceStudy,
    ServiceStudyMapping,
    ServiceSystem,
    ServiceTenant,
)

# Study and site may be named by the external or by our own id; where both fit, the caller's own naming wins.
_LOOK_UP = f"""
SELECT sy.id, se.id IS NOT NULL, se.ends_at, sy.allowed_addresses, sy.integration_enabled,
       EXISTS (SELECT 1 FROM {ServiceTenant._meta.db_table} t WHERE t.system_id = sy.id AND t.tenant_id = %(tenant)s),
       st.id, st.state, st.integration_enabled, si.id, si.region,
       EXISTS (SELECT 1 FROM {ServiceFault._meta.db_table} f
               WHERE f.is_on AND f.region = %(region)s AND f.call = %(call)s
                 AND (f.remaining IS NULL OR f.remaining > 0) AND (f.ends_at IS NULL OR f.ends_at > now())),
       (SELECT r.code FROM {ServiceRevision._meta.db_table} r)
FROM {ServiceSystem._meta.db_table} sy
LEFT JOIN {ServiceSecret._meta.db_table} se
    ON se.system_id = sy.id AND se.version = %(secret)s AND se.revoked_at IS NULL
LEFT JOIN LATERAL (
    SELECT s.id, s.integration_enabled, m.state
    FROM {ServiceStudy._meta.db_table} s
    JOIN {ServiceStudyMapping._meta.db_table} m ON m.study_id = s.id AND m.system_id = sy.id
    WHERE s.external_id = %(study)s OR s.internal_id = %(study)s
    ORDER BY s.external_id = %(study)s DESC LIMIT 1
) st ON true
LEFT JOIN LATERAL (
    SELECT i.id, i.region
    FROM {ServiceSite._meta.db_table} i
    WHERE i.study_id = st.id AND (i.number = %(site)s OR i.internal_id = %(site)s)
    ORDER BY i.number = %(site)s DESC LIMIT 1
) si ON true
WHERE sy.external_id = %(system)s
"""  # nosec B608: table names come from our models, values are parameters

_ELSEWHERE = f"""
SELECT EXISTS (
    SELECT 1 FROM {ServiceSite._meta.db_table} i
    JOIN {ServiceStudyMapping._meta.db_table} m ON m.study_id = i.study_id AND m.system_id = %(system_id)s
    WHERE i.study_id <> %(study_id)s AND (i.number = %(site)s OR i.internal_id = %(site)s)
)
"""  # nosec B608: table names come from our models, values are parameters


_REMEMBERED_MAX = 4096


@dataclass(frozen=True, slots=True)
class Question:
    """The names a call gives, and which call it is. `secret` is the version a token was given for; discovery has 0."""

    system: str
    secret: int
    tenant: str
    study: str
    site: str
    region: str
    call: str


@dataclass(frozen=True, slots=True)
class Place:
    """A known system, and what was found of the study and the site it named (None: not found)."""

    system_id: int
    secret_stands: bool
    secret_ends: datetime | None
    allowed_addresses: list[str]
    system_enabled: bool
    tenant_known: bool
    study_id: int | None
    mapping_state: str | None
    study_enabled: bool | None
    site_id: int | None
    site_region: str | None
    faults_armed: bool
    revision: UUID | None

    def admits(self, now: datetime) -> bool:
        """Whether the secret of the token holds still, and the system serves the tenant."""
        return self.secret_stands and self.tenant_known and (self.secret_ends is None or now < self.secret_ends)


_remembered: dict[Question, Place] = {}


def look_up(question: Question) -> Place | None:
    """What the database knows now. None when the system is unknown."""
    names: dict[str, str | int] = {
        "system": _storable(question.system),
        "secret": question.secret,
        "tenant": _storable(question.tenant),
        "study": _storable(question.study),
        "site": _storable(question.site),
        "region": question.region,
        "call": question.call,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOOK_UP, names)
        row = cursor.fetchone()
    return Place(*row) if row else None


def remembered(question: Question) -> Place | None:
    """What this process found last time. Good only for statements that compare its revision."""
    return _remembered.get(question)


def remember(question: Question, place: Place) -> None:
    """Keep a place that was of use. When there are too many, start anew rather than grow.

    A place with a fault armed is not kept: taking a fault and then finding the place outdated would use it up.
    """
    if place.revision is None or place.faults_armed:
        _remembered.pop(question, None)
        return
    if len(_remembered) >= _REMEMBERED_MAX:
        _remembered.clear()
    _remembered[question] = place


def site_is_elsewhere(*, place: Place, site: str) -> bool:
    """Whether another study of the same system has the site. Studies the system cannot reach stay unmentioned."""
    names = {"system_id": place.system_id, "study_id": place.study_id, "site": _storable(site)}
    with connection.cursor() as cursor:
        cursor.execute(_ELSEWHERE, names)
        return bool(cursor.fetchone()[0])


def _storable(name: str) -> str:
    """PostgreSQL cannot hold a NUL, so such a name is no name; none in the store is empty."""
    return "" if "\0" in name else name
