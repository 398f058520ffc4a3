"""Questions about runs: which ones, how fast, with how many calls, what came of the plan and why, what is due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from ecoa.cards import card_for
from ecoa.models import CallShare, ItemState, Participant, RunReason, RunState, SyncItem, SyncRun
from vaultadmin.models import Membership
from vaultadmin.registries import Lane

FAILED_STATES = (ItemState.REJECTED, ItemState.UNKNOWN)
_CHUNK = 1000
# What is due is counted up to here; the status page needs no more.
_COUNTED = 100


def runs(member: Membership) -> QuerySet[SyncRun]:
    """Visible runs with their study; pages order them by key."""
    rows: QuerySet[SyncRun] = SyncRun.objects.visible_to(member).select_related("mapping", "file")
    return rows


@dataclass(frozen=True)
class Traffic:
    """What the lanes of a run are doing this moment."""

    calls: int
    pace: int
    lanes: int
    latency_ms: int
    per_second: float
    slowed: str


def traffic(run: SyncRun, *, now: datetime) -> Traffic | None:
    """How many calls are under way for a run, and how many may be; None while no worker is at it."""
    if run.state != RunState.RUNNING:
        return None
    rows = list(CallShare.objects.filter(run=run, until__gt=now, is_region=True))
    if not rows:
        return None
    return Traffic(
        calls=sum(row.calls for row in rows),
        pace=sum(min(row.pace, row.granted) for row in rows),
        lanes=len({row.holder for row in rows}),
        latency_ms=max(row.latency_ms for row in rows),
        per_second=sum(row.per_second for row in rows),
        slowed=next((row.slowed for row in rows if row.slowed), ""),
    )


def reasons(run: SyncRun) -> list[RunReason]:
    """Why participants of a run did not arrive, the most frequent reason first."""
    return list(RunReason.objects.filter(run=run, amount__gt=0).order_by("-amount", "state", "code"))


def failed_items(run: SyncRun, *, code: str = "") -> QuerySet[SyncItem]:
    """What a run could not bring over, by the partial index kept for this list; one reason only, if asked for."""
    rows = SyncItem.objects.filter(run=run, due_at__isnull=True, state__in=FAILED_STATES)
    if code:
        rows = rows.filter(code=code)
    return rows.select_related("participant").order_by("pk")


ERROR_COLUMNS = (
    "site",
    "participantId",
    "internalId",
    "state",
    "code",
    "what happened",
    "what to do",
    "details",
    "ended at",
)


def error_lines(run: SyncRun) -> Iterator[tuple[str, ...]]:
    """The error file of a run, line by line, read in pieces: one participant that is not in eCOA each."""
    after = 0
    while piece := list(failed_items(run).filter(pk__gt=after)[:_CHUNK]):
        yield from (_error_line(item) for item in piece)
        after = piece[-1].pk


def chosen(member: Membership, mapping_id: int, labels: list[str]) -> dict[str, int]:
    """Visible participants of a study by the participant IDs somebody typed."""
    rows = Participant.objects.visible_to(member).filter(mapping=mapping_id, participant_id__in=labels)
    return dict(rows.values_list("participant_id", "pk"))


def ticked(member: Membership, keys: list[int]) -> list[Participant]:
    """Visible participants somebody ticked in a list, in the order of their IDs; at most a page of them."""
    rows = Participant.objects.visible_to(member).filter(pk__in=keys[:_CHUNK])
    return list(rows.order_by("mapping_id", "participant_id"))


def sync_lane(now: datetime) -> Lane:
    """What is due to be sent, for the status page; asked run by run, as the index is ordered."""
    due = 0
    oldest: list[datetime] = []
    for run in SyncRun.objects.open():
        rows = SyncItem.objects.filter(run=run, crashes=0, lease_token__isnull=True, due_at__lte=now)
        first = rows.order_by("due_at").values_list("due_at", flat=True)[: _COUNTED + 1]
        moments = [moment for moment in first if moment is not None]
        due += len(moments)
        oldest += moments[:1]
    return Lane("Participants to eCOA", due, min(oldest, default=None))


def _error_line(item: SyncItem) -> tuple[str, ...]:
    card = card_for(item.code)
    return (
        item.site_number,
        item.value,
        item.internal_id,
        str(ItemState(item.state).label),
        item.code,
        str(card.happened),
        str(card.acting),
        item.participant.message,
        item.settled_at.isoformat() if item.settled_at else "",
    )
