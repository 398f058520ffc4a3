"""Opening a participant file: what it is, its heading, and its rows one by one."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from ecoa.imports import columns, encoding, xlsx
from ecoa.imports.columns import Columns
from ecoa.imports.problems import FileRefused

MAX_BYTES = 256 * 1024 * 1024
MAX_ROWS = 2_000_000
MAX_HEADING = 65_536
# Longest line of text, and lines one row may stretch over: a row is never more than a little of the file.
MAX_LINE = 65_536
MAX_ROW_LINES = 100

_SEPARATORS = (",", ";", "\t", "|")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

Line = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """An opened file. `lines` yields (line number, cells) after the heading; blank lines are left out.

    `columns` is None when a person has to say which column is which.
    """

    heading: list[str]
    columns: Columns | None
    lines: Iterator[Line]
    encoding: str
    notes: list[str]


Choose = Callable[[Sequence[str]], Columns | None]


@contextmanager
def open_table(file: BinaryIO, *, choose: Choose = columns.find) -> Iterator[Table]:
    """Judge a file by its content, never by its name; `choose` tells the columns by the first row.

    FileRefused is raised here or while reading the lines.
    """
    lines, name, notes = _lines_of(file)
    with closing(lines), closing(_filled(lines)) as filled:
        heading = next(filled, None)
        if heading is None:
            raise FileRefused("The file has no rows.")
        yield Table(heading[1], choose(heading[1]), filled, name, notes)


def _lines_of(file: BinaryIO) -> tuple[Generator[Line, None, None], str, list[str]]:
    """The raw lines of a file, what kind it is, and what people should know about it."""
    file.seek(0, io.SEEK_END)
    size = file.tell()
    if size == 0:
        raise FileRefused("The file is empty.")
    if size > MAX_BYTES:
        raise FileRefused(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Split it and upload the parts.")
    file.seek(0)
    start = file.read(8)
    if start.startswith(b"PK"):
        return xlsx.rows(file), "XLSX", []
    if start == _OLD_OFFICE:
        raise FileRefused("This is an old or password-protected Excel file. Save it as XLSX or CSV without a password.")
    found = encoding.detect(file)
    return _csv_lines(file, found.codec), found.name, [found.note] if found.note else []


def _filled(lines: Iterator[Line]) -> Generator[Line, None, None]:
    """Lines with something in them, up to the number we take."""
    count = 0
    for line in lines:
        if any(line[1]):
            count += 1
            if count > MAX_ROWS + 1:
                raise FileRefused(f"The file has more than {MAX_ROWS:,} rows. Split it and upload the parts.")
            yield line


def _csv_lines(file: BinaryIO, codec: str) -> Generator[Line, None, None]:
    text = io.TextIOWrapper(file, encoding=codec, newline="")
    try:
        separator = _separator(text)
        text.seek(0)
        lines = _BoundedLines(text)
        reader = csv.reader(lines, delimiter=separator, strict=True)
        start = 1
        for cells in reader:
            yield start, cells
            lines.of_row = 0
            start = reader.line_num + 1
    except csv.Error as error:
        raise FileRefused(f"The CSV file is broken near line {start}: {error}.") from None
    except UnicodeDecodeError:
        raise FileRefused(f"The file cannot be read as {codec} after line {start}. Save it as UTF-8.") from None
    finally:
        # The caller opened the file and closes it.
        text.detach()


class _BoundedLines:
    """The lines of a text, none of them long and few of them in one row: the reader keeps a whole row in memory."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.of_row = 0

    def __iter__(self) -> _BoundedLines:
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_LINE)
        if not line:
            raise StopIteration
        self.of_row += 1
        if len(line) == MAX_LINE or self.of_row > MAX_ROW_LINES:
            raise csv.Error("a row is longer than any list of participants has")
        return line


def _separator(text: io.TextIOWrapper) -> str:
    """The separator with which the first filled line names most of our columns, or has the most columns at all."""
    heading = ""
    while not heading.strip():
        heading = text.readline(MAX_HEADING)
        if not heading:
            return ","
    if len(heading) >= MAX_HEADING:
        raise FileRefused("The first line is too long to be a heading.")
    return max(_SEPARATORS, key=lambda mark: (columns.matches(heading.split(mark)), heading.count(mark)))
