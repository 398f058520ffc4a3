"""Facts that outlive a run, noted by whoever stores or settles: arrivals of a site, and what a day brought.

Call these last before the audit chain: their rows stay locked until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from django.db import connection

# In the order of ids, so that two writers that meet wait for each other and never in a circle.
_ARRIVED = """
UPDATE ecoa_site SET last_arrival_at = GREATEST(last_arrival_at, %(at)s)
 WHERE id IN (SELECT id FROM ecoa_site WHERE id = ANY(%(sites)s) ORDER BY id FOR NO KEY UPDATE)
"""

_COUNT = """
INSERT INTO ecoa_syncday AS d (mapping_id, date, sent, confirmed, rejected, unknown)
VALUES (%(mapping)s, %(date)s, %(sent)s, %(confirmed)s, %(rejected)s, %(unknown)s)
    ON CONFLICT (mapping_id, date) DO UPDATE
   SET sent = d.sent + excluded.sent, confirmed = d.confirmed + excluded.confirmed,
       rejected = d.rejected + excluded.rejected, unknown = d.unknown + excluded.unknown
"""


def note_arrivals(sites: Collection[int], *, at: datetime) -> None:
    """A source said something about these sites (ids), news or not: they are not silent. Once per batch."""
    if sites:
        with connection.cursor() as cursor:
            cursor.execute(_ARRIVED, {"sites": sorted(set(sites)), "at": at})


def count_day(
    mapping_id: int, *, at: datetime, sent: int = 0, confirmed: int = 0, rejected: int = 0, unknown: int = 0
) -> None:
    """Add to a study's UTC day.

    `sent` are tries that reached eCOA; the others are participants about which somebody settled: in eCOA, not
    accepted, not known.
    """
    numbers = {"sent": sent, "confirmed": confirmed, "rejected": rejected, "unknown": unknown}
    if any(numbers.values()):
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, {"mapping": mapping_id, "date": at.astimezone(UTC).date(), **numbers})
