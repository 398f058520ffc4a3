"""Turning checked rows into participants, a batch and a commit at a time, so that no vault is frozen behind a file.

Order of locks as in the engine: the study, participants (whose trigger moves the counters), the file, the sites heard
from, the audit chain.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from ecoa.imports import problems
from ecoa.models import FileImport, StudyMapping
from ecoa.sync import facts
from vaultadmin import audit

BATCH = 1000

# What a row meets now. The study is locked, so nothing can change between this look and the writes below.
_NEXT = """
WITH chunk AS MATERIALIZED (
    SELECT line, site, participant_id, internal_id FROM ecoa_filerow
     WHERE file_id = %(file)s AND line > %(cursor)s AND problems IS NULL ORDER BY line LIMIT %(batch)s
)
SELECT c.line, c.participant_id, c.internal_id, s.id, c.site, p.id, p.participant_id, p.site_id, holder.internal_id
  FROM chunk c
  LEFT JOIN ecoa_site s ON s.mapping_id = %(mapping)s AND s.number = c.site
  LEFT JOIN ecoa_participant p ON p.mapping_id = %(mapping)s AND p.internal_id = c.internal_id
  LEFT JOIN ecoa_participant holder ON holder.mapping_id = %(mapping)s AND holder.participant_id = c.participant_id
 ORDER BY c.line
"""

_INSERT = """
INSERT INTO ecoa_participant (vault_id, mapping_id, site_id, participant_id, internal_id, version, synced_version,
                              my_veeva_participant_id, status, in_doubt, stage, code, message, source, created_at,
                              changed_at)
SELECT %(vault)s, %(mapping)s, r.site, r.participant_id, r.internal_id, 1, 0, '', 'waiting', FALSE, 0, '', '', 'file',
       %(now)s, %(now)s
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(site bigint, participant_id text, internal_id text)
RETURNING internal_id, id
"""

_CHANGE = """
UPDATE ecoa_participant p
   SET participant_id = r.participant_id, version = p.version + 1, status = 'waiting', stage = 0, code = '',
       message = '', source = 'file', changed_at = %(now)s
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(id bigint, participant_id text)
 WHERE p.id = r.id
"""

_LINK = """
UPDATE ecoa_filerow f SET stored_as_id = r.id
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(line bigint, id bigint)
 WHERE f.file_id = %(file)s AND f.line = r.line
"""

_SKIP = """
UPDATE ecoa_filerow f SET problems = ARRAY[r.problem]
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(line bigint, problem text)
 WHERE f.file_id = %(file)s AND f.line = r.line
"""


class LeaseLost(Exception):
    """Another worker goes on with this file."""


@dataclass
class _Sorted:
    """One batch, sorted by what has to be done."""

    last_line: int = 0
    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[dict[str, Any]] = field(default_factory=list)
    sites: set[int] = field(default_factory=set)


def store_batch(*, file: FileImport, token: UUID, by: audit.Actor, lease: timedelta, now: datetime) -> bool:
    """Store the next rows of a file in one transaction; False when there were none left."""
    with transaction.atomic():
        StudyMapping.objects.select_for_update(no_key=True, of=("self",)).get(pk=file.mapping_id)
        rows = _next_rows(file)
        if not rows:
            return False
        batch = _sort(rows)
        _write(file, batch, now)
        _advance(file, token, batch, now + lease)
        facts.note_arrivals(batch.sites, at=now)
        audit.record_many(vault=file.vault, by=by, entries=_entries(file, batch))
    return True


def _next_rows(file: FileImport) -> list[tuple[Any, ...]]:
    cursor_line = FileImport.objects.values_list("cursor", flat=True).get(pk=file.pk)
    values = {"file": file.pk, "mapping": file.mapping_id, "cursor": cursor_line, "batch": BATCH}
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _sort(rows: list[tuple[Any, ...]]) -> _Sorted:
    """Decide each row by what the study holds now, which may differ from what the preview saw."""
    batch = _Sorted(last_line=rows[-1][0])
    for line, participant_id, internal_id, site, number, known, known_id, known_site, holder in rows:
        if site is not None:
            batch.sites.add(site)
        problem = _problem(site, known, known_site, known_id == participant_id, holder)
        if problem:
            detail = f":{number}" if problem == problems.OTHER_SITE else ""
            batch.skipped.append({"line": line, "problem": problem + detail})
        elif known is None:
            batch.new.append({"line": line, "site": site, "participant_id": participant_id, "internal_id": internal_id})
        else:
            batch.links.append({"line": line, "id": known})
            if known_id != participant_id:
                batch.changed.append({"id": known, "participant_id": participant_id, "was": known_id})
    return batch


def _problem(site: int | None, known: int | None, known_site: int | None, same: bool, holder: str | None) -> str:
    if site is None:
        return problems.UNKNOWN_SITE
    if known is not None and known_site != site:
        return problems.OTHER_SITE
    if holder is not None and not same:
        return problems.INTERNAL_ID_CHANGE if known is None else problems.PARTICIPANT_ID_TAKEN
    return ""


def _write(file: FileImport, batch: _Sorted, now: datetime) -> None:
    values: dict[str, Any] = {"vault": file.vault_id, "mapping": file.mapping_id, "file": file.pk, "now": now}
    with connection.cursor() as cursor:
        if batch.new:
            cursor.execute(_INSERT, {**values, "rows": json.dumps(batch.new)})
            ids = dict(cursor.fetchall())
            for row in batch.new:
                row["id"] = ids[row["internal_id"]]
                batch.links.append({"line": row["line"], "id": row["id"]})
        if batch.changed:
            cursor.execute(_CHANGE, {**values, "rows": json.dumps(batch.changed)})
        if batch.links:
            cursor.execute(_LINK, {**values, "rows": json.dumps(batch.links)})
        if batch.skipped:
            cursor.execute(_SKIP, {**values, "rows": json.dumps(batch.skipped)})


def _advance(file: FileImport, token: UUID, batch: _Sorted, lease_until: datetime) -> None:
    ours = FileImport.objects.filter(pk=file.pk, lease_token=token).update(
        cursor=batch.last_line,
        stored=F("stored") + len(batch.links),
        skipped=F("skipped") + len(batch.skipped),
        lease_until=lease_until,
    )
    if not ours:
        raise LeaseLost


def _entries(file: FileImport, batch: _Sorted) -> list[audit.Entry]:
    reason = f"File {file.file_name}"[:200]
    entries = [
        audit.Entry(
            "participant.created",
            "ecoa.participant",
            str(row["id"]),
            row["participant_id"],
            {"participant ID": (None, row["participant_id"]), "internal ID": (None, row["internal_id"])},
            reason,
        )
        for row in batch.new
    ]
    entries += [
        audit.Entry(
            "participant.changed",
            "ecoa.participant",
            str(row["id"]),
            row["participant_id"],
            {"participant ID": (row["was"], row["participant_id"])},
            reason,
        )
        for row in batch.changed
    ]
    return entries
