"""Writing what one step of a round learnt: the newest read-backs, differences found, differences over.

Order of locks as in the engine: participants, read-backs and discrepancies (whose triggers move the site's counters),
the round, the audit chain.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from ecoa.models import DiscrepancyKind, ReadBackCycle, StudyMapping
from ecoa.radar.judging import Look, Says
from ecoa.sync import proof
from vaultadmin import audit

ACTOR = audit.System("eCOA drift radar")

# What changed on our side, or was sent, while we asked is judged next time: its answer may be about the past.
_UNCHANGED = """
SELECT p.id, p.participant_id FROM ecoa_participant p
  JOIN jsonb_to_recordset(%(rows)s::jsonb) AS o(
       participant bigint, version integer, site bigint, asked_from timestamptz)
    ON o.participant = p.id AND o.version = p.version AND o.site = p.site_id
 WHERE NOT p.in_doubt
   AND NOT EXISTS (SELECT 1 FROM ecoa_attempt a WHERE a.participant_id = p.id AND a.started_at >= o.asked_from)
 ORDER BY p.id
   FOR NO KEY UPDATE OF p
"""

_CONFIRM = """
UPDATE ecoa_participant p
   SET confirmed_at = %(now)s, confirmed_version = p.version, confirmed_by = %(by)s,
       my_veeva_participant_id = CASE WHEN p.my_veeva_participant_id = '' THEN o.my_id
                                      ELSE p.my_veeva_participant_id END
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS o(participant bigint, my_id text)
 WHERE p.id = o.participant AND p.synced_version = p.version AND p.confirmed_version < p.version
"""

# Found again it is the same row. It is open once more when a decision did not help, or eCOA's value is another now.
_STANDING = """
   SET kind = CASE WHEN d.kind = 'conflict' THEN d.kind ELSE excluded.kind END, code = excluded.code,
       detail = excluded.detail, version = excluded.version, our_value = excluded.our_value,
       their_value = excluded.their_value, their_my_id = excluded.their_my_id, our_place = excluded.our_place,
       their_place = excluded.their_place, seen_at = excluded.seen_at,
       state = CASE WHEN {kept} THEN d.state ELSE 'open' END,
       decision_id = CASE WHEN {kept} THEN d.decision_id END,
       stamp = d.stamp + CASE WHEN {kept} AND {same} THEN 0 ELSE 1 END
"""
_SAME = """d.their_value = excluded.their_value AND d.their_place = excluded.their_place
           AND d.our_place = excluded.our_place AND d.version = excluded.version"""
_KEPT = f"""(d.state = 'open' OR d.send_due OR (
            {_SAME}
            AND (SELECT x.remedy FROM ecoa_decision x WHERE x.id = d.decision_id) = 'at_source'))"""  # nosec B608: constants of this module

_FOUND = f"""
INSERT INTO ecoa_discrepancy AS d (vault_id, mapping_id, site_id, participant_id, kind, state, code, detail, version,
        our_value, their_value, their_my_id, our_place, their_place, holder_unknown, found_by, found_at, seen_at,
        send_due, stamp)
SELECT %(vault)s, %(mapping)s, o.site, o.participant, o.kind, 'open', o.code, o.detail, o.version, o.our_value,
       o.their_value, o.their_my_id, o.our_place, o.their_place, FALSE, 'radar', %(now)s, %(now)s, FALSE, 1
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS o(
       participant bigint, site bigint, version integer, kind text, code text, detail text, our_value text,
       their_value text, their_my_id text, our_place text, their_place text)
 ORDER BY o.participant
    ON CONFLICT (participant_id) WHERE state IN ('open', 'decided') DO UPDATE {_STANDING.format(kept=_KEPT, same=_SAME)}
RETURNING d.participant_id, xmax = 0
"""  # nosec B608: constants of this module

_FOUND_SITES = f"""
INSERT INTO ecoa_discrepancy AS d (vault_id, mapping_id, site_id, kind, state, code, detail, version, our_value,
        their_value, their_my_id, holder_unknown, found_by, found_at, seen_at, send_due, stamp)
