"""Which of a lane's copies are sent next, and which are given up instead. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Found:
    """One copy that nobody works on, in the lane's order.

    `lapsed` says that a sender died over it, `crashes` how many had before; `over` that its retry window is.
    """

    copy: int
    is_due: bool
    lapsed: bool
    crashes: int
    attempts: int
    over: bool

    @property
    def deaths(self) -> int:
        """Senders that died while they had it in hands."""
        return self.crashes + int(self.lapsed)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a lane allows: `probing` ones get one call to find out whether their receiver answers again.

    `few` is how many may be taken together once a sender died over one of them.
    """

    sequential: bool
    probing: bool
    limit: int
    few: int
    deaths: int

    def company(self, row: Found) -> int:
        """How many may be taken together, of which this is one."""
        if not row.deaths:
            return self.limit
        return 1 if self.is_last_chance(row) else min(self.few, self.limit)

    def is_last_chance(self, row: Found) -> bool:
        """Does one more death give it up?"""
        return 0 < row.deaths == self.deaths - 1


@dataclass(slots=True)
class Choice:
    """Ids of copies: to send, and to give up without a call.

    `alone` says that one more death gives up what is sent: nothing else may be in the sender's hands meanwhile.
    """

    send: list[int] = field(default_factory=list)
    alone: bool = False
    lapsed: list[int] = field(default_factory=list)
    set_aside: list[int] = field(default_factory=list)
    too_late: list[int] = field(default_factory=list)


def choose(found: Sequence[Found], kind: Kind) -> Choice:
    """Decide over copies in their order.

    A death counts for all that its sender had in hands. So copies over which one died are taken a few at a time, and
    one at a time before the last that is allowed: what kills them is found, and no other one is given up with it. What
    was tried and ran out of time is over; what never was is tried once even late, unless its receiver does not answer
    anyway.
    """
    choice = Choice()
    going: list[Found] = []
    for row in found:
        if kind.sequential and not row.is_due:
            break
        if row.deaths >= kind.deaths:
            choice.set_aside.append(row.copy)
        elif row.over and (row.attempts > 0 or (kind.probing and going)):
            choice.too_late.append(row.copy)
        else:
            going.append(row)
    together = _foremost(going, kind) if kind.sequential else _most_suspect(going, kind)
    choice.send = [row.copy for row in together]
    choice.alone = any(kind.is_last_chance(row) for row in together)
    choice.lapsed = [row.copy for row in together if row.lapsed]
    return choice


def _foremost(going: Sequence[Found], kind: Kind) -> list[Found]:
    """The first ones, as many as each of them allows."""
    together: list[Found] = []
    room = kind.limit
    for row in going:
        room = min(room, kind.company(row))
        if len(together) >= room:
            break
        together.append(row)
    return together


def _most_suspect(going: Sequence[Found], kind: Kind) -> list[Found]:
    """Those over which most senders died, among themselves."""
    most = max((row.deaths for row in going), default=0)
    together = [row for row in going if row.deaths == most]
    return together[: kind.company(together[0])] if together else []
