"""The XML parts of a workbook: sheet list, relations, and the cells of one sheet as a stream of rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ecoa.imports.problems import FileRefused
from ecoa.imports.safe_xml import local_name, make_parser
from ecoa.imports.strings import SharedStrings

MAX_COLUMNS = 256
MAX_TEXT = 32_768

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_CAPTURED = frozenset({"v", "t"})
# Number formats every workbook has without saying so: dates and times, also those of East Asian editions.
_BUILT_IN_DATES = frozenset(str(number) for number in (*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_DATE_LETTERS = re.compile(r"[dmyhs]", re.IGNORECASE)
# Text in quotes, escaped letters and conditions such as [Red] are no part of the format itself.
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|General', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Workbook:
    """The relation id of the first sheet people see."""

    first_sheet: str


def read_workbook(raw: bytes) -> Workbook:
    """Which sheet to read."""
    sheets: list[dict[str, str]] = []
    parser = make_parser()

    def start(name: str, attributes: dict[str, str]) -> None:
        if local_name(name) == "sheet":
            sheets.append({local_name(key): value for key, value in attributes.items()})

    parser.StartElementHandler = start
    parser.Parse(raw, True)
    seen = [sheet for sheet in sheets if sheet.get("state", "visible") == "visible"]
    if not seen:
        raise FileRefused("The workbook has no visible sheet.")
    return Workbook(seen[0]["id"])


def read_relations(raw: bytes) -> dict[str, str]:
    """Relation id → target part."""
    targets: dict[str, str] = {}
    parser = make_parser()

    def start(name: str, attributes: dict[str, str]) -> None:
        if local_name(name) == "Relationship" and "Id" in attributes and "Target" in attributes:
            targets[attributes["Id"]] = attributes["Target"]

    parser.StartElementHandler = start
    parser.Parse(raw, True)
    return targets


def read_date_styles(raw: bytes) -> frozenset[str]:
    """The style numbers whose cells show a number as a date or time."""
    dates, styles = set(_BUILT_IN_DATES), set()
    inside, count = False, 0
    parser = make_parser()

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside, count
        name = local_name(name)
        if name == "numFmt" and _DATE_LETTERS.search(_QUOTED.sub("", attributes.get("formatCode", ""))):
            dates.add(attributes.get("numFmtId", ""))
        inside = True if name == "cellXfs" else inside
        if name == "xf" and inside:
            if attributes.get("numFmtId", "0") in dates:
                styles.add(str(count))
            count += 1

    def end(name: str) -> None:
        nonlocal inside
        inside = inside and local_name(name) != "cellXfs"

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(raw, True)
    return frozenset(styles)


class SheetParser:
    """Feed it XML, get rows. One row is all it keeps."""

    def __init__(self, strings: SharedStrings, date_styles: frozenset[str] = frozenset()) -> None:
        self._strings = strings
        self._date_styles = date_styles
        self._parser = make_parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._ready: list[tuple[int, list[str]]] = []
        self._row: list[str] = []
        self._number = 0
        self._column = 0
        self._kind = ""
        self._date = False
        self._formula = False
        self._capturing = False
        self._text: list[str] = []
        self._length = 0

    def feed(self, piece: bytes) -> Iterator[tuple[int, list[str]]]:
        """Rows completed by this piece."""
        self._parser.Parse(piece, False)
        ready, self._ready = self._ready, []
        return iter(ready)

    def close(self) -> Iterator[tuple[int, list[str]]]:
        """The rest; raises when the XML is not complete."""
        self._parser.Parse(b"", True)
        return iter(self._ready)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = local_name(name)
        if name == "c":
            self._start_cell(attributes)
        elif name in _CAPTURED:
            self._capturing = True
        elif name == "f":
            self._formula = True
        elif name == "row":
            self._row = []
            number = attributes.get("r", "")
            self._number = int(number) if number.isdecimal() and len(number) < 10 else self._number + 1

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r", "")
        self._column = _column(reference) if reference else len(self._row)
        if self._column >= MAX_COLUMNS:
            raise FileRefused(f"Row {self._number} has more than {MAX_COLUMNS} columns.")
        self._kind = attributes.get("t", "n")
        self._date = self._kind == "n" and attributes.get("s", "0") in self._date_styles
        self._formula = False
        self._text = []
        self._length = 0

    def _end(self, name: str) -> None:
        name = local_name(name)
        if name in _CAPTURED:
            self._capturing = False
        elif name == "c":
            row = self._row
            while len(row) <= self._column:
                row.append("")
            row[self._column] = self._value()
        elif name == "row":
            self._ready.append((self._number, self._row))

    def _characters(self, data: str) -> None:
        if self._capturing:
            self._length += len(data)
            if self._length > MAX_TEXT:
                raise FileRefused(f"A cell in row {self._number} is longer than any ID can be.")
            self._text.append(data)

    def _value(self) -> str:
        text = "".join(self._text)
        if self._kind == "s":
            text = self._strings[int(text)] if text else ""
        elif self._kind == "n":
            text = _number(text)
        if "_x" in text:
            text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
        # A computed cell is shown as what it is, so that the check of values refuses it. So is a date: what people
        # typed, such as 01-02, is gone, and its serial number must not pass for an ID.
        return f"={text}" if self._formula or (self._date and text) else text


def _column(reference: str) -> int:
    """The column of a cell reference: A1 → 0, AB7 → 27."""
    column = 0
    for letter in reference:
        if not "A" <= letter <= "Z":
            break
        column = column * 26 + ord(letter) - 64
        if column > MAX_COLUMNS:
            break
    return max(column - 1, 0)


def _number(text: str) -> str:
    """A number as people see it: 1005 and not 1005.0 or 1.005E3."""
    if not text or text.isdecimal():
        return text
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    if value == value.to_integral_value() and abs(value) < Decimal(10) ** 15:
        return str(int(value))
    return text
