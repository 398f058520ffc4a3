"""Turning the checked rows of a file into participants, a batch and a commit at a time, so that no vault is frozen
behind a file. Rows that leave the study's door (`intake`) refused are noted beside their line.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from ecoa import sources
from ecoa.models import FileImport
from ecoa.services import intake
from ecoa.services.intake import Origin
from ecoa.sync import facts
from vaultadmin import audit

BATCH = intake.BATCH

# The good rows of a file from where storing got to.
_NEXT = """
SELECT line, site, participant_id, internal_id FROM ecoa_filerow
 WHERE file_id = %(file)s AND line > %(cursor)s AND problems IS NULL ORDER BY line LIMIT %(batch)s
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


def store_batch(*, file: FileImport, token: UUID, by: audit.Actor, lease: timedelta, now: datetime) -> bool:
    """Store the next rows of a file in one transaction; False when there were none left."""
    origin = Origin(sources.FILE, file.file_name, f"File {file.file_name}")
    with transaction.atomic():
        intake.lock(file.mapping)
        rows = _next_rows(file)
        if not rows:
            return False
        batch = intake.sort(rows, source=origin.source)
        intake.write(batch, mapping=file.mapping, origin=origin, now=now)
        _note(file, batch)
        _advance(file, token, batch, now + lease)
        facts.note_arrivals(batch.sites, at=now)
        intake.record(mapping=file.mapping, by=by, trail=intake.entries(batch, origin))
    return True


def _next_rows(file: FileImport) -> list[tuple[Any, ...]]:
    cursor_line = FileImport.objects.values_list("cursor", flat=True).get(pk=file.pk)
    values = {"file": file.pk, "mapping": file.mapping_id, "cursor": cursor_line, "batch": BATCH}
    return intake.meet(_NEXT, values)


def _note(file: FileImport, batch: intake.Batch) -> None:
    """What became of each line."""
    links = [{"line": row["line"], "id": row["id"]} for row in batch.taken]
    with connection.cursor() as cursor:
        if links:
            cursor.execute(_LINK, {"file": file.pk, "rows": json.dumps(links)})
        if batch.refused:
            cursor.execute(_SKIP, {"file": file.pk, "rows": json.dumps(batch.refused)})


def _advance(file: FileImport, token: UUID, batch: intake.Batch, lease_until: datetime) -> None:
    ours = FileImport.objects.filter(pk=file.pk, lease_token=token).update(
        cursor=batch.last_line,
        stored=F("stored") + len(batch.taken),
        skipped=F("skipped") + len(batch.refused),
        lease_until=lease_until,
        tries=0,
    )
    if not ours:
        raise LeaseLost
