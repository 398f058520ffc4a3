"""Settling a batch: what happened is written in five statements, only for rows still under our lease.

Order of locks, the same everywhere in the engine so that nothing waits in a circle: items, tries, participants (whose
trigger moves the site's counters), what was learnt by asking (`proof`), the run, the study's day, the audit chain.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from ecoa.client.types import Stage
from ecoa.models import SyncRun
from ecoa.sync import facts, proof, reasons
from ecoa.sync.carrying import Outcome, Verdict
from ecoa.sync.policy import Policy
from vaultadmin import audit

ACTOR = audit.System("eCOA sync")


@dataclass(frozen=True, slots=True)
class Settled:
    """What one settlement wrote. `lost` rows had been taken over by another worker."""

    written: int
    lost: int


_CLOSE_ITEMS = """
UPDATE ecoa_syncitem i
   SET state = o.state, due_at = o.due_at, doubtful = o.doubtful, code = o.code, read_back = o.read_back,
       attempts = i.attempts - o.untried, crashes = 0, lease_token = NULL, lease_until = NULL,
       settled_at = CASE WHEN o.due_at IS NULL THEN %(now)s END
  FROM jsonb_to_recordset(%(groups)s::jsonb) AS o(
       item bigint[], state text, due_at timestamptz, doubtful boolean, code text, read_back boolean,
       untried smallint), unnest(o.item) AS u(item)
 WHERE i.id = u.item AND i.lease_token = %(token)s
RETURNING i.id
"""

# `ids` repeats what the groups hold, so that the planner knows how many rows there are and never reads a whole table.
# Evidence is closed even when the lease was lost: the try did happen.
_CLOSE_TRIES = """
UPDATE ecoa_attempt a
   SET ended_at = %(now)s, outcome = o.outcome, stage = o.stage, code = o.code, detail = o.detail,
       read_back = o.read_back
  FROM jsonb_to_recordset(%(groups)s::jsonb) AS o(
       attempt bigint[], outcome text, stage smallint, code text, detail text, read_back boolean),
       unnest(o.attempt) AS u(attempt)
 WHERE a.id = u.attempt AND a.id = ANY(%(ids)s)
"""

# A row changed since the plan was made keeps waiting for its newer version; only what eCOA confirmed is noted, or that
# an older value may still land.
_MOVE_PARTICIPANTS = """
WITH o AS MATERIALIZED (
    SELECT g.status, g.stage, g.code, g.detail, g.read_back, u.*
      FROM jsonb_to_recordset(%(groups)s::jsonb) AS g(
           attempt bigint[], participant bigint[], version integer[], my_id text[], status text, stage smallint,
           code text, detail text, read_back boolean),
           unnest(g.attempt, g.participant, g.version, g.my_id) AS u(attempt, participant, version, my_id)
), old AS (
    SELECT p.id, p.status AS was, p.my_veeva_participant_id AS was_my_id, p.version = o.version AS current,
           o.version AS sent, o.status, o.stage, o.code, o.detail, o.my_id, o.attempt,
           o.read_back AND o.status = 'synced' AND o.version >= p.confirmed_version AS confirms
      FROM ecoa_participant p JOIN o ON o.participant = p.id
     ORDER BY p.id
       FOR NO KEY UPDATE OF p
)
UPDATE ecoa_participant p
   SET status = CASE WHEN old.current THEN old.status ELSE p.status END,
       in_doubt = old.status = 'unknown',
       stage = CASE WHEN old.current THEN old.stage ELSE p.stage END,
       code = CASE WHEN old.current THEN old.code ELSE p.code END,
       message = CASE WHEN old.current THEN old.detail ELSE p.message END,
       my_veeva_participant_id = CASE WHEN old.my_id <> '' THEN old.my_id ELSE p.my_veeva_participant_id END,
       synced_version = CASE WHEN old.status = 'synced' THEN GREATEST(p.synced_version, old.sent)
                             ELSE p.synced_version END,
       synced_at = CASE WHEN old.status = 'synced' THEN %(now)s ELSE p.synced_at END,
       changed_at = CASE WHEN old.current AND old.status <> p.status THEN %(now)s ELSE p.changed_at END,
       first_sent_at = COALESCE(p.first_sent_at, (
           SELECT min(t.started_at) FROM ecoa_attempt t
            WHERE t.participant_id = p.id AND (t.stage >= %(sent)s OR t.outcome = 'started'))),
       confirmed_at = CASE WHEN old.confirms THEN %(now)s ELSE p.confirmed_at END,
       confirmed_version = CASE WHEN old.confirms THEN old.sent ELSE p.confirmed_version END,
       confirmed_by = CASE WHEN old.confirms THEN 'run ' || %(run)s || ' try ' || old.attempt ELSE p.confirmed_by END
  FROM old
 WHERE p.id = old.id AND p.id = ANY(%(ids)s) AND (old.current OR old.status <> 'rejected')
