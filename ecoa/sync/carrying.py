"""Carrying one batch: the asynchronous middle between claiming and settling. No database in here.

Each job goes through `carry`, which asks before it sends whenever an earlier try may have landed, and turns whatever
happens into one Outcome.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from enum import StrEnum

from ecoa.client import Busy, EcoaError, NoAnswer, Refused, StudySession
from ecoa.client import errors as codes
from ecoa.client.types import Stage
from ecoa.sync.policy import Policy

# At most so many jobs of a batch wait for a slot at a time.
CARRIERS = 128


class Verdict(StrEnum):
    """What a try came to. The last two leave the item open."""

    SYNCED = "synced"
    REJECTED = "rejected"
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


class Breaker:
    """Opens when the other side is silent, so that a dead service is not asked once per participant."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._silent = 0
        self.wait = 0.0
        self.heard = False

    @property
    def is_open(self) -> bool:
        return self.wait > 0

    def note(self, error: EcoaError | None) -> None:
        """Count silence; any readable answer starts the count again."""
        if isinstance(error, Busy):
            self.wait = max(self.wait, error.retry_after)
        elif error is None or not error.silent:
            self._silent, self.heard = 0, True
        else:
            self._silent += 1
            if self._silent >= self._policy.silence_limit:
                self.wait = max(self.wait, self._policy.silence_wait)


async def carry_all(
    jobs: list[Job],
    session: StudySession,
    *,
    slots: asyncio.Semaphore,
    lease: Lease,
    breaker: Breaker,
    read_back: bool,
) -> list[Outcome]:
    """Carry a batch; every job comes back with exactly one outcome. `slots` bounds what is under way at a time."""
    outcomes: list[Outcome] = []
    waiting = iter(jobs)

    async def carry_next() -> None:
        for job in waiting:
            async with slots:
                outcome = _withheld(job, lease, breaker)
                outcomes.append(outcome or await carry(job, session, breaker=breaker, read_back=read_back))

    # As many as could ever be under way, not one task per participant.
    await asyncio.gather(*(carry_next() for _ in range(min(len(jobs), CARRIERS))))
    return outcomes


def _withheld(job: Job, lease: Lease, breaker: Breaker) -> Outcome | None:
    """A job that is not even started: the other side is silent, or the rows are about to be somebody else's."""
    if breaker.is_open:
        return Outcome(job, Verdict.UNTRIED, code=codes.NOT_REACHED, wait=breaker.wait)
    if lease.left() < 1.0:
        return Outcome(job, Verdict.UNTRIED, code=codes.NOT_REACHED)
    return None


async def carry(job: Job, session: StudySession, *, breaker: Breaker, read_back: bool) -> Outcome:
    """Bring one participant over: ask first when in doubt, send, confirm by reading back where asked for."""
    in_doubt = job.doubtful
    try:
        if in_doubt:
            settled = await _ask(job, session)
            if settled is not None:
                breaker.note(None)
                return settled
            in_doubt = False
        remote_id = await session.upsert(site=job.site, participant_id=job.value, internal_id=job.internal_id)
        breaker.note(None)
        if job.doubtful or read_back:
            in_doubt = True
            await _confirm(job, session)
        return _landed(job, remote_id, read_back=in_doubt)
    except EcoaError as error:
        breaker.note(error)
        return _failed(job, error, in_doubt)


async def _ask(job: Job, session: StudySession) -> Outcome | None:
    """Did an earlier try land? None means: it did not, and sending is safe."""
    try:
        found = await session.get(site=job.site, internal_id=job.internal_id)
    except Refused as refused:
        if refused.code == codes.PARTICIPANT_NOT_FOUND:
            return None
        raise
    if found.participant_id == job.value:
        return _landed(job, found.my_veeva_participant_id, read_back=True)
    if found.participant_id in job.ours:
        return None
    detail = f"eCOA holds {found.participant_id[:200]!r} for this internalId, a value we never sent."
    return Outcome(job, Verdict.REJECTED, Stage.SENT, code=codes.CONFLICT, detail=detail, read_back=True, final=True)


async def _confirm(job: Job, session: StudySession) -> None:
    """Read back after sending: an older try that arrives late may overwrite what was just sent."""
    try:
        found = await session.get(site=job.site, internal_id=job.internal_id)
    except Refused as refused:
        # The answer said it was stored and the next one denies it: not known, so it is asked again later.
        raise NoAnswer(f"It was sent, but the read-back says {refused.code}.", code=refused.code) from None
    if found.participant_id != job.value:
        raise NoAnswer("It was sent, but the read-back shows another participant ID.", code=codes.CONFLICT)


def _landed(job: Job, remote_id: str, *, read_back: bool) -> Outcome:
    return Outcome(
        job,
        Verdict.SYNCED,
        Stage.CONFIRMED,
        my_veeva_participant_id=remote_id[:255],
        read_back=read_back,
        final=True,
    )


def _failed(job: Job, error: EcoaError, in_doubt: bool) -> Outcome:
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
        wait=error.retry_after if isinstance(error, Busy) else 0.0,
    )
