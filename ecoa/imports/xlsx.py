"""XLSX as a stream: the first visible sheet, row by row, in bounded memory.

A library that builds cells as objects and keeps all shared strings in memory needs several hundred megabytes for a
million rows; this reads the two XML parts with expat as they come out of the archive. Document type declarations are
refused (entity bombs), and so are archives that claim to unpack into far more than a participant list can be.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Generator
from typing import BinaryIO
from xml.parsers import expat

from ecoa.imports.problems import FileRefused
from ecoa.imports.sheet_xml import SheetParser, Workbook, read_date_styles, read_relations, read_workbook
from ecoa.imports.strings import SharedStrings, read_shared_strings

MAX_DIRECTORY = 1 << 20
MAX_SHEET = 1 << 30
MAX_SMALL_PART = 1 << 20
_STYLES = "xl/styles.xml"
# Sheets of short repeated XML shrink to a thirtieth or so; past this ratio a large part is a bomb.
MAX_RATIO = 400
_PIECE = 1 << 16

_BROKEN = "The XLSX file is broken. Save it again and upload it once more."


def rows(file: BinaryIO) -> Generator[tuple[int, list[str]], None, None]:
    """(row number, cell texts) of the first visible sheet. FileRefused for anything that is not a sound workbook."""
    try:
        yield from _rows(file)
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, KeyError, ValueError, NotImplementedError):
        raise FileRefused(_BROKEN) from None


def _rows(file: BinaryIO) -> Generator[tuple[int, list[str]], None, None]:
    _check_directory(file)
    with zipfile.ZipFile(file) as archive:
        for part in archive.infolist():
            _check_part(part)
        sheet, strings_part = _parts(archive)
        with _strings(archive, strings_part) as strings:
            parser = SheetParser(strings, _date_styles(archive))
            with archive.open(sheet) as stream:
                while piece := stream.read(_PIECE):
                    yield from parser.feed(piece)
                yield from parser.close()


def _check_directory(file: BinaryIO) -> None:
    """Judge the archive's table of contents before a library reads all of it into memory."""
    file.seek(0, io.SEEK_END)
    size = file.tell()
    file.seek(max(size - 65_557, 0))
    tail = file.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) < place + 22:
        raise FileRefused(_BROKEN)
    (directory,) = struct.unpack("<L", tail[place + 12 : place + 16])
    if directory > MAX_DIRECTORY or b"PK\x06\x07" in tail[max(place - 20, 0) : place]:
        raise FileRefused("The XLSX file holds far more parts than a workbook has.")
    file.seek(0)


def _check_part(part: zipfile.ZipInfo) -> None:
    if part.flag_bits & 0x1:
        raise FileRefused("The XLSX file is encrypted. Save it without a password.")
    bomb = part.file_size > MAX_SMALL_PART * 10 and part.file_size > part.compress_size * MAX_RATIO
    if part.file_size > MAX_SHEET or bomb:
        raise FileRefused("The XLSX file unpacks into far more than a participant list can be.")


def _parts(archive: zipfile.ZipFile) -> tuple[str, str | None]:
    """The names of the first visible sheet and of the shared strings."""
    workbook: Workbook = read_workbook(_small(archive, "xl/workbook.xml"))
    targets = read_relations(_small(archive, "xl/_rels/workbook.xml.rels"))
    names = set(archive.namelist())
    sheet = _resolve(targets[workbook.first_sheet])
    strings = next((_resolve(target) for target in targets.values() if target.endswith("sharedStrings.xml")), None)
    if sheet not in names:
        raise FileRefused(_BROKEN)
    return sheet, strings if strings in names else None


def _resolve(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        raw = stream.read(MAX_SMALL_PART + 1)
    if len(raw) > MAX_SMALL_PART:
        raise FileRefused(_BROKEN)
    return raw


def _date_styles(archive: zipfile.ZipFile) -> frozenset[str]:
    return read_date_styles(_small(archive, _STYLES)) if _STYLES in archive.namelist() else frozenset()


def _strings(archive: zipfile.ZipFile, part: str | None) -> SharedStrings:
    if part is None:
        return SharedStrings()
    with archive.open(part) as stream:
        return read_shared_strings(iter(lambda: stream.read(_PIECE), b""))
