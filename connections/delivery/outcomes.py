"""What one attempt came to, in the terms of veeva-core section 6.5. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from connections.constants import AttemptOutcome
from vaultadmin.outbound import Answer, ErrorKind

GONE = 410
MASK = b"(masked)"
# Longer than any window: what is asked beyond it changes nothing.
_LONGEST_WAIT = timedelta(days=1)
# A body that is too long or written in a way we did not ask for says nothing against the status.
_BESIDE_THE_POINT = (ErrorKind.TOO_BIG, ErrorKind.BAD_ANSWER)


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


def judge(answer: Answer, *, now: datetime, kept: int, distrust_ends: bool = True) -> Result:
    """Sort an answer: 2xx is success, 410 ends, everything else is tried again.

    What came after a 2xx is ignored, as long as it was not cut off: then the receiver may have failed half way.
    """
    text = answer.body[:kept].decode("utf-8", "replace").replace("\x00", "\ufffd")
    milliseconds = round(answer.elapsed * 1000)
    if answer.kind in (ErrorKind.REFUSED_ADDRESS, ErrorKind.BAD_REQUEST):
        return Result(AttemptOutcome.NOT_SENT, None, milliseconds, answer.error, ends=True)
    if answer.status is None or (200 <= answer.status < 300):
        if answer.ok or (answer.status is not None and answer.kind in _BESIDE_THE_POINT):
            return Result(AttemptOutcome.DELIVERED, answer.status, milliseconds, answer=text)
        outcome = AttemptOutcome.TIMEOUT if answer.kind is ErrorKind.TIMEOUT else AttemptOutcome.NO_ANSWER
        ends = answer.distrusted and distrust_ends
        return Result(outcome, answer.status, milliseconds, answer.error, text, ends, speaks_for_receiver=True)
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


def masked(body: bytes, secrets: Iterable[str]) -> bytes:
    """An answer without the secrets a receiver sent back: many echo what they were called with."""
    for secret in sorted(secrets, key=len, reverse=True):
        body = body.replace(secret.encode(), MASK)
    return body


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
