"""What goes on by itself about doubts and decisions: runs that ask, and runs that carry out what was decided.

Both wait while a run of the study is open; the tick derives them from rows, so nothing is lost.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from ecoa.client.errors import PARKED
from ecoa.models import OPEN_STATES, Discrepancy, Participant, Scope, StudyMapping, SyncRun
from ecoa.services import runs
from ecoa.services.refusals import Refused
from vaultadmin import audit

RESOLVER = audit.System("eCOA resolver")
DECISIONS = audit.System("eCOA decisions")

# Between two runs that ask: a minute, doubled for each in a row that learnt nothing, at most an hour.
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)
_REMEMBERED = 7


def tick(*, now: datetime) -> None:
    """Plan what is due: decided participants to send, then participants in doubt to ask about."""
    quiet = StudyMapping.objects.filter(~Exists(_open_runs()), is_active=True).select_related("vault")
    to_send = Discrepancy.objects.filter(mapping=OuterRef("pk"), send_due=True)
    for mapping in quiet.filter(Exists(to_send)):
        carry_out(mapping, now=now)
    in_doubt = Participant.objects.filter(mapping=OuterRef("pk"), in_doubt=True).exclude(code=PARKED)
    for mapping in quiet.filter(Exists(in_doubt)):
        if _is_time_to_ask(mapping, now):
            _plan(mapping, Scope.DOUBT, RESOLVER, now)


def carry_out(mapping: StudyMapping, *, now: datetime) -> SyncRun | None:
    """Send what was decided about a study's participants. None while another run is open; the tick comes again."""
    with transaction.atomic():
        due = Discrepancy.objects.select_for_update().filter(mapping=mapping, send_due=True).order_by("pk")
        rows = dict(due.values_list("pk", "participant_id")[: runs.MAX_CHOSEN])
        run = _plan(mapping, Scope.CHOSEN, DECISIONS, now, chosen=sorted(rows.values())) if rows else None
        if run is not None:
            Discrepancy.objects.filter(pk__in=rows).update(send_due=False, run=run)
    return run


def _plan(
    mapping: StudyMapping, scope: Scope, by: audit.System, now: datetime, *, chosen: list[int] | None = None
) -> SyncRun | None:
    try:
        return runs.plan(mapping=mapping, scope=scope, by=by, now=now, chosen=chosen or ())
    except Refused:
        # Another run began in between, or the study was switched off: the tick comes again.
        return None


def _open_runs() -> QuerySet[SyncRun]:
    rows: QuerySet[SyncRun] = SyncRun.objects.filter(mapping=OuterRef("pk"), state__in=OPEN_STATES)
    return rows


def _is_time_to_ask(mapping: StudyMapping, now: datetime) -> bool:
    newest = list(SyncRun.objects.filter(mapping=mapping).order_by("-pk")[:_REMEMBERED])
    in_vain = 0
    for run in newest:
        if run.scope != Scope.DOUBT or run.synced or run.rejected or run.dropped:
            break
        in_vain += 1
    ended = newest[0].finished_at if newest else None
    return ended is None or now - ended >= min(_FIRST_WAIT * 2**in_vain, _LONGEST_WAIT)
