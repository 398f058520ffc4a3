"""The API usage log for programs (veeva-core 10.2)."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from tempfile import TemporaryFile

from django.http import FileResponse

from vaultadmin import exports
from vaultadmin.permissions import Permission
from vaultadmin.rest import parameters
from vaultadmin.rest.call import Call
from vaultadmin.rest.endpoint import endpoint
from vaultadmin.rest.envelope import ErrorType, Failure
from vaultadmin.selectors import api_usage as selectors
from vaultadmin.services.api_usage import KEPT


@endpoint("GET", needs=Permission.API_USAGE_LOGS)
def api_usage(call: Call) -> FileResponse:
    """`GET logs/api_usage?date=YYYY-MM-DD&log_format=csv|logfile`: a ZIP with one day of the vault's log."""
    asked = parameters.read(call.request, "date", "log_format")
    day, write_line, ending = _day(call, asked["date"]), *_format(asked["log_format"])
    name = f"{call.member.vault_id}-{day}-api_usage"
    lines = selectors.lines(selectors.of_day(call.member.vault, day))
    # A day can be millions of rows: they go through a file on disk, a row at a time.
    packed = TemporaryFile()  # noqa: SIM115 - FileResponse closes it when the answer is sent
    entry_name = f"{name}.{ending}"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(entry_name, "w") as entry:
        for line in _written(lines, write_line):
            entry.write(line.encode())
    packed.seek(0)
    response = FileResponse(packed, as_attachment=True, filename=f"{name}.zip", content_type="application/octet-stream")
    response["Cache-Control"] = "no-store, private"
    return response


def _day(call: Call, text: str) -> date:
    if not text:
        raise Failure(ErrorType.PARAMETER_REQUIRED, "Missing required parameter: date.")
    day = selectors.read_day(text)
    today = call.now.date()
    if day is None or not today - KEPT <= day <= today:
        raise Failure(ErrorType.INVALID_DATA, f"date is a day of the last {KEPT.days} days, written YYYY-MM-DD.")
    return day


def _format(name: str) -> tuple[Callable[[Sequence[str]], str], str]:
    formats = {"": (_csv_line, "csv"), "csv": (_csv_line, "csv"), "logfile": (_log_line, "log")}
    if name not in formats:
        raise Failure(ErrorType.INVALID_DATA, "log_format is csv or logfile.")
    return formats[name]


def _written(lines: Iterable[Sequence[str]], write_line: Callable[[Sequence[str]], str]) -> Iterable[str]:
    yield ("#Fields: " if write_line is _log_line else "") + write_line(selectors.COLUMNS)
    for line in lines:
        yield write_line(line)


def _csv_line(cells: Sequence[str]) -> str:
    """People open these in a spreadsheet, which must not run what a caller typed (security.md I5)."""
    text = io.StringIO()
    csv.writer(text).writerow([exports.safe_cell(cell) for cell in cells])
    return text.getvalue()


def _log_line(cells: Sequence[str]) -> str:
    """Tab-separated; a cell without a value is a hyphen."""
    return "\t".join(" ".join(cell.split()) or "-" for cell in cells) + "\n"
