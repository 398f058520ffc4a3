"""How many calls at a time: adaptive, per region, and never above what this lane holds of the caps. No database here.

A `Pace` watches what comes back from one region and slows on errors, on "too many requests" and on growing latency;
it speeds up again by itself. A `Gate` lets so many through at a time. `Lanes` are the gates of one lane: one overall,
and one for each region it meets, so that a region in trouble slows nobody but itself.
"""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType

from ecoa.client import EcoaError
from ecoa.sync.policy import Policy
from vaultadmin.outbound import Answer


class Slowed(StrEnum):
    """Why a pace went down last; empty while it is at ease."""

    NO = ""
    ERRORS = "errors"
    BUSY = "busy"
    LATENCY = "latency"


class Pace:
    """Additive increase, proportional decrease, judged once a window of about as many calls as may be under way.

    With a share e of failed calls the pace settles where what is lost (half of e) and what is gained are equal: a few
    errors cost little, an outage halves it each window. Latency counts against the best that was seen. Where slowing
    down some times does not bring it back, it is the path that became longer, not our doing: that is the new best.
    """

    # What counts as grown: so many times the best, and by so many seconds. Below the first it may speed up.
    _CALM, _GROWN, _NOTICEABLE = 1.5, 2.5, 0.05
    _FORGET = 1.002
    _HELPS, _IN_VAIN = 0.9, 4
    _WINDOW = 8

    def __init__(self, *, start: int, most: int, least: int) -> None:
        self._limit = float(min(start, most))
        self._most, self._least = most, min(least, most)
        self._best = math.inf
        self._slow_mean, self._in_vain = 0.0, 0
        self._full = False
        self._clear()
        self.latency = 0.0
        self.slowed = Slowed.NO

    @property
    def limit(self) -> int:
        """Calls that may be under way now."""
        return int(self._limit)

    def note(self, answer: Answer, *, under_way: int) -> None:
        """One call came back. `under_way` counts it, so that a pace nobody uses does not grow."""
        self._full = self._full or under_way >= self.limit
        self._seen += 1
        if answer.status == 429:
            self._busy += 1
        elif answer.status is None or answer.status >= 500:
            self._failed += 1
        else:
            self._seconds += answer.elapsed
        if self._seen >= max(self.limit, self._WINDOW):
            self._judge()

    def _judge(self) -> None:
        good = self._seen - self._failed - self._busy
        failed = self._failed / self._seen
        step = max(2.0, self._limit / 8)
        if self._busy:
            self._move(self._limit * 0.5, Slowed.BUSY)
        elif failed:
            self._move(self._limit * (1 - failed / 2) + 2.0 * (1 - failed), Slowed.ERRORS)
        else:
            self._judge_latency(self._seconds / good, step)
        if good:
            self.latency = self._seconds / good
        self._clear()

    def _judge_latency(self, mean: float, step: float) -> None:
        self._best = min(self._best * self._FORGET, mean)
        if mean > self._GROWN * self._best and mean - self._best > self._NOTICEABLE:
            self._in_vain = self._in_vain + 1 if mean > self._HELPS * self._slow_mean > 0 else 0
            self._slow_mean = mean
            if self._in_vain >= self._IN_VAIN:
                self._best, self._in_vain, self._slow_mean = mean, 0, 0.0
            self._move(self._limit * 0.8, Slowed.LATENCY)
        elif mean < self._CALM * self._best or mean - self._best < self._NOTICEABLE:
            self._move(self._limit + (step if self._full else 0.0), Slowed.NO)

    def _move(self, limit: float, why: Slowed) -> None:
        self._limit = min(max(limit, self._least), self._most)
        self.slowed = why

    def _clear(self) -> None:
        self._seen = self._failed = self._busy = 0
        self._seconds = 0.0
        self._full = False


