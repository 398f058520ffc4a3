"""Putting a file's rows into the staging table with COPY, as they are read; preview and import look at these rows."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

from django.db import connection

from ecoa.imports import problems, shape
from ecoa.imports.columns import Columns
from ecoa.imports.reading import Line
from ecoa.models import FileChunk

_COPY = "COPY ecoa_filerow (file_id, line, site, participant_id, internal_id, problems) FROM STDIN"
_BLOCK = 2000
_PIECE = 1 << 20
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def sha256_of(file: BinaryIO) -> str:
    """The fingerprint of the uploaded bytes; leaves the file at its start."""
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def keep(*, file_id: int, file: BinaryIO) -> None:
    """Put the uploaded bytes by, within the caller's transaction, in case the columns are chosen anew."""
    file.seek(0)
    number = 0
    while piece := file.read(_PIECE):
        FileChunk.objects.create(file_id=file_id, number=number, data=piece)
        number += 1
    file.seek(0)


def reopen(file_id: int) -> BinaryIO:
    """The uploaded bytes again, in a temporary file the caller closes."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - handed to the caller
    try:
        rows = FileChunk.objects.filter(file=file_id).order_by("number").values_list("data", flat=True)
        for piece in rows.iterator(chunk_size=1):
            file.write(piece)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def stage(*, file_id: int, columns: Columns, lines: Iterator[Line]) -> int:
    """Copy every row of an opened file, within the caller's transaction; returns how many."""
    count = 0
    block: list[str] = []
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for line in _copy_lines(file_id, columns, lines):
            block.append(line)
            count += 1
            if len(block) == _BLOCK:
                copy.write("".join(block))
                block.clear()
        copy.write("".join(block))
    return count


def _copy_lines(file_id: int, at: Columns, lines: Iterator[Line]) -> Iterator[str]:
    last = max(at.site, at.participant_id, at.internal_id)
    for number, cells in lines:
        if len(cells) <= last:
            cells = cells + [""] * (last + 1 - len(cells))
        (site, participant_id, internal_id), found = shape.inspect(
            cells[at.site], cells[at.participant_id], cells[at.internal_id]
        )
        if len(cells) > at.width and any(cells[at.width :]):
            found = [problems.TOO_MANY_COLUMNS, *(found or [])]
        if found is None and "\\" not in site + participant_id + internal_id:
            yield f"{file_id}\t{number}\t{site}\t{participant_id}\t{internal_id}\t\\N\n"
        else:
            values = (value.translate(_ESCAPES) for value in (site, participant_id, internal_id))
            yield "\t".join((str(file_id), str(number), *values, _array(found))) + "\n"


def _array(found: list[str] | None) -> str:
    """A PostgreSQL array; our problem codes hold neither quotes nor backslashes."""
    return "\\N" if found is None else "{" + ",".join(f'"{problem}"' for problem in found) + "}"
