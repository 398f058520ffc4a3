"""Signed decisions about discrepancies: sign exactly what was looked at, then carry it out row by row.

A decision about few is carried out at once, one about many by a worker, a chunk and a commit at a time; the row of
the decision says how far it is. What changed after the person looked is left out and counted.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from ecoa.models import (
    Decision,
    DecisionState,
    Discrepancy,
    DiscrepancyState,
    Participant,
    Remedy,
    SiteReading,
    StudyMapping,
)
from ecoa.services import remedies, resolving
from ecoa.services.refusals import Refused
from vaultadmin import audit, claims, wake
from vaultadmin.models import Membership, Vault
from vaultadmin.permissions import Permission, PermissionRefused, ensure
from vaultadmin.signing import services as signing
from vaultadmin.signing.services import Proof

LANE = "ecoa.decisions"
ACTOR = audit.System("eCOA decisions")
# Up to so many are carried out while the person waits.
AT_ONCE = 50
# More than this is a mistake in the making: filter first.
MOST = 10_000
_CHUNK = 200
_LEASE = timedelta(seconds=60)


class Changed(Exception):
    """What the person looked at is not what is there now."""


def decide(
    *,
    vault: Vault,
    rows: list[Discrepancy],
    remedy: Remedy,
    reason: str,
    seen_version: str,
    proof: Proof,
    by: Membership,
    now: datetime,
) -> Decision:
    """Sign a decision about `rows` (the open ones a person looked at) and carry it out, or have it carried out."""
    _ensure_may_decide(by, vault)
    if not reason.strip():
        raise Refused("Say why; the reason is part of the signature.", field="reason")
    with transaction.atomic():
        locked = Discrepancy.objects.select_for_update(of=("self",)).select_related("participant", "mapping", "site")
        current = list(locked.filter(vault=vault, pk__in=[row.pk for row in rows]).order_by("pk"))
        if remedies.version(current) != seen_version:
            raise Changed
        plan = remedies.plan(current, remedy)
        if not plan.chosen:
            raise Refused(plan.reason_why_not, field="remedy")
        decision = _sign(vault, plan, reason.strip(), proof, by, now)
        wake.wake(LANE, decision_id=decision.pk)
    if decision.total <= AT_ONCE:
        carry_on(decision_id=decision.pk, now=now)
        decision.refresh_from_db()
    return decision


def carry_on(*, decision_id: int, now: datetime) -> None:
    """Carry out what is left of a decision. Harmless twice: it is leased, and each discrepancy is decided once."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    due = Decision.objects.filter(free, pk=decision_id, state=DecisionState.RUNNING).order_by("pk")
    claim = claims.claim(due, limit=1, lease=_LEASE, now=now)
    if not claim:
        return
    decision = Decision.objects.select_related("vault").get(pk=decision_id)
    while _carry_chunk(decision, claim.token, now):
        pass
    to_send = Discrepancy.objects.filter(decision=decision, send_due=True).values("mapping")
    for mapping in StudyMapping.objects.filter(pk__in=to_send, is_active=True).select_related("vault"):
        resolving.carry_out(mapping, now=now)


