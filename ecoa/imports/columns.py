"""Finding the three columns by their headings, whatever case, order or spelling."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ecoa.imports.problems import FileRefused

_ALIASES: dict[str, str] = {
    **dict.fromkeys(("site", "sitenumber", "sitenum", "siteid", "siteno", "studysite", "studysiteid"), "site"),
    **dict.fromkeys(("externalstudysiteid",), "site"),
    **dict.fromkeys(("participantid", "participant", "participantnumber", "subjectid", "subject"), "participantId"),
    **dict.fromkeys(("internalid", "internal", "internalparticipantid", "externalid"), "internalId"),
}
NEEDED = ("site", "participantId", "internalId")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the three columns are, and how many columns the heading has."""

    site: int
    participant_id: int
    internal_id: int
    width: int


def find(heading: Sequence[str]) -> Columns:
    """The columns named by a heading; FileRefused says which are missing or there twice."""
    places: dict[str, int] = {}
    for index, text in enumerate(heading):
        name = _ALIASES.get(re.sub(r"[^a-z]", "", text.lower()))
        if name is None:
            continue
        if name in places:
            raise FileRefused(f"The column {name} is in the heading twice.")
        places[name] = index
    missing = [name for name in NEEDED if name not in places]
    if missing:
        there = ", ".join(text.strip()[:40] or "(empty)" for text in heading[:8]) or "nothing"
        raise FileRefused(
            f"The first row must name the columns site, participantId and internalId; missing: {', '.join(missing)}. "
            f"Found: {there}."
        )
    return Columns(places["site"], places["participantId"], places["internalId"], len(heading))


def matches(heading: Sequence[str]) -> int:
    """How many of the needed columns a heading has; used to tell the separator of a CSV file."""
    return len({_ALIASES.get(re.sub(r"[^a-z]", "", text.lower())) for text in heading} & set(NEEDED))
