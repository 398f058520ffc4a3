"""The one door for participants of every source: what rows meet in the study, which of them are taken, their trail.

Whoever brings rows holds the study's lock (`lock`), so nothing changes between the look and the writes. Order of locks
as in the engine: the study, its run that is not frozen yet, participants (whose trigger moves the counters), whatever
the source keeps, the sites heard from, the audit chain.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from ecoa import sources
from ecoa.imports import problems
from ecoa.models import Participant, StudyMapping
from ecoa.services import sending
from vaultadmin import audit

BATCH = 1000

# What each row meets now. `arrivals` gives line, site, participant_id and internal_id.
_MEET = """
WITH chunk AS MATERIALIZED ({arrivals})
SELECT c.line, c.participant_id, c.internal_id, s.id, p.id, p.participant_id, p.site_id, home.number, p.source,
       p.status, holder.internal_id
  FROM chunk c
  LEFT JOIN ecoa_site s ON s.mapping_id = %(mapping)s AND s.number = c.site
  LEFT JOIN ecoa_participant p ON p.mapping_id = %(mapping)s AND p.internal_id = c.internal_id
  LEFT JOIN ecoa_site home ON home.id = p.site_id
  LEFT JOIN ecoa_participant holder ON holder.mapping_id = %(mapping)s AND holder.participant_id = c.participant_id
 ORDER BY c.line
"""
_GIVEN = """
SELECT line, site, participant_id, internal_id
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(line bigint, site text, participant_id text, internal_id text)
"""

_INSERT = """
INSERT INTO ecoa_participant (vault_id, mapping_id, site_id, participant_id, internal_id, version, synced_version,
                              my_veeva_participant_id, status, in_doubt, stage, code, message, source, source_name,
                              created_at, changed_at)
SELECT %(vault)s, %(mapping)s, r.site, r.participant_id, r.internal_id, 1, 0, '', 'waiting', FALSE, 0, '', '',
       %(source)s, %(source_name)s, %(now)s, %(now)s
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(site bigint, participant_id text, internal_id text)
RETURNING internal_id, id
"""

_CHANGE = """
UPDATE ecoa_participant p
   SET participant_id = r.participant_id, version = p.version + 1, status = 'waiting', stage = 0, code = '',
       message = '', source = %(source)s, source_name = %(source_name)s, changed_at = %(now)s
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(id bigint, participant_id text)
 WHERE p.id = r.id
"""

# A source may put back an ID that people had corrected, and signed for. It owns the ID; it does not do so silently.
_UNDO = """
UPDATE ecoa_correction c
   SET undone_at = %(now)s, undone_by = %(owner)s, undone_value = r.participant_id
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(id bigint, was text, participant_id text)
 WHERE c.participant_id = r.id AND c.state IN ('signed', 'confirmed') AND c.new_value = r.was AND c.undone_at IS NULL
RETURNING c.participant_id, c.old_value, c.new_value
"""

_ADOPT = """
UPDATE ecoa_participant p SET source = %(source)s, source_name = %(source_name)s
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(id bigint)
 WHERE p.id = r.id
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who brings the rows: a key of `ecoa.sources`, its name for people, and the reason the trail gives."""

    source: str
    name: str
    reason: str

    @property
    def owner(self) -> str:
        """Who owns the IDs that come this way, in words."""
        return sources.owner_words(self.source, self.name[:255])


@dataclass(frozen=True, slots=True)
class Arrival:
    """One row of a source; `line` is its place there."""

    line: int
    site: str
    participant_id: str
    internal_id: str


@dataclass
class Batch:
    """Rows sorted by what becomes of them. After `write` every row but the refused ones has its participant's id."""

    last_line: int = 0
    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    same: list[dict[str, Any]] = field(default_factory=list)
    # Of those that stay as they are: the ones whose ID this source owns from now on.
    adopted: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    # Of the changed ones: signed corrections that no longer hold, as (old ID, new ID) by participant.
    undone: dict[int, tuple[str, str]] = field(default_factory=dict)
    # Sites that were heard from, refused rows included.
    sites: set[int] = field(default_factory=set)

    @property
    def taken(self) -> list[dict[str, Any]]:
        """Every row that has a participant."""
        return [*self.new, *self.changed, *self.same]

    @property
    def to_send(self) -> list[int]:
        """The participants eCOA has to hear about."""
        left = (row["id"] for row in self.same if row["status"] != "synced")
        return [*(row["id"] for row in self.new), *(row["id"] for row in self.changed), *left]


def lock(mapping: StudyMapping) -> None:
    """Hold the study for the rest of the transaction: no other rows of it are taken meanwhile."""
    StudyMapping.objects.select_for_update(no_key=True, of=("self",)).get(pk=mapping.pk)
    # Before any participant is: the worker that freezes a run locks it first and its participants then.
    sending.lock_joinable(mapping)


def take(*, mapping: StudyMapping, rows: Sequence[Arrival], origin: Origin, now: datetime) -> Iterator[Batch]:
    """Store rows of a locked study, a batch at a time. The caller writes `entries` of each into the trail."""
    for start in range(0, len(rows), BATCH):
        batch = look(mapping=mapping, rows=rows[start : start + BATCH], source=origin.source)
        write(batch, mapping=mapping, origin=origin, now=now)
        yield batch