def wake_unfinished(*, now: datetime) -> None:
    """The tick's part: decisions whose worker vanished go on."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    for pk in Decision.objects.filter(free, state=DecisionState.RUNNING).values_list("pk", flat=True):
        wake.wake(LANE, decision_id=pk)


def _ensure_may_decide(by: Membership, vault: Vault) -> None:
    if by.vault_id != vault.pk:
        raise PermissionRefused(Permission.ECOA_STUDY_TEAM)
    ensure(by, Permission.ECOA_STUDY_TEAM)


def _sign(
    vault: Vault, plan: remedies.RemedyPlan, reason: str, proof: Proof, by: Membership, now: datetime
) -> Decision:
    decision = Decision(
        vault=vault,
        remedy=plan.remedy,
        reason=reason[:500],
        chosen=[row.pk for row in plan.chosen],
        stamps=[row.stamp for row in plan.chosen],
        excluded=[{"reason": words, "count": count} for words, count in plan.excluded],
        decided_by=by,
        decider_label=str(by),
        decided_at=now,
    )
    decision.save(force_insert=True)
    decision.signature = signing.sign(
        subject=decision,
        label=str(decision),
        statement=remedies.statement(plan.chosen) | {"decision": plan.remedy.value, "reason": decision.reason},
        meaning=f"{plan.remedy.label}: {_many(len(plan.chosen))}",
        by=by,
        proof=proof,
        now=now,
    )
    decision.save(update_fields=["signature"])
    changes: audit.Changes = {"decision": (None, str(plan.remedy.label)), "discrepancies": (None, len(plan.chosen))}
    audit.record(vault=vault, by=by, event="decision.signed", subject=decision, changes=changes, reason=decision.reason)
    return decision


def _many(amount: int) -> str:
    return "1 discrepancy" if amount == 1 else f"{amount} discrepancies"


def _carry_chunk(decision: Decision, token: UUID, now: datetime) -> bool:
    """One chunk in one transaction; False when nothing is left or somebody else goes on."""
    chunk = slice(decision.cursor, decision.cursor + _CHUNK)
    stamps = dict(zip(decision.chosen[chunk], decision.stamps[chunk], strict=True))
    with transaction.atomic():
        participants = Participant.objects.filter(discrepancies__in=list(stamps)).order_by("pk")
        list(participants.select_for_update(of=("self",)).values_list("pk", flat=True))
        rows = Discrepancy.objects.select_for_update(of=("self",)).select_related("participant", "mapping", "site")
        same = [
            row
            for row in rows.filter(pk__in=stamps, state=DiscrepancyState.OPEN).order_by("pk")
            if row.stamp == stamps[row.pk]
        ]
        plan = remedies.plan(same, Remedy(decision.remedy))
        entries = [entry for row in plan.chosen for entry in _apply(decision, row, now)]
        decision.cursor += len(stamps)
        decision.done += len(plan.chosen)
        over = decision.cursor >= decision.total
        if not _save(decision, token, over, now):
            transaction.set_rollback(True)
            return False
        for start in range(0, len(entries), audit.MAX_BATCH):
            audit.record_many(
                vault=decision.vault, by=_actor(decision), entries=entries[start : start + audit.MAX_BATCH]
            )
    return not over


def _save(decision: Decision, token: UUID, over: bool, now: datetime) -> bool:
    mine = Decision.objects.filter(pk=decision.pk, lease_token=token)
    values: dict[str, object] = {"cursor": decision.cursor, "done": decision.done, "lease_until": now + _LEASE}
    if over:
        values |= {"state": DecisionState.DONE, "finished_at": now, "lease_token": None, "lease_until": None}
    return bool(mine.update(**values))


def _actor(decision: Decision) -> audit.Actor:
    return decision.decided_by if decision.decided_by is not None else ACTOR


def _apply(decision: Decision, row: Discrepancy, now: datetime) -> list[audit.Entry]:
    remedy = Remedy(decision.remedy)
    sends = remedy in (Remedy.KEEP_OURS, Remedy.TAKE_THEIRS)
    entries = []
    if remedy is Remedy.TAKE_THEIRS:
        entries.append(_take_theirs(decision, row, now))
    if remedy is Remedy.ACCEPT_REGION:
        SiteReading.objects.filter(site=row.site_id).update(region=row.their_value, stamp=F("stamp") + 1)
    Discrepancy.objects.filter(pk=row.pk).update(
        state=DiscrepancyState.DECIDED, decision=decision, send_due=sends, stamp=F("stamp") + 1
    )
    kind, pk = ("ecoa.participant", row.participant_id) if row.participant_id else ("ecoa.site", row.site_id)
    changes: audit.Changes = {
        "decision": (None, str(remedy.label)),
        "ours": (row.our_side or None, None),
        "eCOA's": (row.their_side or None, None),
        "signed in": (None, str(decision)),
    }
    return [*entries, audit.Entry("discrepancy.decided", kind, str(pk), row.subject, changes, decision.reason)]


def _take_theirs(decision: Decision, row: Discrepancy, now: datetime) -> audit.Entry:
    """Ours becomes eCOA's value; the run that follows asks first, finds both equal and sends nothing."""
    before = row.our_value if row.participant is None else row.participant.participant_id
    Participant.objects.filter(discrepancies=row).update(
        participant_id=row.their_value,
        version=F("version") + 1,
        status="waiting",
        in_doubt=True,
        stage=0,
        code="",
        message="",
        changed_at=now,
    )
    changes: audit.Changes = {"participant ID": (before, row.their_value)}
    return audit.Entry(
        "participant.changed", "ecoa.participant", str(row.participant_id), row.their_value, changes, decision.reason
    )
