"""The numbers of the engine in one place, with the reason of each."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Policy:
    """How hard and how long the engine tries."""

    # One claim: large enough that the statements around it cost little, small enough to redo after a crash.
    batch: int = 500
    # Calls under way at a time in one lane and region, at the start: with real latency this is nearly all of the
    # speed. From there it adapts between the two limits.
    concurrency: int = 32
    most: int = 128
    least: int = 2
    # A lane asks for so many more than it uses, so that it has room to speed up until the next time it asks.
    headroom: int = 16
    # How often a lane asks for its part of the caps, and says how it is doing.
    share_every: float = 1.0
    # Lanes per run: how many workers may drain one run side by side.
    lanes: int = 2
    # A dead worker's rows are free again after this. Longer than any single call, and renewed while one works.
    lease: timedelta = timedelta(seconds=30)
    renew_every: float = 5.0
    # A worker never starts a call it could not finish within its lease.
    lease_margin: float = 2.0
    # One wake-up drains at most this long, then hands over to the next.
    drain_for: float = 30.0
    # And sees what it holds through for so long; then what was not started goes back.
    linger: float = 60.0
    # Tries per participant and run; the waits between them are 1, 2, 4, 8 s with jitter.
    tries: int = 5
    first_wait: float = 1.0
    longest_wait: float = 60.0
    # So many calls in a row without a readable answer, and the lane stops asking for a while.
    silence_limit: int = 24
    silence_wait: float = 10.0
    # A service silent for this long ends the run; what is open becomes "not known yet".
    give_up: timedelta = timedelta(minutes=15)
    # A row that was in the hands of three workers that died is set aside.
    crashes: int = 3
    # After one crash rows go in small groups, after two alone, so that a poison row takes nobody with it.
    suspects: int = 20

    def wait_after(self, attempts: int) -> float:
        """Seconds to wait after so many tries: doubling, bounded, ±25 % so that retries do not march in step."""
        seconds = min(self.first_wait * 2.0 ** max(attempts - 1, 0), self.longest_wait)
        return seconds * random.uniform(0.75, 1.25)  # nosec B311 - jitter, not a secret


POLICY = Policy()