class Gate:
    """Lets `allowed()` through at a time, within one event loop. First come, first served."""

    def __init__(self, allowed: Callable[[], int]) -> None:
        self._allowed = allowed
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.under_way = 0

    def open(self) -> None:
        """Hold nobody back any more."""
        self._allowed = lambda: sys.maxsize
        self.look()

    async def __aenter__(self) -> None:
        if self.under_way < self._allowed() and not self._waiting:
            self.under_way += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def look(self) -> None:
        """More may be allowed than a moment ago: let those in whose turn it is."""
        while self._waiting and self.under_way < self._allowed():
            turn = self._waiting.popleft()
            if not turn.done():
                self.under_way += 1
                turn.set_result(None)

    def _leave(self) -> None:
        self.under_way -= 1
        self.look()


class Breaker:
    """Opens when the other side asks us to wait, for as long as we do, and when it is silent, for the rest of the
    drain: so it is not asked once per participant."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._silent = 0
        self._until = 0.0
        self.given_up = False
        self.asked = 0
        self.heard = False

    @property
    def wait(self) -> float:
        """Seconds for which nobody is to be asked; 0 when it is closed."""
        silence = self._policy.silence_wait if self.given_up else 0.0
        return max(self._until - time.monotonic(), silence)

    @property
    def is_open(self) -> bool:
        return self.wait > 0

    def note(self, error: EcoaError | None) -> None:
        """Count silence; any readable answer starts the count again."""
        if error is not None and error.retry_after:
            self._until = max(self._until, time.monotonic() + error.retry_after)
            self.asked = max(self.asked, error.asked)
        if error is None or not error.silent:
            self._silent, self.heard = 0, True
            return
        self._silent += 1
        self.given_up = self.given_up or self._silent >= self._policy.silence_limit


@dataclass(slots=True)
class Held:
    """What a lane may use of one pool, and until when (monotonic). Nothing before it was granted."""

    calls: int = 0
    until: float = 0.0

    def now(self) -> int:
        return self.calls if time.monotonic() < self.until else 0


@dataclass(slots=True)
class Region:
    """One region as a lane sees it."""

    pace: Pace
    breaker: Breaker
    held: Held = field(default_factory=Held)
    gate: Gate = field(init=False)
    done: int = 0

    def __post_init__(self) -> None:
        self.gate = Gate(lambda: min(self.pace.limit, self.held.now()))


class Lanes:
    """The gates of one lane. Everything but `grant` runs on its event loop.

    `ask` is called when a region is met for the first time: somebody has to get a share of its cap.
    """

    def __init__(self, policy: Policy, *, ask: Callable[[], None] = lambda: None) -> None:
        self._policy = policy
        self._ask = ask
        self.held = Held()
        self.overall = Gate(self.held.now)
        self.search = Breaker(policy)
        self.closed = False
        self.regions: dict[str, Region] = {}

    def of(self, url: str) -> Region:
        """The region with this address."""
        found = self.regions.get(url)
        if found is None:
            policy = self._policy
            pace = Pace(start=policy.concurrency, most=policy.most, least=policy.least)
            found = self.regions[url] = Region(pace, Breaker(policy))
            if self.closed:
                found.gate.open()
            self._ask()
        return found

    def observe(self, url: str, answer: Answer) -> None:
        """What came back from a call to a region; the client says so."""
        region = self.regions.get(url)
        if region is not None:
            region.pace.note(answer, under_way=region.gate.under_way)

    def grant(self, overall: int, regions: dict[str, int], *, until: float) -> None:
        """What the lane holds from now on."""
        self.held.calls, self.held.until = overall, until
        for url, calls in regions.items():
            self.regions[url].held = Held(calls, until)
        self.overall.look()
        for region in self.regions.values():
            region.gate.look()

    def close(self) -> None:
        """Start nothing more: what waits for its turn goes back untried, what is under way ends."""
        self.closed = True
        self.overall.open()
        for region in self.regions.values():
            region.gate.open()

    @property
    def breakers(self) -> list[Breaker]:
        return [self.search, *(region.breaker for region in list(self.regions.values()))]

    @property
    def blocked(self) -> bool:
        """Nobody is left to be asked for now: the search itself, or every region there is, asks to be left alone."""
        regions = [region.breaker.is_open for region in list(self.regions.values())]
        return self.search.is_open or (bool(regions) and all(regions))

    @property
    def heard(self) -> bool:
        return any(breaker.heard for breaker in self.breakers)
