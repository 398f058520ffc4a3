"""Carrying one batch: the asynchronous middle between claiming and settling. No database in here.

Each job goes through `carry`, which asks before it sends whenever an earlier try may have landed, and turns whatever
happens into one Outcome.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum

from ecoa.client import EcoaError, Refused, StudySession
from ecoa.client import errors as codes
from ecoa.client.types import Stage
from ecoa.sync import resolving
from ecoa.sync.pacing import Breaker, Lanes, Region
from ecoa.sync.resolving import Clash, Reading

# At most so many jobs of a batch wait for a slot at a time.
CARRIERS = 128
# Pauses up to this long are sat out with the participant in hand.
SHORT_WAIT = 3.0


class Verdict(StrEnum):
    """What a try came to. The last two leave the item open. Absent: eCOA was only asked, and does not have it."""

    SYNCED = "synced"
    REJECTED = "rejected"
    ABSENT = "absent"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    UNTRIED = "untried"


@dataclass(frozen=True, slots=True)
class Job:
    """One leased item with everything needed to carry it. `ours` are the values we ever sent for this participant."""

    item: int
    attempt: int
    participant: int
    site: str
    value: str
    internal_id: str
    version: int
    number: int
    doubtful: bool
    ours: frozenset[str] = frozenset()
    ask_only: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of one job. `wait` asks for a longer pause than the policy's (Retry-After)."""

    job: Job
    verdict: Verdict
    stage: Stage = Stage.NONE
    code: str = ""
    detail: str = ""
    my_veeva_participant_id: str = ""
    read_back: bool = False
    final: bool = False
    wait: float = 0.0
    readings: list[Reading] = field(default_factory=list)
    clash: Clash | None = None


