"""What the client's answers become once parsed. Past this point nobody re-checks types."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum


class Stage(IntEnum):
    """How far one participant got; the beads of the site page."""

    NONE = 0
    SITE_FOUND = 1
    SIGNED_IN = 2
    SENT = 3
    CONFIRMED = 4


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the project team issued for one external system. The secret never shows in a repr."""

    system_id: str
    tenant_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and the moment (seconds since the epoch) we stop using it."""

    value: str = field(repr=False)
    use_until: float


@dataclass(frozen=True, slots=True)
class RemoteParticipant:
    """What eCOA holds for one internalId, and by which answer we know."""

    my_veeva_participant_id: str
    participant_id: str
    url: str = ""
    status: int | None = None
