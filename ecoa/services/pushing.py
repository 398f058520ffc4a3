"""Participants another system pushes: shape, duplicates, storing, the answer per row, and answering once per key.

A push is one transaction: its rows, its trail, its run and the answer kept under its Idempotency-Key exist together or
not at all. A second push with the same key waits on that row and hears the same answer (security.md C5).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from ecoa import sources
from ecoa.imports import problems, shape
from ecoa.models import PushReceipt, Site
from ecoa.services import intake, sending
from ecoa.services.actors import ensure_manager
from ecoa.services.intake import Arrival, Origin
from ecoa.sync import facts
from vaultadmin import audit
from vaultadmin.models import Membership

MAX_ROWS = 10_000
# How long the answer of a push is kept under its key; docs/api.md tells it.
KEEP = timedelta(days=7)

_OUTCOMES = ("created", "changed", "unchanged", "refused")

_RESERVE = """
INSERT INTO ecoa_pushreceipt (vault_id, member_id, key, fingerprint, answer, created_at)
VALUES (%(vault)s, %(member)s, %(key)s, %(fingerprint)s, '', %(now)s)
ON CONFLICT (vault_id, member_id, key) DO NOTHING
RETURNING id
"""


class KeyReused(Exception):
    """The Idempotency-Key came with another request before."""


@dataclass(frozen=True, slots=True)
class PushedRow:
    """One participant as the other system names it."""

    participant_id: str
    internal_id: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Who pushes: the member behind the token, what the token is called, and under which number the call is logged."""

    member: Membership
    name: str
    execution_id: str

    @property
    def origin(self) -> Origin:
        """As the door of participants wants it."""
        return Origin(sources.PUSH, self.name, f"Push {self.execution_id}")


@dataclass
class _Answers:
    """What becomes of each row, by its index."""

    rows: list[dict[str, Any]]
    to_send: list[int] = field(default_factory=list)
    trail: list[audit.Entry] = field(default_factory=list)
    sites: set[int] = field(default_factory=set)


def fingerprint(site: Site, raw: bytes) -> str:
    """What a repeated key must come with again: the same place and the very same bytes."""
    return hashlib.sha256(f"{site.mapping_id}/{site.pk}/".encode() + raw).hexdigest()


def answer_once(
    *, site: Site, key: str, raw: bytes, sender: Sender, now: datetime, rows: Callable[[], Sequence[PushedRow]]
) -> str:
    """The JSON answer of a push. With a key, a repeated one gets the first one's answer; KeyReused for another body."""
    ensure_manager(sender.member, site.vault_id)
    mark = fingerprint(site, raw)
    with transaction.atomic():
        receipt = _reserve(site, key, mark, sender, now) if key else None
        if key and receipt is None:
            return _kept(site, key, mark, sender)
        text = json.dumps(_push(site, rows(), sender, now), ensure_ascii=False, separators=(",", ":"))
        if receipt is not None:
            PushReceipt.objects.filter(pk=receipt).update(answer=text)
    return text


def tidy(*, now: datetime) -> int:
    """Forget answers that were kept long enough; returns how many."""
    return PushReceipt.objects.filter(created_at__lt=now - KEEP).delete()[0]


def _reserve(site: Site, key: str, mark: str, sender: Sender, now: datetime) -> int | None:
    """The row of a new key; None when the key is there, after waiting for whoever is writing it."""
    values: dict[str, Any] = {
        "vault": site.vault_id,
        "member": sender.member.pk,
        "key": key,
        "fingerprint": mark,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, values)
        row = cursor.fetchone()
    return row[0] if row else None


def _kept(site: Site, key: str, mark: str, sender: Sender) -> str:
    receipt = PushReceipt.objects.get(vault=site.vault_id, member=sender.member, key=key)
    if receipt.fingerprint != mark:
        raise KeyReused
    return receipt.answer


def _push(site: Site, rows: Sequence[PushedRow], sender: Sender, now: datetime) -> dict[str, Any]:
    mapping, origin = site.mapping, sender.origin
    intake.lock(mapping)
    good, answers = _looked_at(site, rows)
    for batch in intake.take(mapping=mapping, rows=good, origin=origin, now=now):
        _note(answers, batch)
        answers.trail += intake.entries(batch, origin)
    run = sending.send_soon(mapping=mapping, participants=answers.to_send, by=sender.member, now=now, in_bulk=True)
    facts.note_arrivals(answers.sites, at=now)
    intake.record(mapping=mapping, by=sender.member, trail=[*answers.trail, _summary(site, answers, origin)])
    return {"run": run.pk if run else None, "rows": answers.rows}


def _looked_at(site: Site, rows: Sequence[PushedRow]) -> tuple[list[Arrival], _Answers]:
    """Rows without a problem of their own, and an answer for each that has one."""
    answers = _Answers([{"index": index, "internalId": row.internal_id} for index, row in enumerate(rows)])
    firsts = _firsts(rows, "participant_id"), _firsts(rows, "internal_id")
    good = []
    for index, row in enumerate(rows):
        (_site, participant_id, internal_id), found = shape.inspect(site.number, row.participant_id, row.internal_id)
        found = [*(found or []), *_doubles(row, firsts)]
        if found:
            _refuse(answers, index, found[0])
        else:
            good.append(Arrival(index, site.number, participant_id, internal_id))
    return good, answers


def _firsts(rows: Sequence[PushedRow], name: str) -> dict[str, int]:
    """Values that come more than once, with the index of the first."""
    first: dict[str, int] = {}
    double: dict[str, int] = {}
    for index, row in enumerate(rows):
        value = getattr(row, name).strip()
        if value in first:
            double[value] = first[value]
        first.setdefault(value, index)
    return double


def _doubles(row: PushedRow, firsts: tuple[dict[str, int], dict[str, int]]) -> list[str]:
    participants, internals = firsts
    found = []
    if row.participant_id.strip() in participants:
        found.append(f"{problems.DUPLICATE_PARTICIPANT_ID}:{participants[row.participant_id.strip()]}")
    if row.internal_id.strip() in internals:
        found.append(f"{problems.DUPLICATE_INTERNAL_ID}:{internals[row.internal_id.strip()]}")
    return found


def _note(answers: _Answers, batch: intake.Batch) -> None:
    for status, rows in (("created", batch.new), ("changed", batch.changed), ("unchanged", batch.same)):
        for row in rows:
            answers.rows[row["line"]] |= {"status": status, "code": None, "message": None}
    for row in batch.changed:
        if row["id"] in batch.undone:
            problem = f"{problems.CORRECTION_UNDONE}:{row['was']}"
            answers.rows[row["line"]] |= {
                "code": problems.CORRECTION_UNDONE,
                "message": problems.sentence(problem, pushed=True),
            }
    for row in batch.refused:
        _refuse(answers, row["line"], row["problem"])
    answers.to_send += batch.to_send
    answers.sites |= batch.sites


def _refuse(answers: _Answers, index: int, problem: str) -> None:
    code = problem.partition(":")[0]
    answers.rows[index] |= {"status": "refused", "code": code, "message": problems.sentence(problem, pushed=True)}


def _summary(site: Site, answers: _Answers, origin: Origin) -> audit.Entry:
    counts = {name: sum(row["status"] == name for row in answers.rows) for name in _OUTCOMES}
    changes: audit.Changes = {name: (None, number) for name, number in counts.items()}
    return audit.Entry("participants.pushed", site._meta.label_lower, str(site.pk), str(site), changes, origin.reason)
