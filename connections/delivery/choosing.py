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
    """What a lane allows: `probing` ones get one call to find out whether their receiver answers again."""

    sequential: bool
    probing: bool
    limit: int
    deaths: int


@dataclass(slots=True)
class Choice:
    """Ids of copies: to send, and to give up without a call."""

    send: list[int] = field(default_factory=list)
    lapsed: list[int] = field(default_factory=list)
    set_aside: list[int] = field(default_factory=list)
    too_late: list[int] = field(default_factory=list)


def choose(found: Sequence[Found], kind: Kind) -> Choice:
    """Decide over copies in their order.

    A copy over which all but one of the allowed senders died is sent alone: should it be what kills them, no other
    one dies with it. What was tried and ran out of time is over; what never was is tried once even late, unless its
    receiver does not answer anyway.
    """
    choice = Choice()
    suspect = None if kind.sequential else next((row for row in found if _is_suspect(row, kind)), None)
    for row in found:
        if kind.sequential and not row.is_due:
            break
        if row.deaths >= kind.deaths:
            choice.set_aside.append(row.copy)
        elif row.over and (row.attempts > 0 or (kind.probing and choice.send)):
            choice.too_late.append(row.copy)
        elif kind.sequential and _is_suspect(row, kind):
            if not choice.send:
                _send(row, choice)
            break
        elif len(choice.send) < kind.limit and (suspect is None or suspect is row):
            _send(row, choice)
        elif kind.sequential:
            break
    return choice


def _is_suspect(row: Found, kind: Kind) -> bool:
    return row.deaths == kind.deaths - 1 and row.deaths > 0


def _send(row: Found, choice: Choice) -> None:
    choice.send.append(row.copy)
    if row.lapsed:
        choice.lapsed.append(row.copy)