SELECT %(vault)s, %(mapping)s, o.site, o.kind, 'open', o.code, o.detail, 0, o.our_value, o.their_value, '', FALSE,
       'radar', %(now)s, %(now)s, FALSE, 1
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS o(
       site bigint, kind text, code text, detail text, our_value text, their_value text)
 ORDER BY o.site
    ON CONFLICT (site_id, kind) WHERE state IN ('open', 'decided') AND participant_id IS NULL
    DO UPDATE {_STANDING.format(kept=_KEPT, same=_SAME)}
RETURNING d.site_id, xmax = 0
"""  # nosec B608: constants of this module

_CLEAR_SITES = """
UPDATE ecoa_discrepancy d
   SET state = 'cleared', cleared_at = %(now)s, seen_at = %(now)s, stamp = d.stamp + 1
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS o(site bigint, kind text)
 WHERE d.site_id = o.site AND d.kind = o.kind AND d.participant_id IS NULL AND d.state <> 'cleared'
RETURNING d.site_id, d.kind
"""


@dataclass(frozen=True, slots=True)
class Written:
    """What a settlement came to; `again` are participants whose look must be repeated."""

    read: int
    found: int
    cleared: int
    again: list[int]


@dataclass(frozen=True, slots=True)
class SiteNews:
    """What became known of a whole site: `kind` differs, or (with `over`) no longer does."""

    site_id: int
    number: str
    kind: str
    over: bool
    code: str = ""
    detail: str = ""
    ours: str = ""
    theirs: str = ""


def settle(
    *, cycle: ReadBackCycle, mapping: StudyMapping, looks: list[Look], news: list[SiteNews], now: datetime
) -> Written:
    """Write one step, inside the caller's transaction."""
    judged = [look for look in looks if look.says in (Says.AGREES, Says.DIFFERS)]
    labels = _unchanged(judged)
    rows = [_row(look, labels[look.owned.participant]) for look in judged if look.owned.participant in labels]
    agreed = [row for row in rows if row["agrees"]]
    differing = [row for row in rows if not row["agrees"]]
    origin = f"round {cycle.pk}"
    _confirm(agreed, cycle, now)
    found = _find(cycle, mapping, differing, now)
    # Plain confirmations leave the newest read-back only; what differs, or is over, keeps its calls.
    standing = _standing([row["participant"] for row in agreed])
    told = [row if not row["agrees"] or row["participant"] in standing else {**row, "readings": []} for row in rows]
    entries = proof.keep(rows=told, vault=mapping.vault, by=ACTOR, origin=origin, now=now) if told else []
    entries += [_found_entry(row) for row in differing if row["participant"] in found]
    site_entries, site_found, site_cleared = _sites(cycle, mapping, news, now)
    entries += site_entries
    _record(mapping, entries)
    cleared = sum(entry.event == "discrepancy.cleared" for entry in entries) - site_cleared
    again = [look.owned.participant for look in judged if look.owned.participant not in labels]
    return Written(len(rows), len(found) + site_found, cleared + site_cleared, again)


def _unchanged(looks: list[Look]) -> dict[int, str]:
    asked = [
        {
            "participant": look.owned.participant,
            "version": look.owned.version,
            "site": look.owned.site_id,
            "asked_from": min(reading.asked_at for reading in look.readings).isoformat(),
        }
        for look in looks
    ]
    return dict(_run(_UNCHANGED, asked, {})) if asked else {}


def _row(look: Look, label: str) -> dict[str, Any]:
    return {
        "participant": look.owned.participant,
        "site": look.owned.site_id,
        "attempt": None,
        "version": look.owned.version,
        "label": label,
        "readings": look.readings,
        "agrees": look.says is Says.AGREES,
        "their_value": look.their_value[:500],
        "their_my_id": look.their_my_id[:255],
        "my_id": look.their_my_id[:255],
        "our_place": look.our_place[:500],
        "their_place": look.their_place[:500],
        "kind": look.kind,
        "code": look.code[:32],
        "detail": look.detail[:500],
        "our_value": look.owned.value,
        "clash": None,
    }


