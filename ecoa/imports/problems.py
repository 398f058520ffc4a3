"""What can be wrong with a file or a row, in words. A code may carry a detail after a colon."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class FileRefused(Exception):
    """The whole file cannot be used; the sentence says why and what to do."""


MISSING_SITE = "missing-site"
MISSING_PARTICIPANT_ID = "missing-participant-id"
MISSING_INTERNAL_ID = "missing-internal-id"
TOO_LONG = "too-long"
FORMULA = "formula"
CELL_ERROR = "cell-error"
CONTROL = "control"
TOO_MANY_COLUMNS = "too-many-columns"
UNKNOWN_SITE = "unknown-site"
DUPLICATE_PARTICIPANT_ID = "duplicate-participant-id"
DUPLICATE_INTERNAL_ID = "duplicate-internal-id"
INTERNAL_ID_CHANGE = "internal-id-change"
PARTICIPANT_ID_TAKEN = "participant-id-taken"
OTHER_SITE = "other-site"
OWNED_ELSEWHERE = "owned-elsewhere"
# No problem of the row: it is stored, and undoes what people signed.
CORRECTION_UNDONE = "correction-undone"

WORDS: dict[str, str | Promise] = {
    MISSING_SITE: _("The site is missing."),
    MISSING_PARTICIPANT_ID: _("The participant ID is missing."),
    MISSING_INTERNAL_ID: _("The internal ID is missing."),
    TOO_LONG: _("The %s is longer than 255 characters."),
    FORMULA: _("The %s is a formula or a date, or begins like a formula (=, +, - or @). Enter it as plain text."),
    CELL_ERROR: _("The %s is a spreadsheet error. Correct the cell."),
    CONTROL: _("The %s contains invisible or control characters."),
    TOO_MANY_COLUMNS: _("The row has more columns than the heading. Put values with a separator in quotes."),
    UNKNOWN_SITE: _("The study has no site with this number."),
    DUPLICATE_PARTICIPANT_ID: _("The participant ID is in this file more than once; first in line %s."),
    DUPLICATE_INTERNAL_ID: _("The internal ID is in this file more than once; first in line %s."),
    INTERNAL_ID_CHANGE: _("This participant ID is stored with another internal ID, and an internal ID never changes."),
    PARTICIPANT_ID_TAKEN: _("Another participant of the study already has this participant ID."),
    OTHER_SITE: _("This participant belongs to site %s. Participants are moved between sites on their page."),
    CORRECTION_UNDONE: _(
        "Stored, but this undoes a signed correction: the study team had put %s in place. Correct the ID at its source."
    ),
    OWNED_ELSEWHERE: _("The system that pushes participants owns this participant's ID; it changes there."),
}


# Where a push says it differently: its rows have an index, and it speaks of one site.
_PUSHED: dict[str, str | Promise] = {
    DUPLICATE_PARTICIPANT_ID: _("The participant ID is in this push more than once; first at index %s."),
    DUPLICATE_INTERNAL_ID: _("The internal ID is in this push more than once; first at index %s."),
    OTHER_SITE: _("This participant belongs to site %s. The study team moves participants between sites."),
}


def sentence(problem: str, *, pushed: bool = False) -> str:
    """The words for one problem, with its detail put in; `pushed` for those who sent it by the push API."""
    code, _colon, detail = problem.partition(":")
    words = str((pushed and _PUSHED.get(code)) or WORDS[code])
    return words % detail if "%s" in words else words
