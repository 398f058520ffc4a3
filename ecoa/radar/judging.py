"""What an answer means: one pure function from what we hold and what came back to a finding."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ecoa.client import EcoaError, Refused, RegionRefused, RemoteParticipant
from ecoa.client import errors as codes
from ecoa.models import DiscrepancyKind
from ecoa.sync.resolving import Reading

# The site is not where the study says, or has no region that works.
_SITE_CODES = {"NF-0003", "ID-0002", "IC-0001"}
# The study cannot be reached through our mapping.
_STUDY_CODES = {"NF-0002", "IC-0002", "IC-0003"}


class Says(StrEnum):
    """What one look came to."""

    AGREES = "agrees"
    DIFFERS = "differs"
    # A change of ours is under way: eCOA holds an older value of ours, which is no drift.
    PENDING = "pending"
    SITE = "site"
    STUDY = "study"
    FAILED = "failed"
    UNTRIED = "untried"


@dataclass(frozen=True, slots=True)
class Owned:
    """One participant to read back, as our side holds it. `sent` are all values we ever sent, where a change waits."""

    participant: int
    site_id: int
    site: str
    value: str
    internal_id: str
    version: int
    my_id: str
    sent: frozenset[str] = frozenset()


@dataclass(slots=True)
class Look:
    """One participant after it was asked about."""

    owned: Owned
    says: Says
    kind: str = ""
    code: str = ""
    detail: str = ""
    their_value: str = ""
    their_my_id: str = ""
    our_place: str = ""
    their_place: str = ""
    readings: list[Reading] = field(default_factory=list)


def judge(owned: Owned, found: RemoteParticipant | None) -> Look:
    """Compare what eCOA holds with what we hold; None is "not there" (NF-0004)."""
    if found is None:
        return Look(owned, Says.DIFFERS, kind=DiscrepancyKind.MISSING.value, code=codes.PARTICIPANT_NOT_FOUND)
    look = Look(owned, Says.AGREES, their_value=found.participant_id, their_my_id=found.my_veeva_participant_id)
    if found.participant_id != owned.value:
        if found.participant_id in owned.sent:
            look.says = Says.PENDING
            return look
        look.detail = "eCOA holds another participant ID for this internalId."
    elif owned.my_id and found.my_veeva_participant_id != owned.my_id:
        look.detail = f"eCOA made a new record: {found.my_veeva_participant_id[:100]!r}, not {owned.my_id[:100]!r}."
    else:
        return look
    look.says, look.kind = Says.DIFFERS, DiscrepancyKind.ID_DIFFERS.value
    return look


def judge_refusal(owned: Owned, error: EcoaError) -> Look:
    """A refusal about the site or the study is a finding; everything else is a failure, which proves nothing."""
    look = Look(owned, Says.FAILED, code=error.code, detail=error.detail[:500])
    if isinstance(error, RegionRefused):
        look.says, look.kind = Says.SITE, DiscrepancyKind.REGION_MOVED.value
    elif isinstance(error, Refused) and error.code in _SITE_CODES:
        look.says, look.kind = Says.SITE, DiscrepancyKind.SITE_UNMAPPED.value
    elif isinstance(error, Refused) and error.code in _STUDY_CODES:
        look.says, look.kind = Says.STUDY, DiscrepancyKind.MAPPING_GONE.value
    return look