def _confirm(agreed: list[dict[str, Any]], cycle: ReadBackCycle, now: datetime) -> None:
    if agreed:
        rows = [{"participant": row["participant"], "my_id": row["my_id"]} for row in agreed]
        _run(_CONFIRM, rows, {"now": now, "by": f"read-back {cycle.pk}"}, returns=False)


def _find(cycle: ReadBackCycle, mapping: StudyMapping, differing: list[dict[str, Any]], now: datetime) -> set[int]:
    """Write the differences; returns the participants of which this is news."""
    if not differing:
        return set()
    rows = [{name: value for name, value in row.items() if name not in ("readings", "clash")} for row in differing]
    values = {"vault": mapping.vault_id, "mapping": mapping.pk, "now": now}
    return {participant for participant, is_new in _run(_FOUND, rows, values) if is_new}


def _standing(participants: list[int]) -> set[int]:
    if not participants:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT participant_id FROM ecoa_discrepancy WHERE participant_id = ANY(%s) AND state <> 'cleared'",
            [participants],
        )
        return {participant for (participant,) in cursor.fetchall()}


def _found_entry(row: dict[str, Any]) -> audit.Entry:
    changes: audit.Changes = {
        "kind": (None, str(DiscrepancyKind(row["kind"]).label)),
        "ours": (None, row["our_place"] or row["our_value"]),
        "eCOA's": (None, row["their_place"] or row["their_value"] or None),
    }
    for reading in row["readings"][-1:]:
        changes |= proof.question(reading)
    return audit.Entry(
        "discrepancy.found", "ecoa.participant", str(row["participant"]), row["label"], changes, row["detail"]
    )


def _sites(
    cycle: ReadBackCycle, mapping: StudyMapping, news: list[SiteNews], now: datetime
) -> tuple[list[audit.Entry], int, int]:
    values = {"vault": mapping.vault_id, "mapping": mapping.pk, "now": now}
    bad = [one for one in news if not one.over]
    over = [{"site": one.site_id, "kind": one.kind} for one in news if one.over]
    written = _run(_FOUND_SITES, [_site_row(one) for one in bad], values) if bad else []
    found = {site for site, is_new in written if is_new}
    cleared = {tuple(row) for row in _run(_CLEAR_SITES, over, values)} if over else set()
    entries = [_site_entry("discrepancy.found", one, one.theirs) for one in bad if one.site_id in found]
    entries += [
        _site_entry("discrepancy.cleared", one, None) for one in news if one.over and (one.site_id, one.kind) in cleared
    ]
    return entries, len(found), sum(entry.event == "discrepancy.cleared" for entry in entries)


def _site_row(one: SiteNews) -> dict[str, Any]:
    return {
        "site": one.site_id,
        "kind": one.kind,
        "code": one.code[:32],
        "detail": one.detail[:500],
        "our_value": one.ours[:500],
        "their_value": one.theirs[:500],
    }


def _site_entry(event: str, one: SiteNews, theirs: str | None) -> audit.Entry:
    kind = str(DiscrepancyKind(one.kind).label)
    changes: audit.Changes = {"kind": (None, kind) if theirs is not None else (kind, None)}
    if one.ours or theirs:
        changes["region"] = (one.ours or None, theirs or one.ours)
    return audit.Entry(event, "ecoa.site", str(one.site_id), one.number, changes, one.detail)


def _record(mapping: StudyMapping, entries: list[audit.Entry]) -> None:
    for start in range(0, len(entries), audit.MAX_BATCH):
        audit.record_many(vault=mapping.vault, by=ACTOR, entries=entries[start : start + audit.MAX_BATCH])


def _run(statement: str, rows: list[dict[str, Any]], values: dict[str, Any], *, returns: bool = True) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**values, "rows": json.dumps(rows)})
        return list(cursor.fetchall()) if returns else []