def look(*, mapping: StudyMapping, rows: Sequence[Arrival], source: str) -> Batch:
    """What would become of at most a batch of rows of a locked study."""
    plain = json.dumps([_plain(row) for row in rows])
    return sort(meet(_GIVEN, {"mapping": mapping.pk, "rows": plain}), source=source)


def meet(arrivals: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a query with what each of them meets in the study `mapping`."""
    with connection.cursor() as cursor:
        cursor.execute(_MEET.format(arrivals=arrivals), values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def sort(rows: Sequence[tuple[Any, ...]], *, source: str) -> Batch:
    """Decide each row by what the study holds now, which may differ from what a preview saw."""
    batch = Batch(last_line=rows[-1][0] if rows else 0)
    above = sources.above(source)
    for line, participant_id, internal_id, site, known, known_id, known_site, number, owner, status, holder in rows:
        if site is not None:
            batch.sites.add(site)
        row = {"line": line, "id": known, "site": site, "participant_id": participant_id, "internal_id": internal_id}
        same = known_id == participant_id
        problem = _problem(site, known, known_site, same, holder, owner in above)
        if problem:
            detail = f":{number}" if problem == problems.OTHER_SITE else ""
            batch.refused.append({"line": line, "problem": problem + detail})
        elif known is None:
            batch.new.append(row)
        elif not same:
            batch.changed.append(row | {"was": known_id})
        else:
            batch.same.append(row | {"status": status})
            if source in sources.above(owner):
                batch.adopted.append(row | {"was_source": owner})
    return batch


def write(batch: Batch, *, mapping: StudyMapping, origin: Origin, now: datetime) -> None:
    """Store what was sorted."""
    values: dict[str, Any] = {
        "vault": mapping.vault_id,
        "mapping": mapping.pk,
        "source": origin.source,
        "source_name": origin.name[:255],
        "now": now,
    }
    with connection.cursor() as cursor:
        if batch.new:
            cursor.execute(_INSERT, {**values, "rows": json.dumps(batch.new)})
            ids = dict(cursor.fetchall())
            for row in batch.new:
                row["id"] = ids[row["internal_id"]]
        if batch.changed:
            cursor.execute(_CHANGE, {**values, "rows": json.dumps(batch.changed)})
            cursor.execute(_UNDO, {"now": now, "owner": origin.owner, "rows": json.dumps(batch.changed)})
            batch.undone = {participant: (old, new) for participant, old, new in cursor.fetchall()}
        if batch.adopted:
            cursor.execute(_ADOPT, {**values, "rows": json.dumps(batch.adopted)})


def entries(batch: Batch, origin: Origin) -> list[audit.Entry]:
    """The trail of a stored batch, one row a participant that came or changed."""
    return [
        *(_entry("participant.created", row, _created(row), origin) for row in batch.new),
        *(_entry("participant.changed", row, _changed(row), origin) for row in batch.changed),
        *(
            _entry("correction.undone", row, _undone(row, batch.undone[row["id"]]), origin)
            for row in batch.changed
            if row["id"] in batch.undone
        ),
        *(_entry("participant.source_changed", row, _adopted(row, origin), origin) for row in batch.adopted),
    ]


def record(*, mapping: StudyMapping, by: audit.Actor, trail: Sequence[audit.Entry]) -> None:
    """Write the rows of many participants; pages that show what people did lately leave them out."""
    for start in range(0, len(trail), audit.MAX_BATCH):
        audit.record_many(vault=mapping.vault, by=by, entries=trail[start : start + audit.MAX_BATCH], in_bulk=True)


def _plain(row: Arrival) -> dict[str, Any]:
    return {
        "line": row.line,
        "site": row.site,
        "participant_id": row.participant_id,
        "internal_id": row.internal_id,
    }


def _problem(
    site: int | None, known: int | None, known_site: int | None, same: bool, holder: str | None, owned: bool
) -> str:
    if site is None:
        return problems.UNKNOWN_SITE
    if known is not None and known_site != site:
        return problems.OTHER_SITE
    if holder is not None and not same:
        return problems.INTERNAL_ID_CHANGE if known is None else problems.PARTICIPANT_ID_TAKEN
    return problems.OWNED_ELSEWHERE if owned and not same else ""


def _entry(event: str, row: dict[str, Any], changes: audit.Changes, origin: Origin) -> audit.Entry:
    subject = Participant._meta.label_lower
    return audit.Entry(event, subject, str(row["id"]), row["participant_id"], changes, origin.reason[:200])


def _created(row: dict[str, Any]) -> audit.Changes:
    return {"participant ID": (None, row["participant_id"]), "internal ID": (None, row["internal_id"])}


def _changed(row: dict[str, Any]) -> audit.Changes:
    return {"participant ID": (row["was"], row["participant_id"])}


def _undone(row: dict[str, Any], correction: tuple[str, str]) -> audit.Changes:
    old, new = correction
    return {"correction": (f"{old} → {new}", None), "participant ID": (row["was"], row["participant_id"])}


def _adopted(row: dict[str, Any], origin: Origin) -> audit.Changes:
    return {"source": (str(sources.get(row["was_source"]).label), str(sources.get(origin.source).label))}
