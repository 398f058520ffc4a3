"""What is wrong with one row by itself. What needs other rows (duplicates, sites) is asked of the database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from ecoa.imports import problems

LONGEST = 255
# Kept of a value that is too long: enough to recognise it in the preview.
KEPT = 300

# The common case in one look: plain ASCII, nothing a spreadsheet or a log could misread.
_plain: Callable[[str], object] = re.compile(
    r"[0-9A-Za-z](?:[0-9A-Za-z ._:#()+=@/-]{0,253}[0-9A-Za-z._:#()+=@/-])?"
).fullmatch

_NAMES = ("site", "participant ID", "internal ID")
_MISSING = (problems.MISSING_SITE, problems.MISSING_PARTICIPANT_ID, problems.MISSING_INTERNAL_ID)
_CELL_ERRORS = frozenset({"#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"})
# Control, format (zero width, direction), surrogate, private use, line and paragraph separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

Values = tuple[str, str, str]


def inspect(site: str, participant_id: str, internal_id: str) -> tuple[Values, list[str] | None]:
    """The values as they will be stored, without blanks around them, and the problems found (None for none)."""
    if _plain(site) and _plain(participant_id) and _plain(internal_id):
        return (site, participant_id, internal_id), None
    values = (site.strip(), participant_id.strip(), internal_id.strip())
    found = [problem for number, value in enumerate(values) if (problem := _problem(number, value))]
    return (storable(values[0]), storable(values[1]), storable(values[2])), found or None


def _problem(number: int, value: str) -> str | None:
    name = _NAMES[number]
    if not value:
        return _MISSING[number]
    if len(value) > LONGEST:
        return f"{problems.TOO_LONG}:{name}"
    if value[0] in "=+-@":
        return f"{problems.FORMULA}:{name}"
    if value in _CELL_ERRORS:
        return f"{problems.CELL_ERROR}:{name}"
    if any(unicodedata.category(letter) in _UNSEEN for letter in value):
        return f"{problems.CONTROL}:{name}"
    return None


def storable(value: str, *, longest: int = KEPT) -> str:
    """A value as the database can keep it: shortened, and with a mark where a NUL or half a character was."""
    kept = value[:longest].replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return kept if kept.isascii() else "".join("\N{REPLACEMENT CHARACTER}" if _is_half(c) else c for c in kept)


def _is_half(letter: str) -> bool:
    return "\ud800" <= letter <= "\udfff"
