"""PDF of an evidence report, drawn page by page; how many pages there are is known before the first one.

The standard fonts know Western letters only. Anything else is written as an escape, so that no ID is shown as another
one; the CSV and XLSX files have every letter.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from ecoa.reports.content import Heading

_PAGE = landscape(A4)
_MARGIN = 34.0
_LINE = 12.0
_FONT, _BOLD, _SIZE = "Helvetica", "Helvetica-Bold", 7.0
# Where the columns begin, and where the last one ends.
_STOPS = (34, 124, 270, 416, 486, 562, 638, 718, 808)
_FIRST_TOP = _PAGE[1] - _MARGIN - 150
_TOP = _PAGE[1] - _MARGIN - 26
_BOTTOM = _MARGIN + 20
_SHORT = (
    "Participant ID",
    "Internal ID",
    "MyVeeva participant ID",
    "State",
    "First sent",
    "Read back",
    "Evidence",
    "Remark",
)
FIRST_ROWS = int((_FIRST_TOP - _BOTTOM) // _LINE) - 1
ROWS = int((_TOP - _BOTTOM) // _LINE) - 1


def pages_for(rows: int) -> int:
    """How many pages a report of so many participants has."""
    return 1 + max(0, -(-(rows - FIRST_ROWS) // ROWS))


def write_pdf(rows: Iterable[list[str]], heading: Heading, into: IO[bytes]) -> None:
    """Draw the report."""
    total = pages_for(heading.rows)
    # All pages are kept until the last one is drawn: about 1 kB a participant, so 100,000 take some 100 MB.
    canvas = Canvas(into, pagesize=_PAGE, pageCompression=1, invariant=1)
    canvas.setTitle(f"Evidence report of site {heading.site}")
    canvas.setAuthor(heading.by)
    page, left = 1, FIRST_ROWS
    y = _head(canvas, heading)
    for row in rows:
        if not left:
            _foot(canvas, heading, page, total)
            canvas.showPage()
            page, left = page + 1, ROWS
            y = _columns(canvas, _TOP)
        y = _row(canvas, row, y)
        left -= 1
    _foot(canvas, heading, page, total)
    canvas.showPage()
    canvas.save()


def _head(canvas: Canvas, heading: Heading) -> float:
    y = _PAGE[1] - _MARGIN - 8
    canvas.setFont(_BOLD, 14)
    canvas.drawString(_MARGIN, y, fitting(f"Evidence report of site {heading.site}", _BOLD, 14, 760))
    y -= 20
    for label, value in heading.facts():
        canvas.setFont(_BOLD, 8)
        canvas.drawString(_MARGIN, y, label)
        canvas.setFont(_FONT, 8)
        canvas.drawString(_MARGIN + 120, y, fitting(value, _FONT, 8, 640))
        y -= _LINE
    return _columns(canvas, _FIRST_TOP)


def _columns(canvas: Canvas, y: float) -> float:
    canvas.setFont(_BOLD, _SIZE)
    for label, stop in zip(_SHORT, _STOPS[:-1], strict=True):
        canvas.drawString(stop, y, label)
    canvas.setStrokeColor(colors.grey)
    canvas.line(_MARGIN, y - 3, _STOPS[-1], y - 3)
    canvas.setFont(_FONT, _SIZE)
    return y - _LINE


def _row(canvas: Canvas, row: list[str], y: float) -> float:
    for cell, start, end in zip(row, _STOPS[:-1], _STOPS[1:], strict=True):
        if cell:
            canvas.drawString(start, y, fitting(cell, _FONT, _SIZE, end - start - 4))
    return y - _LINE


def _foot(canvas: Canvas, heading: Heading, page: int, total: int) -> None:
    canvas.setFont(_FONT, 6.5)
    canvas.drawString(_MARGIN, _MARGIN, f"SHA-256 of the CSV file: {heading.sha256}  All times are UTC.")
    canvas.drawRightString(_STOPS[-1], _MARGIN, f"Page {page} of {total}")
    canvas.setFont(_FONT, _SIZE)


def fitting(text: str, font: str, size: float, room: float) -> str:
    """The text in letters the fonts have, cut with dots when it is wider than its place."""
    shown = text.encode("cp1252", "backslashreplace").decode("cp1252")
    if stringWidth(shown, font, size) <= room:
        return shown
    while shown and stringWidth(shown + "...", font, size) > room:
        shown = shown[: -max(1, len(shown) // 20)]
    return shown + "..."
