"""CSV downloads that open safely in a spreadsheet (security.md I5)."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

# Wide forms too: spreadsheets in East Asian languages read them alike.
_FORMULA = tuple("=+-@＝＋－＠")
_CONTROL = ("\t", "\r", "\n")


class _Echo:
    """A file that hands back what is written, so that csv can stream."""

    def write(self, value: str) -> str:
        return value


def csv_response(name: str, columns: Sequence[str], lines: Iterable[Sequence[str]]) -> StreamingHttpResponse:
    """A streamed CSV attachment; cells a spreadsheet would take for a formula are made text."""
    writer = csv.writer(_Echo())

    def stream() -> Iterator[str]:
        yield "\ufeff" + writer.writerow(columns)
        for line in lines:
            yield writer.writerow([safe_cell(cell) for cell in line])

    response = StreamingHttpResponse(stream(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, safe_name(name)) or "attachment"
    response["Cache-Control"] = "no-store, private"
    return response


def safe_cell(value: str) -> str:
    """The value with a leading quote when a spreadsheet would run it."""
    return f"'{value}" if value.lstrip().startswith(_FORMULA) or value.startswith(_CONTROL) else value


def safe_name(name: str) -> str:
    """A file name without path, control or quoting characters."""
    return re.sub(r"[^\w.\- ]+", "_", name)[:150] or "download"
