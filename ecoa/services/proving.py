"""Signed corrections on their way: given to the engine, and ended by what eCOA answered. The tick calls it.

Everything is derived from rows: a correction that waits for a run under way is found again by the next tick, and one
that could not be proven yet is given to the engine again, less and less often.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from ecoa.client import errors
from ecoa.contract.codes import Code
from ecoa.models import (
    OPEN_STATES,
    Attempt,
    AttemptOutcome,
    Correction,
    CorrectionState,
    Discrepancy,
    Scope,
    StudyMapping,
)
from ecoa.services import correcting, runs
from ecoa.services.refusals import Refused
from vaultadmin import audit

ACTOR = audit.System("Corrections")
# Answers about the ID itself: sending it again changes nothing. After any other one it is sent again later.
_ABOUT_THE_ID = (str(Code.INVALID_DATA), str(Code.PARTICIPANT_EXISTS), errors.CONFLICT, errors.BAD_REQUEST)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=10), timedelta(hours=12)
_BATCH = 500


def tick(*, now: datetime) -> None:
    """End what is proven, refused or overtaken, then give the engine what is due."""
    for pk, tried in _answered():
        _end(pk, evidence=tried, now=now)
    signed = Correction.objects.filter(state=CorrectionState.SIGNED)
    for pk in signed.filter(~Q(participant__version=F("version"))).values_list("pk", flat=True)[:_BATCH]:
        _end(pk, evidence=None, now=now)
    due: dict[int, list[Correction]] = defaultdict(list)
    # While two values stand against each other no run sends the participant. The correction keeps its place: it is
    # due at once when that is decided.
    held = Discrepancy.objects.holding().filter(participant=OuterRef("participant"))
    for correction in signed.filter(~Exists(held), push_at__lte=now).order_by("push_at")[:_BATCH]:
        due[correction.mapping_id].append(correction)
    for mapping_pk, corrections in due.items():
        _push(mapping_pk, corrections, now)


def _answered() -> list[tuple[int, int]]:
    """Corrections with a try that ends them, and that try."""
    tries: QuerySet[Attempt] = Attempt.objects.filter(
        participant=OuterRef("participant"), value=OuterRef("new_value"), started_at__gte=OuterRef("decided_at")
    )
    ends = Q(outcome=AttemptOutcome.SYNCED, read_back=True) | Q(outcome=AttemptOutcome.REJECTED, code__in=_ABOUT_THE_ID)
    rows = Correction.objects.filter(state=CorrectionState.SIGNED, participant__version=F("version"))
    rows = rows.annotate(tried=Subquery(tries.filter(ends).order_by("-pk").values("pk")[:1]))
    return list(rows.filter(tried__isnull=False).order_by("pk").values_list("pk", "tried")[:_BATCH])


def _end(pk: int, *, evidence: int | None, now: datetime) -> None:
    with transaction.atomic():
        correction = correcting.lock(pk)
        if correction is None or correction.state != CorrectionState.SIGNED:
            return
        tried = Attempt.objects.filter(pk=evidence).first() if evidence else None
        if tried is None:
            correction.overtake(at=now)
        elif tried.outcome == AttemptOutcome.SYNCED:
            correction.confirm(evidence=tried, at=now)
        else:
            correction.refuse(evidence=tried, at=now)
        correction.save()
        changes: audit.Changes = {"correction": (CorrectionState.SIGNED.value, str(correction.state))}
        reason = f"Try {tried.pk}" if tried else "Another participant ID was put in place."
        correcting.record(correction, f"correction.{correction.state}", by=ACTOR, changes=changes, reason=reason)


def _push(mapping_pk: int, corrections: list[Correction], now: datetime) -> None:
    """Plan a run for what is due. A run under way goes first: the next tick asks again."""
    mapping = StudyMapping.objects.select_related("vault").get(pk=mapping_pk)
    if mapping.runs.filter(state__in=OPEN_STATES).exists():
        return
    chosen = [correction.participant_id for correction in corrections]
    with transaction.atomic():
        try:
            run = runs.plan(mapping=mapping, scope=Scope.CORRECTION, chosen=chosen, by=ACTOR, now=now)
        except Refused:
            # Switched off, paused, or somebody planned a run just now: nothing was sent, so it does not count.
            _postpone(corrections, now + _FIRST_WAIT)
            return
        for correction in corrections:
            wait = min(_FIRST_WAIT * 2 ** min(correction.pushes, 10), _LONGEST_WAIT)
            Correction.objects.filter(pk=correction.pk, state=CorrectionState.SIGNED).update(
                run=run, push_at=now + wait, pushes=F("pushes") + 1
            )


def _postpone(corrections: list[Correction], until: datetime) -> None:
    pks = [correction.pk for correction in corrections]
    Correction.objects.filter(pk__in=pks, state=CorrectionState.SIGNED).update(push_at=until)
