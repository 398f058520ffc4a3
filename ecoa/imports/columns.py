"""The three columns of a file: found by their headings, whatever case, order or spelling, or chosen by a person."""

from __future__ import annotations

import hashlib
import json
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
# More than any list of participants has; a file with more lies about what it is.
MAX_COLUMNS = 256


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the three columns are, and how many columns the heading has."""

    site: int
    participant_id: int
    internal_id: int
    width: int


def key(heading: Sequence[str]) -> str:
    """What two first rows are compared by: the headings in their order, without regard to case and blanks."""
    plain = [" ".join(text.split()).casefold() for text in heading]
    return hashlib.sha256(json.dumps(plain).encode("utf-8", "replace")).hexdigest()


def guess(heading: Sequence[str]) -> Columns | None:
    """The columns named by a heading; None when a person has to say which is which."""
    check(heading)
    try:
        return find(heading)
    except FileRefused:
        return None


def chosen(heading: Sequence[str], *, site: int, participant_id: int, internal_id: int) -> Columns:
    """Columns a person chose by position; FileRefused when they are not three of this heading's."""
    places = (site, participant_id, internal_id)
    if len(set(places)) < len(places):
        raise FileRefused("Choose three different columns.")
    if not all(0 <= place < len(heading) for place in places):
        raise FileRefused("The file has no such column.")
    return Columns(*places, len(heading))


def check(heading: Sequence[str]) -> None:
    """FileRefused for a heading no choice of columns could help."""
    if len(heading) > MAX_COLUMNS:
        raise FileRefused(f"The first row has more than {MAX_COLUMNS} columns.")
    if len(heading) < len(NEEDED):
        find(heading)


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
