"""What one attempt came to, in the terms of veeva-core section 6.5. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from connections.constants import AttemptOutcome
from vaultadmin.outbound import Answer, ErrorKind

GONE = 410
# Longer than any window: what is asked beyond it changes nothing.
_LONGEST_WAIT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Result:
    """One attempt: `ends` means no other one follows, `speaks_for_receiver` that the next would fare alike."""

    outcome: AttemptOutcome
    status: int | None = None
    milliseconds: int | None = None
    error: str = ""
    answer: str = ""
    ends: bool = False
    asked_to_wait: timedelta = timedelta(0)
    speaks_for_receiver: bool = False

    @property
    def delivered(self) -> bool:
        """Did the far end accept it?"""
        return self.outcome is AttemptOutcome.DELIVERED


def judge(answer: Answer, *, now: datetime, kept: int) -> Result:
    """Sort an answer: 2xx is success, 410 ends, everything else is tried again."""
    text = answer.body[:kept].decode("utf-8", "replace").replace("\x00", "�")
    milliseconds = round(answer.elapsed * 1000)
    if answer.ok or (answer.status is not None and 200 <= answer.status < 300 and answer.kind is ErrorKind.TOO_BIG):
        return Result(AttemptOutcome.DELIVERED, answer.status, milliseconds, answer=text)
    if answer.kind in (ErrorKind.REFUSED_ADDRESS, ErrorKind.BAD_REQUEST):
        return Result(AttemptOutcome.NOT_SENT, None, milliseconds, answer.error, ends=True)
    if answer.kind is ErrorKind.TLS:
        return Result(AttemptOutcome.NO_ANSWER, None, milliseconds, answer.error, ends=True, speaks_for_receiver=True)
    if answer.status is None:
        timeout = answer.kind is ErrorKind.TIMEOUT
        outcome = AttemptOutcome.TIMEOUT if timeout else AttemptOutcome.NO_ANSWER
        return Result(outcome, None, milliseconds, answer.error, text, speaks_for_receiver=True)
    sentence = answer.error or f"The receiver answered with the HTTP status {answer.status}."
    return Result(
        AttemptOutcome.REFUSED,
        answer.status,
        milliseconds,
        sentence,
        text,
        ends=answer.status == GONE,
        asked_to_wait=_retry_after(answer.headers.get("retry-after", ""), now),
        speaks_for_receiver=answer.status == 429 or answer.status >= 500,
    )


def _retry_after(text: str, now: datetime) -> timedelta:
    """Seconds or an HTTP date; anything else asks for nothing."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(timedelta(seconds=int(text)), _LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
        wait = until - now
    except (TypeError, ValueError):
        return timedelta(0)
    return min(max(wait, timedelta(0)), _LONGEST_WAIT)
