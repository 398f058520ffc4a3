"""Writing down what was learnt by asking: evidence, the newest read-back, and conflicts found or over.

Called by whoever settles, inside the transaction of the settlement, after the participants and before the run and the
audit chain are locked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from ecoa.client.errors import CONFLICT, PARTICIPANT_EXISTS
from ecoa.models import DiscrepancyKind, Verdict
from ecoa.sync.resolving import Reading
from vaultadmin import audit
from vaultadmin.models import Vault

_EVIDENCE = """
INSERT INTO ecoa_evidence (participant_id, attempt_id, discrepancy_id, asked_at, asked_by, path, status, code, answer,
                           my_veeva_participant_id, verdict)
SELECT o.participant, o.attempt,
       (SELECT d.id FROM ecoa_discrepancy d WHERE d.participant_id = o.participant AND d.state <> 'cleared'),
       o.asked_at, %(by)s, o.path, o.status, o.code, o.answer, o.my_id, o.verdict
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS o(
       participant bigint, attempt bigint, asked_at timestamptz, path text, status smallint, code text, answer text,
       my_id text, verdict text)
 ORDER BY o.participant, o.asked_at
"""

# Only of the value and the site we hold now: what was asked about an older version confirms nothing.
_READ_BACK = """
INSERT INTO ecoa_readback AS r (participant_id, site_id, agrees, their_value, read_at, confirmed_at)
SELECT p.id, p.site_id, o.agrees, o.their_value, %(now)s, CASE WHEN o.agrees THEN %(now)s::timestamptz END
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS o(participant bigint, version integer, agrees boolean, their_value text)
  JOIN ecoa_participant p ON p.id = o.participant AND p.version = o.version
 ORDER BY p.id
    ON CONFLICT (participant_id) DO UPDATE
   SET agrees = excluded.agrees, their_value = excluded.their_value, read_at = excluded.read_at,
       confirmed_at = COALESCE(excluded.confirmed_at, r.confirmed_at)
"""

# A second look at a conflict that stands finds the same row again; a decision that did not help is open once more.
_CONFLICTS = """
INSERT INTO ecoa_discrepancy AS d (vault_id, mapping_id, site_id, participant_id, kind, state, code, detail, version,
        our_value, their_value, their_my_id, holder_unknown, found_by, found_at, seen_at, send_due, stamp)
SELECT p.vault_id, p.mapping_id, p.site_id, p.id, 'conflict', 'open', o.code, o.detail, o.version, o.our_value,
       o.their_value, o.their_my_id, o.holder_unknown, 'resolver', %(now)s, %(now)s, FALSE, 1
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS o(
       participant bigint, version integer, code text, detail text, our_value text, their_value text,
       their_my_id text, holder_unknown boolean)
  JOIN ecoa_participant p ON p.id = o.participant AND p.version = o.version
 ORDER BY p.id
    ON CONFLICT (participant_id) WHERE state IN ('open', 'decided') DO UPDATE
   SET kind = 'conflict', state = 'open', code = excluded.code, detail = excluded.detail, version = excluded.version,
       our_value = excluded.our_value, their_value = excluded.their_value, their_my_id = excluded.their_my_id,
       holder_unknown = excluded.holder_unknown, seen_at = excluded.seen_at, send_due = FALSE,
       decision_id = NULL, stamp = d.stamp + 1
"""

_CLEAR = """
UPDATE ecoa_discrepancy d
   SET state = 'cleared', cleared_at = %(now)s, seen_at = %(now)s, send_due = FALSE, stamp = d.stamp + 1
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS o(participant bigint, version integer)
  JOIN ecoa_participant p ON p.id = o.participant AND p.version = o.version
 WHERE d.participant_id = p.id AND d.state <> 'cleared'
