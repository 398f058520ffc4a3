"""The unknown-outcome resolver: what a question by `internalId` settles. No database in here.

After a timeout, a lost connection or UE-0001 nothing is sent again before eCOA was asked. The answer settles the
try as landed, absent (safe to send) or conflict (a person decides). Every question is kept as a `Reading`, which
`ecoa.sync.proof` writes down as evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ecoa.client import EcoaError, NoAnswer, Refused, StudySession
from ecoa.client import errors as codes
from ecoa.client.types import RemoteParticipant
from vaultadmin import clock

LANDED, ABSENT, CONFLICT, CONFIRMED, DIFFERS, OPEN = "landed", "absent", "conflict", "confirmed", "differs", "open"


@dataclass(slots=True)
class Reading:
    """One question and its answer, as evidence keeps it. `verdict` is one of `ecoa.models.Verdict`."""

    asked_at: datetime
    path: str = ""
    status: int | None = None
    code: str = ""
    found: RemoteParticipant | None = None
    verdict: str = OPEN


@dataclass(frozen=True, slots=True)
class Clash:
    """Both values of a conflict. `holder_unknown`: eCOA only says that somebody else has ours."""

    their_value: str
    their_my_id: str
    holder_unknown: bool
    detail: str


async def ask(session: StudySession, *, site: str, internal_id: str, kept: list[Reading]) -> Reading:
    """Ask once and keep the reading. `found` is None when eCOA has nobody there; other refusals are raised."""
    reading = Reading(clock.now())
    kept.append(reading)
    try:
        reading.found = await session.get(site=site, internal_id=internal_id)
    except EcoaError as error:
        reading.path, reading.status, reading.code = error.url, error.status, error.code
        if not (isinstance(error, Refused) and error.code == codes.PARTICIPANT_NOT_FOUND):
            raise
    else:
        reading.path, reading.status = reading.found.url, reading.found.status
    return reading


def settle_doubt(reading: Reading, *, value: str, ours: frozenset[str]) -> Clash | None:
    """What a reading says about a try whose outcome is unknown; writes its verdict, returns the conflict if it is one.

    Absent covers an older value of ours: the try did not land, and sending overwrites nothing but our own.
    """
    if reading.found is None:
        reading.verdict = ABSENT
    elif reading.found.participant_id == value:
        reading.verdict = LANDED
    elif reading.found.participant_id in ours:
        reading.verdict = ABSENT
    else:
        reading.verdict = CONFLICT
        theirs = reading.found.participant_id
        detail = f"eCOA holds {theirs[:200]!r} for this internalId, a value we never sent."
        return Clash(theirs, reading.found.my_veeva_participant_id, holder_unknown=False, detail=detail)
    return None


def settle_taken(reading: Reading, *, value: str) -> Clash | None:
    """What a reading says after ID-0003: adopted when the pair is already there, else a conflict."""
    if reading.found is not None and reading.found.participant_id == value:
        reading.verdict = LANDED
        return None
    reading.verdict = CONFLICT
    theirs = reading.found.participant_id if reading.found is not None else ""
    my_id = reading.found.my_veeva_participant_id if reading.found is not None else ""
    detail = f"Another internalId of the study holds {value[:200]!r} in eCOA."
    return Clash(theirs, my_id, holder_unknown=True, detail=detail)


def confirm(reading: Reading, *, value: str) -> None:
    """The look after sending, as an older try may arrive late; NoAnswer when it does not agree."""
    if reading.found is None:
        # The answer said it was stored and the next one denies it: not known, so it is asked again later.
        raise NoAnswer(f"It was sent, but the read-back says {reading.code}.", code=reading.code)
    if reading.found.participant_id != value:
        raise NoAnswer("It was sent, but the read-back shows another participant ID.", code=codes.CONFLICT)
    reading.verdict = CONFIRMED
