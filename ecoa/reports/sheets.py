"""CSV and XLSX of an evidence report; cells a spreadsheet would run as formulas are text in both."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from typing import IO

import xlsxwriter

from ecoa.reports.content import COLUMNS, Heading
from vaultadmin.exports import safe_cell

_OPTIONS = {
    # Rows go to disk as they are written, and no text is ever taken for a formula, a link or a number.
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_WIDTHS = (24, 38, 38, 20, 20, 20, 26, 30)
# A sheet holds this many rows; the participants beyond go on in another one.
SHEET_ROWS = 1_000_000


def write_csv(rows: Iterable[list[str]], into: IO[bytes]) -> str:
    """Write the CSV; returns the SHA-256 of its bytes, which is the hash of the report's content."""
    digest = hashlib.sha256()
    pieces = io.StringIO()
    writer = csv.writer(pieces)

    def flush() -> None:
        piece = pieces.getvalue().encode()
        digest.update(piece)
        into.write(piece)
        pieces.seek(0)
        pieces.truncate()

    # The mark by which spreadsheets know UTF-8.
    pieces.write("\ufeff")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
        if pieces.tell() > 65_536:
            flush()
    flush()
    return digest.hexdigest()


def write_xlsx(rows: Iterable[list[str]], heading: Heading, into: IO[bytes], *, folder: str) -> None:
    """Write the workbook: a sheet about the report, then the participants. `folder` is for its temporary files."""
    with xlsxwriter.Workbook(into, {**_OPTIONS, "tmpdir": folder}) as book:
        book.set_properties({"title": f"Evidence report of site {heading.site}", "created": heading.taken_at})
        bold = book.add_format({"bold": True})
        about = book.add_worksheet("About")
        about.set_column(0, 0, 28)
        about.set_column(1, 1, 70)
        for number, (label, value) in enumerate(heading.facts()):
            about.write_string(number, 0, label, bold)
            about.write_string(number, 1, value)
        _participants(book, rows, bold)


def _participants(book: xlsxwriter.Workbook, rows: Iterable[list[str]], bold: object) -> None:
    number = 1
    sheet, line = _sheet(book, number, bold), 1
    for row in rows:
        if line > SHEET_ROWS:
            number += 1
            sheet, line = _sheet(book, number, bold), 1
        for column, cell in enumerate(row):
            sheet.write_string(line, column, cell)
        line += 1


def _sheet(book: xlsxwriter.Workbook, number: int, bold: object) -> xlsxwriter.worksheet.Worksheet:
    sheet = book.add_worksheet("Participants" if number == 1 else f"Participants {number}")
    for column, (label, width) in enumerate(zip(COLUMNS, _WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, label, bold)
    sheet.freeze_panes(1, 1)
    return sheet
