"""When a message that was not accepted is sent again (veeva-core section 6.5). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(hours=6)
# Minutes before the second, third, … attempt; the last one stands for all that follow.
MINUTES: Final = (1, 2, 5, 10, 20, 30, 60)
JITTER: Final = 0.1
# The last attempt of a message that was asked to wait begins so long before its window ends: senders are busy at times.
IN_TIME: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Clock:
    """The window of one message: when it entered its queue, and how long its lane stood still since.

    A lane stands still on hold, with delivery disabled, sealed, or without an Active connection; that time does not
    count.
    """

    entered_at: datetime
    stood_still: timedelta = timedelta(0)

    @property
    def ends_at(self) -> datetime:
        """The moment after which no attempt begins, as long as the lane does not stand still again."""
        return self.entered_at + WINDOW + self.stood_still


def next_attempt(
    clock: Clock, *, attempts: int, now: datetime, chance: float, asked_to_wait: timedelta = timedelta(0)
) -> datetime | None:
    """When to try again after `attempts` failed ones; None when the window leaves no time for it.

    `chance` lies between 0 and 1 and spreads the attempts by ±10 %. What a receiver asks for only delays, and never
    past the window: a message has one attempt left shortly before that ends.
    """
    if attempts < 1:
        raise ValueError("There is nothing to repeat yet.")
    if now >= clock.ends_at:
        return None
    minutes = MINUTES[min(attempts, len(MINUTES)) - 1]
    planned = now + timedelta(minutes=minutes) * (1 + JITTER * (2 * chance - 1))
    if planned > clock.ends_at:
        return None
    return max(planned, min(now + asked_to_wait, clock.ends_at - IN_TIME))
