"""The numbers of the radar in one place, with the reason of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from ecoa.sync.policy import Policy


@dataclass(frozen=True, slots=True)
class RadarPolicy:
    """How gently we ask."""

    # One step: small enough to be redone after a crash, large enough to be worth a sign-in.
    batch: int = 200
    # Scheduled rounds collect at least so many before they call.
    least: int = 50
    # Beside runs and people, not instead of them.
    concurrency: int = 8
    # … and at most this part of what the system, the study and the region may have under way.
    part: int = 4
    # Tries per participant within one step; what is left over is asked again at the end of the round.
    tries: int = 3
    # How many other sites of the study are asked where a missing participant went.
    elsewhere: int = 5
    # A scheduled round is through after this part of the time between two rounds.
    spread: float = 0.8
    lease: timedelta = timedelta(seconds=120)
    # One wake-up works at most this long, then the tick hands over to the next.
    work_for: float = 20.0
    # After a step that learnt nothing: 30 s, 60 s, … at most a quarter of an hour.
    first_wait: timedelta = timedelta(seconds=30)
    longest_wait: timedelta = timedelta(minutes=15)
    # So many steps in a row without news about the leftovers, and the round ends without them.
    setbacks: int = 6
    # What is asked again at the end of a round; more than this and the study is in trouble anyway.
    leftovers: int = 10_000
    calling: Policy = field(default_factory=lambda: Policy(silence_limit=8, silence_wait=60.0))

    def wait_after(self, setbacks: int) -> timedelta:
        """How long to leave eCOA alone after so many steps in vain."""
        wait: timedelta = self.first_wait * 2 ** max(setbacks - 1, 0)
        return min(wait, self.longest_wait)


POLICY = RadarPolicy()