RETURNING p.id, p.participant_id, old.was, p.status, old.was_my_id, p.my_veeva_participant_id, p.code
"""


def settle(*, run: SyncRun, token: UUID, outcomes: list[Outcome], policy: Policy, now: datetime) -> Settled:
    """Write the outcomes of one batch. Rows whose lease we lost are left to whoever holds them now."""
    rows = [_row(outcome, policy, now) for outcome in outcomes]
    with transaction.atomic():
        items = _close_items(rows, token, now)
        _close_tries(rows, now)
        kept = set(items)
        moved = _move_participants(run, [row for row in rows if row["status"] and row["item"] in kept], now)
        learnt = _learn(run, outcomes, kept, now)
        _count(run, [row for row in rows if row["item"] in kept], heard=any(row["heard"] for row in rows))
        _count_day(run, rows, kept, now)
        record_moves(run, moved)
        record(run, learnt)
    return Settled(written=len(items), lost=len(rows) - len(items))


def _row(outcome: Outcome, policy: Policy, now: datetime) -> dict[str, Any]:
    """One outcome as the statements read it: is the item over, and what does the participant show?"""
    job, untried = outcome.job, outcome.verdict is Verdict.UNTRIED
    over = outcome.final or (not untried and job.number >= policy.tries)
    doubtful = outcome.verdict is Verdict.UNKNOWN or (untried and job.doubtful)
    state = _item_state(outcome, over=over)
    wait = max(outcome.wait, 0.0 if untried else policy.wait_after(job.number))
    return {
        "item": job.item,
        "attempt": job.attempt,
        "participant": job.participant,
        "version": job.version,
        "state": state,
        "due_at": None if over else (now + timedelta(seconds=wait)).isoformat(),
        "doubtful": doubtful,
        "untried": int(untried),
        # The participant moves when its item is over, and as soon as it is in doubt.
        "status": _shown(state) if over else ("unknown" if outcome.verdict is Verdict.UNKNOWN else ""),
        "outcome": "not_sent" if untried or outcome.verdict is Verdict.ABSENT else outcome.verdict.value,
        "stage": int(outcome.stage),
        "code": outcome.code,
        "detail": outcome.detail,
        "my_id": outcome.my_veeva_participant_id,
        "read_back": outcome.read_back,
        "over": over,
        "heard": outcome.verdict in (Verdict.SYNCED, Verdict.REJECTED, Verdict.ABSENT),
    }


def _item_state(outcome: Outcome, *, over: bool) -> str:
    if outcome.verdict in (Verdict.SYNCED, Verdict.REJECTED):
        return outcome.verdict.value
    if outcome.verdict is Verdict.ABSENT:
        return "cancelled"
    # Tries used up without ever being sent: what eCOA holds is not known to us either.
    return "unknown" if over or outcome.verdict is Verdict.UNKNOWN else "waiting"


def _shown(state: str) -> str:
    """The participant's state for an item's: what was only asked about and is not there waits to be sent."""
    return "waiting" if state == "cancelled" else state


def _learn(run: SyncRun, outcomes: list[Outcome], kept: set[int], now: datetime) -> list[audit.Entry]:
    """What was asked and answered, for the items that are still ours; returns the trail's entries."""
    learnt = [_lesson(outcome) for outcome in outcomes if outcome.job.item in kept]
    told = [row for row in learnt if row["readings"] or row["agrees"] is not None or row["clash"] is not None]
    return proof.keep(rows=told, vault=run.vault, by=ACTOR, origin=f"run {run.pk}", now=now) if told else []


def _lesson(outcome: Outcome) -> dict[str, Any]:
    job, clash = outcome.job, outcome.clash
    confirmed = outcome.verdict is Verdict.SYNCED and outcome.read_back
    differs = clash is not None and bool(clash.their_value)
    return {
        "participant": job.participant,
        "attempt": job.attempt,
        "version": job.version,
        "label": job.value,
        "readings": outcome.readings if outcome.verdict is not Verdict.UNTRIED else [],
        "agrees": True if confirmed else False if differs else None,
        "their_value": job.value if confirmed else clash.their_value if clash is not None else "",
        "clash": clash,
    }