class Lease:
    """How long the batch is still ours, on the clock that keeps running while a process is stopped."""

    def __init__(self, seconds: float, *, margin: float) -> None:
        self._margin = margin
        self.extend(seconds)

    def extend(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def end(self) -> None:
        """The rows are somebody else's now: start nothing more."""
        self._until = 0.0

    def left(self) -> float:
        """Seconds in which a call may still be started and finished."""
        return self._until - self._margin - time.monotonic()


async def carry_all(
    jobs: list[Job], session: StudySession, *, lanes: Lanes, lease: Lease, read_back: bool
) -> list[Outcome]:
    """Carry a batch; every job comes back with exactly one outcome. `lanes` bound what is under way at a time."""
    outcomes: list[Outcome] = []
    by_site: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        by_site[job.site].append(job)

    async def carry_site(site: str, mine: list[Job]) -> None:
        region = await _find(site, mine, session, lanes, lease, outcomes)
        if region is None:
            return
        waiting = iter(mine)

        async def carry_next() -> None:
            for job in waiting:
                async with region.gate, lanes.overall:
                    await _short_pause(region.breaker)
                    outcome = _withheld(job, lease, lanes, region.breaker)
                    outcome = outcome or await carry(job, session, breaker=region.breaker, read_back=read_back)
                region.done += outcome.final
                outcomes.append(outcome)

        # As many as could ever be under way, not one task per participant.
        await asyncio.gather(*(carry_next() for _ in range(min(len(mine), CARRIERS))))

    await asyncio.gather(*(carry_site(site, mine) for site, mine in by_site.items()))
    return outcomes


async def _short_pause(breaker: Breaker) -> None:
    """Sit out a short wait eCOA asked for: it is over sooner than the rows could be given back and taken again."""
    wait = breaker.wait
    if 0 < wait <= SHORT_WAIT and not breaker.given_up:
        await asyncio.sleep(wait)


async def _find(
    site: str, jobs: list[Job], session: StudySession, lanes: Lanes, lease: Lease, outcomes: list[Outcome]
) -> Region | None:
    """The region of a site. When there is none to be had, that is the outcome of all its jobs."""
    async with lanes.overall:
        stopped = [_withheld(job, lease, lanes, lanes.search) for job in jobs]
        if stopped[0] is not None:
            outcomes.extend(outcome for outcome in stopped if outcome is not None)
            return None
        try:
            region = await session.region(site)
        except EcoaError as error:
            outcomes.extend(_unplaced(job, error, lease, lanes) for job in jobs)
            return None
    lanes.search.note(None)
    return lanes.of(region)


def _unplaced(job: Job, error: EcoaError, lease: Lease, lanes: Lanes) -> Outcome:
    """The outcome of a job whose region could not be found; each counts as a silence, as if it had asked itself."""
    withheld = _withheld(job, lease, lanes, lanes.search)
    if withheld is not None:
        return withheld
    lanes.search.note(error)
    return _failed(job, error, job.doubtful, [])


def _withheld(job: Job, lease: Lease, lanes: Lanes, breaker: Breaker) -> Outcome | None:
    """A job that is not even started: eCOA asks for a pause or is silent, or this lane is about to stop."""
    if breaker.is_open:
        return Outcome(job, Verdict.UNTRIED, code=codes.NOT_REACHED, wait=breaker.wait)
    if lanes.closed or lease.left() < 1.0:
        return Outcome(job, Verdict.UNTRIED, code=codes.NOT_REACHED)
    return None


async def carry(job: Job, session: StudySession, *, breaker: Breaker, read_back: bool) -> Outcome:
    """Bring one participant over: ask first when in doubt, send, confirm by reading back where asked for."""
    in_doubt, kept = job.doubtful, list[Reading]()
    try:
        if in_doubt:
            settled = await _ask(job, session, kept)
            if settled is not None:
                breaker.note(None)
                return settled
            in_doubt = False
        try:
            remote_id = await session.upsert(site=job.site, participant_id=job.value, internal_id=job.internal_id)
        except Refused as refused:
            if refused.code != codes.PARTICIPANT_EXISTS:
                raise
            # Whose it is, only a question tells: perhaps an earlier try of ours brought this very pair.
            in_doubt = True
            return await _taken(job, session, kept, breaker)
        breaker.note(None)
        if job.doubtful or read_back:
            in_doubt = True
            reading = await resolving.ask(session, site=job.site, internal_id=job.internal_id, kept=kept)
            resolving.confirm(reading, value=job.value)
        return _landed(job, remote_id, kept, read_back=in_doubt)
    except EcoaError as error:
        breaker.note(error)
        return _failed(job, error, in_doubt, kept)


async def _ask(job: Job, session: StudySession, kept: list[Reading]) -> Outcome | None:
    """Did an earlier try land? None means: it did not, and sending is safe."""
    reading = await resolving.ask(session, site=job.site, internal_id=job.internal_id, kept=kept)
    clash = resolving.settle_doubt(reading, value=job.value, ours=job.ours)
    if clash is not None:
        return _clashed(job, clash, codes.CONFLICT, kept)
    if reading.verdict == resolving.LANDED and reading.found is not None:
        return _landed(job, reading.found.my_veeva_participant_id, kept, read_back=True)
    return Outcome(job, Verdict.ABSENT, readings=kept, final=True) if job.ask_only else None


async def _taken(job: Job, session: StudySession, kept: list[Reading], breaker: Breaker) -> Outcome:
    """eCOA says somebody has this participant ID (ID-0003): adopt it when it is this pair, else it is a conflict."""
    reading = await resolving.ask(session, site=job.site, internal_id=job.internal_id, kept=kept)
    breaker.note(None)
    clash = resolving.settle_taken(reading, value=job.value)
    if clash is None and reading.found is not None:
        return _landed(job, reading.found.my_veeva_participant_id, kept, read_back=True)
    return _clashed(job, clash, codes.PARTICIPANT_EXISTS, kept)


def _clashed(job: Job, clash: Clash | None, code: str, kept: list[Reading]) -> Outcome:
    detail = clash.detail if clash is not None else ""
    return Outcome(
        job,
        Verdict.REJECTED,
        Stage.SENT,
        code=code,
        detail=detail,
        read_back=True,
        final=True,
        readings=kept,
        clash=clash,
    )


def _landed(job: Job, remote_id: str, kept: list[Reading], *, read_back: bool) -> Outcome:
    return Outcome(
        job,
        Verdict.SYNCED,
        Stage.CONFIRMED,
        my_veeva_participant_id=remote_id[:255],
        read_back=read_back,
        final=True,
        readings=kept,
    )


def _failed(job: Job, error: EcoaError, in_doubt: bool, kept: list[Reading]) -> Outcome:
    """An error becomes an outcome. What is in doubt stays in doubt until somebody answered."""
    may_have_landed = in_doubt or (error.outcome_unknown and error.stage >= Stage.SENT)
    answered = Verdict.NOT_SENT if error.retryable else Verdict.REJECTED
    verdict = Verdict.UNKNOWN if may_have_landed else answered
    return Outcome(
        job,
        verdict,
        error.stage,
        code=error.code,
        detail=error.detail[:500],
        final=not error.retryable,
        wait=error.retry_after,
        readings=kept,
    )
