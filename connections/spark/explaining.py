"""Why a message is signed as it is: the string-to-verify line by line, and where a receiver's own differs. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from connections.spark.signing import SIGNED_PREFIX

_WHAT: Final = {
    "certificateid": "The certificate whose public key verifies the signature",
    "executionid": "The execution that put the message",
    "requestdatetime": "When this attempt was sent",
    "requestid": "The message id",
    "requestnotafter": "The signature holds until then",
    "requestnotbefore": "The signature holds from then on",
    "requesttype": "What kind of request it is",
    "url": "The address it was sent to",
    "vaultid": "The Vault that sends",
}
_BODY: Final = "The body exactly as it was sent, followed by a line break"
_URL: Final = "The whole URL with its query; nothing follows, no line break either"
_AROUND: Final = 24
_BEGINNINGS: Final = (24, 12, 6, 3)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the string, and what it is."""

    number: int
    text: str
    what: str


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where a receiver's string is another one: line and character, counted from 1.

    `ours` and `theirs` are what stands there, each cut to a few characters; `at` is where it is in our string.
    """

    line: int
    column: int
    ours: str
    theirs: str
    hint: str
    at: int


def lines(string: str) -> list[Line]:
    """The string-to-verify line by line: the signed headers in their order, the body, the URL."""
    found = string.split("\n")
    last = len(found)
    return [Line(number, text, _what(text, number, last)) for number, text in enumerate(found, start=1)]


def first_difference(ours: str, theirs: str, *, unknown: re.Pattern[str] | None = None) -> Difference | None:
    """Where a pasted string first differs from ours; None when it is the same.

    Browsers send line breaks as CR LF, so those are not compared. `unknown` finds places of ours whose text was not
    kept: anything may stand there.
    """
    pasted = theirs.replace("\r\n", "\n")
    here = there = 0
    for number, piece in enumerate(_pieces(ours, unknown)):
        if number % 2:
            here += len(piece)
            continue
        if number:
            there = _after_unknown(piece, pasted, there)
        same = _common(piece, pasted, there)
        if same < len(piece):
            return _difference(ours, pasted, here + same, there + same)
        here, there = here + len(piece), there + len(piece)
    return _difference(ours, pasted, here, there) if there < len(pasted) else None


def _pieces(ours: str, unknown: re.Pattern[str] | None) -> list[str]:
    """Known text at even places, what was not kept at odd ones."""
    if unknown is None:
        return [ours]
    pieces, begin = [], 0
    for match in unknown.finditer(ours):
        pieces += [ours[begin : match.start()], match.group()]
        begin = match.end()
    return [*pieces, ours[begin:]]


def _after_unknown(piece: str, pasted: str, there: int) -> int:
    """Where a known piece goes on after one whose text was not kept: at the longest beginning of it that is found."""
    if not piece:
        return len(pasted)
    found = (pasted.find(piece[:length], there) for length in _BEGINNINGS)
    return next((index for index in found if index >= 0), there)


def _common(piece: str, pasted: str, there: int) -> int:
    if pasted.startswith(piece, there):
        return len(piece)
    pairs = zip(piece, pasted[there : there + len(piece)], strict=False)
    return next((index for index, (one, other) in enumerate(pairs) if one != other), len(pasted) - there)


def _difference(ours: str, pasted: str, here: int, there: int) -> Difference:
    line = ours.count("\n", 0, here) + 1
    column = here - (ours.rfind("\n", 0, here) + 1) + 1
    mine, other = ours[here : here + _AROUND], pasted[there : there + _AROUND]
    return Difference(line, column, mine, other, _hint(ours, pasted, here, there), here)


def _hint(ours: str, pasted: str, here: int, there: int) -> str:
    mine, other = ours[here:], pasted[there:]
    total = ours.count("\n") + 1
    line = ours.count("\n", 0, here) + 1
    if not mine:
        return (
            "The string ends with the URL: no line break follows it."
            if not other.strip("\n")
            else "Something follows the URL; the string ends there."
        )
    if not other:
        return "Your string ends here: a part of it is missing."
    if mine[0] == "\n" or other[0] == "\n":
        return "One of the two has a line break here. Each header ends in one, the last one too, and so does the body."
    if mine[0].lower() == other[0].lower() and line < total - 1:
        return "Only the case differs: names of headers are written in small letters."
    if other[0] in " \t" or mine[0] in " \t":
        return "Spaces differ: none stand after the colon of a header, nor around its value."
    if line == total:
        return "The URL is the one of the header x-vaultapisignature-url, with its query, written as it is there."
    if line == total - 1:
        return "Use the bytes of the body as they came, not JSON that was read and written again."
    return f"Only headers that begin with {SIGNED_PREFIX} belong here, sorted by their names."


def _what(text: str, number: int, last: int) -> str:
    if number == last:
        return _URL
    if number == last - 1:
        return _BODY
    name = text.partition(":")[0].removeprefix(SIGNED_PREFIX)
    return _WHAT.get(name, "A signed header")