def _close_items(rows: list[dict[str, Any]], token: UUID, now: datetime) -> list[int]:
    groups = _grouped(rows, each=("item",), alike=("state", "due_at", "doubtful", "code", "read_back", "untried"))
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE_ITEMS, {"groups": groups, "token": token, "now": now})
        return [item for (item,) in cursor.fetchall()]


def _close_tries(rows: list[dict[str, Any]], now: datetime) -> None:
    tried = [row for row in rows if not row["untried"]]
    groups = _grouped(tried, each=("attempt",), alike=("outcome", "stage", "code", "detail", "read_back"))
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE_TRIES, {"groups": groups, "ids": [row["attempt"] for row in tried], "now": now})
        untried = [row["attempt"] for row in rows if row["untried"]]
        if untried:
            cursor.execute("DELETE FROM ecoa_attempt WHERE id = ANY(%s)", [untried])


def _move_participants(run: SyncRun, rows: list[dict[str, Any]], now: datetime) -> list[tuple[Any, ...]]:
    if not rows:
        return []
    each = ("attempt", "participant", "version", "my_id")
    groups = _grouped(rows, each=each, alike=("status", "stage", "code", "detail", "read_back"))
    values: dict[str, Any] = {"groups": groups, "now": now, "run": str(run.pk), "sent": int(Stage.SENT)}
    values["ids"] = [row["participant"] for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(_MOVE_PARTICIPANTS, values)
        moved: list[tuple[Any, ...]] = cursor.fetchall()
    return moved


def _grouped(rows: list[dict[str, Any]], *, each: tuple[str, ...], alike: tuple[str, ...]) -> str:
    """Rows as JSON, what many have alike written once: nearly all of a batch end the same way."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in alike)].append(row)
    return json.dumps(
        [
            {**dict(zip(alike, values, strict=True)), **{name: [row[name] for row in group] for name in each}}
            for values, group in groups.items()
        ]
    )


def _count(run: SyncRun, rows: list[dict[str, Any]], *, heard: bool) -> None:
    over = Counter(row["state"] for row in rows if row["over"])
    names = {"cancelled": "dropped"}
    sets: dict[str, Any] = {names.get(name, name): F(names.get(name, name)) + n for name, n in over.items()}
    confirmed = sum(1 for row in rows if row["over"] and row["state"] == "synced" and row["read_back"])
    if confirmed:
        sets["confirmed"] = F("confirmed") + confirmed
    if heard:
        sets |= {"silent_since": None, "held_until": None, "held_asked": 0}
    if sets:
        SyncRun.objects.filter(pk=run.pk).update(**sets)
    reasons.count(run.pk, Counter((row["state"], row["code"]) for row in rows if row["over"]))


def _count_day(run: SyncRun, rows: list[dict[str, Any]], kept: set[int], now: datetime) -> None:
    over = Counter(row["state"] for row in rows if row["over"] and row["item"] in kept)
    facts.count_day(
        run.mapping_id,
        at=now,
        sent=sum(1 for row in rows if row["stage"] >= Stage.SENT and not row["untried"]),
        confirmed=over["synced"],
        rejected=over["rejected"],
        unknown=over["unknown"],
    )


def record_moves(run: SyncRun, moved: list[tuple[Any, ...]]) -> None:
    """The trail of participants that moved: one entry each, one link of the chain per thousand."""
    entries = [entry for row in moved if (entry := _entry(run, row)) is not None]
    record(run, entries)


def record(run: SyncRun, entries: list[audit.Entry]) -> None:
    """Write entries of a run's machine work, a thousand a link."""
    for start in range(0, len(entries), audit.MAX_BATCH):
        audit.record_many(vault=run.vault, by=ACTOR, entries=entries[start : start + audit.MAX_BATCH])


def _entry(run: SyncRun, row: tuple[Any, ...]) -> audit.Entry | None:
    """The trail of one participant's move, None when nothing people know about it changed."""
    pk, label, was, status, was_my_id, my_id, code = row
    changes: audit.Changes = {}
    if was != status:
        changes["state"] = (was, status)
    if was_my_id != my_id:
        changes["MyVeeva participant ID"] = (was_my_id or None, my_id)
    if not changes:
        return None
    reason = f"Run {run.pk}" + (f", {code}" if code else "")
    return audit.Entry(f"participant.{status}", "ecoa.participant", str(pk), label, changes, reason)
