"""One job and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connections.constants import AttemptOutcome
from connections.delivery.claiming import Job
from connections.delivery.outcomes import Result
from connections.delivery.routing import RouteUnavailable


@dataclass(frozen=True, slots=True)
class Sent:
    """One job and what came of it; no result means it was never started and goes back as it was."""

    job: Job
    result: Result | None
    url: str = ""
    certificate_id: str = ""
    sent_at: datetime | None = None
    digest: str = ""


def not_sent(refusal: RouteUnavailable) -> Result:
    """The attempt that could not be made."""
    return Result(AttemptOutcome.NOT_SENT, error=str(refusal), ends=refusal.ends)


def holds_up(sent: Sent) -> bool:
    """Must the next in line wait? Not after a final failure: that left the queue (veeva-core section 19, no. 15)."""
    return sent.result is None or not (sent.result.delivered or sent.result.ends)