RETURNING d.id, d.participant_id, d.kind
"""

_WORDS = {code.value: str(code.label) for code in Verdict}


def keep(
    *, rows: Sequence[dict[str, Any]], vault: Vault, by: audit.System, origin: str, now: datetime
) -> list[audit.Entry]:
    """Write what the settled rows of one batch learnt; returns the trail's entries for the caller to record.

    A row has participant, version, label and attempt, `readings`, `agrees` (True, False, or None when nothing was
    read), `their_value` and, for a conflict, `clash` with its code.
    """
    asked = [evidence(row, reading) for row in rows for reading in row["readings"]]
    conflicts = [_conflict(row) for row in rows if row["clash"] is not None]
    read = [_read_back(row) for row in rows if row["agrees"] is not None]
    agreed = [row for row in read if row["agrees"]]
    values = {"now": now, "by": f"{by.name}, {origin}"[:64]}
    if read:
        _run(_READ_BACK, read, values)
    if conflicts:
        _run(_CONFLICTS, conflicts, values)
    if asked:
        _run(_EVIDENCE, asked, values)
    cleared = _run(_CLEAR, agreed, values, returns=True) if agreed else []
    return [*_asked_entries(rows), *_found_entries(rows), *_cleared_entries(rows, cleared)]


def evidence(row: dict[str, Any], reading: Reading) -> dict[str, Any]:
    """A reading as the evidence statement takes it."""
    found = reading.found
    return {
        "participant": row["participant"],
        "attempt": row["attempt"],
        "asked_at": reading.asked_at.isoformat(),
        "path": reading.path[:1000],
        "status": reading.status,
        "code": reading.code[:32],
        "answer": found.participant_id[:500] if found is not None else "",
        "my_id": found.my_veeva_participant_id[:255] if found is not None else "",
        "verdict": reading.verdict,
    }


def _conflict(row: dict[str, Any]) -> dict[str, Any]:
    clash = row["clash"]
    return {
        "participant": row["participant"],
        "version": row["version"],
        "code": PARTICIPANT_EXISTS if clash.holder_unknown else CONFLICT,
        "detail": clash.detail[:500],
        "our_value": row["label"],
        "their_value": clash.their_value[:500],
        "their_my_id": clash.their_my_id[:255],
        "holder_unknown": clash.holder_unknown,
    }


def _read_back(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("participant", "version", "agrees", "their_value")}


def _run(statement: str, rows: list[dict[str, Any]], values: dict[str, Any], *, returns: bool = False) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**values, "rows": json.dumps(rows)})
        return list(cursor.fetchall()) if returns else []


def _asked_entries(rows: Sequence[dict[str, Any]]) -> list[audit.Entry]:
    """The questions that settled a doubt, each with the call itself; plain confirmations fill no trail."""
    return [
        _entry("participant.asked", row, question(reading))
        for row in rows
        for reading in row["readings"]
        if reading.verdict in (Verdict.LANDED, Verdict.ABSENT, Verdict.CONFLICT)
    ]


def question(reading: Reading) -> audit.Changes:
    """One question and its answer as the trail shows it."""
    answered = reading.code or (reading.found.participant_id if reading.found is not None else "")
    return {
        "eCOA was asked": (None, f"GET {reading.path}"),
        "Asked at": (None, reading.asked_at),
        "Answer": (None, f"HTTP {reading.status}: {answered}"),
        "MyVeeva participant ID": (None, reading.found.my_veeva_participant_id if reading.found is not None else None),
        "Settled as": (None, _WORDS[reading.verdict]),
    }


def _found_entries(rows: Sequence[dict[str, Any]]) -> list[audit.Entry]:
    return [
        _entry(
            "discrepancy.found", row, {"ours": (None, row["label"]), "eCOA's": (None, row["clash"].their_value or None)}
        )
        for row in rows
        if row["clash"] is not None
    ]


def _cleared_entries(rows: Sequence[dict[str, Any]], cleared: list[tuple[int, int, str]]) -> list[audit.Entry]:
    by_participant = {row["participant"]: row for row in rows}
    return [
        _entry("discrepancy.cleared", by_participant[participant], {"kind": (str(DiscrepancyKind(kind).label), None)})
        for _pk, participant, kind in cleared
    ]


def _entry(event: str, row: dict[str, Any], changes: audit.Changes) -> audit.Entry:
    return audit.Entry(event, "ecoa.participant", str(row["participant"]), row["label"], changes)
