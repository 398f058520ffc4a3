"""Rounds: begin when due, go a step further when woken, end. The row says all; a lease guards each step."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from ecoa.models import OPEN_STATES, CycleState, Participant, ReadBackCycle, Site, StudyMapping, SyncRun
from ecoa.radar import asking, budget, news, settling
from ecoa.radar.judging import Look, Owned, Says
from ecoa.radar.policy import POLICY, RadarPolicy
from ecoa.sync.routing import RouteUnavailable, route_of
from vaultadmin import claims, clock, wake

logger = logging.getLogger(__name__)

LANE = "ecoa.radar"
BY_ITSELF = "Schedule"

# By the unique index of (study, internal ID), which never changes: a round neither skips nor repeats anybody.
_NEXT = """
SELECT p.id, p.site_id, s.number, p.participant_id, p.internal_id, p.version, p.my_veeva_participant_id,
       CASE WHEN p.version > p.synced_version THEN (
           SELECT array_agg(DISTINCT a.value) FROM ecoa_attempt a WHERE a.participant_id = p.id) END
  FROM ecoa_participant p JOIN ecoa_site s ON s.id = p.site_id
 WHERE p.mapping_id = %(mapping)s AND p.synced_version > 0 AND NOT p.in_doubt AND {which}
 ORDER BY p.internal_id LIMIT %(limit)s
"""


def tick(*, now: datetime) -> None:
    """Begin the rounds that are due, and wake a worker for those that may go on."""
    for mapping in _due(now):
        begin(mapping, label=BY_ITSELF, now=now)
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    running = ReadBackCycle.objects.filter(free, state=CycleState.RUNNING, not_before__lte=now)
    for pk in running.exclude(Exists(_runs_of_cycle())).values_list("pk", flat=True):
        wake.wake(LANE, cycle_id=pk)


def begin(mapping: StudyMapping, *, label: str, now: datetime, hurried: bool = False) -> ReadBackCycle | None:
    """A new round of a study; None when one is running or eCOA holds nothing of it that we own."""
    planned = Participant.objects.filter(mapping=mapping, synced_version__gt=0).count()
    if not planned:
        return None
    cycle = ReadBackCycle(
        vault=mapping.vault,
        mapping=mapping,
        hurried=hurried,
        starter_label=label,
        started_at=now,
        not_before=now,
        planned=planned,
    )
    try:
        with transaction.atomic():
            cycle.save(force_insert=True)
            wake.wake(LANE, cycle_id=cycle.pk)
    except IntegrityError as error:
        if "cycle_one_running" not in str(error):
            raise
        return None
    return cycle


def work(*, cycle_id: int, policy: RadarPolicy = POLICY, now: Callable[[], datetime] = clock.now) -> int:
    """Go on with a round until it has to wait or the time is up; returns how many participants were looked at."""
    stop_at = time.monotonic() + policy.work_for
    looked_at = 0
    while time.monotonic() < stop_at:
        done = _step(cycle_id, policy, now())
        if done is None:
            break
        looked_at += done
    return looked_at


def _due(now: datetime) -> list[StudyMapping]:
    """Studies whose next round should begin; nothing is read for those switched off, paused or being sent."""
    quiet = StudyMapping.objects.filter(~Exists(_runs_of_mapping()), is_active=True, radar_is_on=True)
    idle = quiet.exclude(cycles__state=CycleState.RUNNING).select_related("vault")
    rows = idle.filter(Exists(Participant.objects.filter(mapping=OuterRef("pk"), synced_version__gt=0)))
    newest = ReadBackCycle.objects.filter(mapping__in=rows).order_by("mapping_id", "-pk").distinct("mapping_id")
    last = dict(newest.values_list("mapping_id", "started_at"))
    return [row for row in rows if row.pk not in last or now - last[row.pk] >= timedelta(hours=row.radar_every_hours)]


def _step(cycle_id: int, policy: RadarPolicy, now: datetime) -> int | None:
    """Lease the round, read one batch, write it. None when it has to wait, or is over."""
    free = ReadBackCycle.objects.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now), pk=cycle_id)
    due = free.filter(state=CycleState.RUNNING, not_before__lte=now).exclude(Exists(_runs_of_cycle()))
    claim = claims.claim(due.order_by("pk"), limit=1, lease=policy.lease, now=now)
    if not claim:
        return None
    cycles = ReadBackCycle.objects.select_related("vault", "mapping__vault")
    cycle = cycles.select_related("mapping__connection__authorization__secret").get(pk=cycle_id)
    if not (cycle.mapping.is_active and cycle.mapping.radar_is_on):
        _rest(cycle, claim.token, until=now + policy.longest_wait)
        return None
    amount = _pace(cycle, policy, now)
    if not amount:
        _rest(cycle, claim.token, until=_next_due(cycle, policy, now))
        return None
    owned = _next(cycle, amount)
    if not owned:
        _finish(cycle, claim.token, now)
        return None
    return _read(cycle, claim.token, owned, policy, now)


def _read(cycle: ReadBackCycle, token: UUID, owned: list[Owned], policy: RadarPolicy, now: datetime) -> int | None:
    mapping = cycle.mapping
    sites = {one.site: one.site_id for one in owned}
    fresh = news.unchecked(cycle, sites)
    want = 2 * len(owned) + 2 * len(sites) + 2
    granted = budget.take(mapping, want=want, now=now, whole=cycle.hurried)
    if not granted:
        _rest(cycle, token, until=budget.next_at(now, whole=cycle.hurried))
        return None
    made = granted
    try:
        route = route_of(mapping)
        others = list(Site.objects.filter(mapping=mapping).order_by("pk").values_list("number", flat=True)[:50])
        step = asking.read(owned, route, fresh=fresh, others=others, limit=granted, policy=policy)
        made = step.calls
    except RouteUnavailable as refusal:
        made = 0
        logger.info("round %d waits: %s", cycle.pk, refusal)
        _rest(cycle, token, until=now + policy.longest_wait, trouble="VA-CREDENTIALS")
        return None
    finally:
        budget.give_back(mapping, calls=granted - made, now=now)
    return _settle(cycle, token, step, sites, policy, clock.now())


def _settle(
    cycle: ReadBackCycle, token: UUID, step: asking.Step, sites: dict[str, int], policy: RadarPolicy, now: datetime
) -> int | None:
    with transaction.atomic():
        found_out = news.of_step(cycle, step, sites)
        written = settling.settle(cycle=cycle, mapping=cycle.mapping, looks=step.looks, news=found_out, now=now)
        news.note_sites(cycle, step, sites, now)
        if not _advance(cycle, token, step, written, policy, now):
            # Somebody else has the round: what this step learnt is learnt again there.
            transaction.set_rollback(True)
            return None
    return len(step.looks) if step.looks and cycle.not_before <= now else None


def _advance(
    cycle: ReadBackCycle,
    token: UUID,
    step: asking.Step,
    written: settling.Written,
    policy: RadarPolicy,
    now: datetime,
) -> bool:
    """Move the round past what was tried. What failed is kept for the end; what was not tried comes next."""
    tried = _tried(step.looks)
    failed = {look.owned.participant for look in tried if look.says in (Says.FAILED, Says.SITE, Says.STUDY)}
    failed |= set(written.again)
    done = {look.owned.participant for look in tried} - failed
    at_the_end = bool(step.looks) and step.looks[0].owned.participant in cycle.leftovers
    leftovers = [pk for pk in cycle.leftovers if pk not in done]
    leftovers += sorted(failed - set(leftovers))
    if not at_the_end and tried:
        cycle.cursor = tried[-1].owned.internal_id
    in_vain = not done and not written.found
    cycle.setbacks = cycle.setbacks + 1 if in_vain else 0
    cycle.leftovers = leftovers[: policy.leftovers]
    cycle.read += written.read + sum(look.says is Says.PENDING for look in tried)
    cycle.found += written.found
    cycle.cleared += written.cleared
    cycle.calls += step.calls
    cycle.trouble = next((look.code for look in tried if look.says is Says.FAILED), "") if failed else ""
    cycle.not_before = now + max(
        timedelta(seconds=step.wait), policy.wait_after(cycle.setbacks) if in_vain else timedelta()
    )
    gave_up = at_the_end and cycle.setbacks >= policy.setbacks
    if gave_up or any(look.says is Says.STUDY for look in tried):
        cycle.state, cycle.finished_at = CycleState.FINISHED, now
        cycle.leftovers, cycle.unread = [], max(cycle.planned - cycle.read, 0)
    return _save(cycle, token)


def _tried(looks: list[Look]) -> list[Look]:
    """The looks before the first participant nobody came to; what came out of order is read again."""
    tried: list[Look] = []
    for look in looks:
        if look.says is Says.UNTRIED:
            break
        tried.append(look)
    return tried


def _finish(cycle: ReadBackCycle, token: UUID, now: datetime) -> None:
    cycle.state, cycle.finished_at, cycle.unread = CycleState.FINISHED, now, len(cycle.leftovers)
    cycle.leftovers = []
    _save(cycle, token)


def _rest(cycle: ReadBackCycle, token: UUID, *, until: datetime, trouble: str = "") -> None:
    cycle.not_before, cycle.trouble = until, trouble
    _save(cycle, token)


_SAVED = (
    *("state", "finished_at", "not_before", "cursor", "leftovers", "setbacks", "trouble"),
    *("read", "unread", "found", "cleared", "calls"),
)


def _save(cycle: ReadBackCycle, token: UUID) -> bool:
    values = {name: getattr(cycle, name) for name in _SAVED}
    return bool(claims.settle(ReadBackCycle.objects.filter(pk=cycle.pk), token=token, **values))


def _next(cycle: ReadBackCycle, amount: int) -> list[Owned]:
    """The participants after the cursor; when there are none left, those whose answer failed."""
    rows = _owned("p.internal_id > %(cursor)s", cycle, amount)
    return rows or (_owned("p.id = ANY(%(leftovers)s)", cycle, amount) if cycle.leftovers else [])


def _owned(which: str, cycle: ReadBackCycle, amount: int) -> list[Owned]:
    values: dict[str, Any] = {
        "mapping": cycle.mapping_id,
        "cursor": cycle.cursor,
        "leftovers": cycle.leftovers,
        "limit": amount,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEXT.format(which=which), values)
        rows = cursor.fetchall()
    return [_one(row) for row in rows]


def _one(row: tuple[Any, ...]) -> Owned:
    participant, site_id, site, value, internal_id, version, my_id, sent = row
    return Owned(participant, site_id, site, value, internal_id, version, my_id, frozenset(sent or ()))


def _pace(cycle: ReadBackCycle, policy: RadarPolicy, now: datetime) -> int:
    """How many to read now: a whole step in a hurry and at the end, else what the even pace of the day is ahead by."""
    looked_at = cycle.read + len(cycle.leftovers)
    left = cycle.planned - looked_at
    share = (now - cycle.started_at) / _span(cycle, policy)
    if cycle.hurried or share >= 1.0 or left <= 0:
        return policy.batch
    # The first step is ahead of the pace: small studies are read at once.
    ahead = int(cycle.planned * share) + policy.least - looked_at
    return min(ahead, policy.batch) if ahead >= min(policy.least, left) else 0


def _next_due(cycle: ReadBackCycle, policy: RadarPolicy, now: datetime) -> datetime:
    """When the even pace has collected enough for another step."""
    return now + max(_span(cycle, policy) * policy.least / max(cycle.planned, 1) / 2, timedelta(seconds=10))


def _span(cycle: ReadBackCycle, policy: RadarPolicy) -> timedelta:
    return timedelta(hours=cycle.mapping.radar_every_hours) * policy.spread


def _runs_of_mapping() -> QuerySet[SyncRun]:
    rows: QuerySet[SyncRun] = SyncRun.objects.filter(mapping=OuterRef("pk"), state__in=OPEN_STATES)
    return rows


def _runs_of_cycle() -> QuerySet[SyncRun]:
    rows: QuerySet[SyncRun] = SyncRun.objects.filter(mapping=OuterRef("mapping"), state__in=OPEN_STATES)
    return rows
