"""Which encoding a text file is in. Read once in small pieces; guessed encodings are said aloud."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import BinaryIO

from ecoa.imports.problems import FileRefused

_PIECE = 1 << 20
_SAMPLE = 4096
# Bytes that mean nothing in Windows-1252: a file with them is not in it.
_NOT_1252 = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec to open the file with, and a sentence for the person when it was not plain UTF-8."""

    codec: str
    name: str
    note: str = ""


_UTF16_NOTE = "The file is in UTF-16."


def detect(file: BinaryIO) -> Encoding:
    """The encoding of a text file; FileRefused when it is not text we can read. Leaves the file at its start."""
    file.seek(0)
    sample = file.read(_SAMPLE)
    found = _by_mark(sample) or _by_zeros(sample)
    if found is None:
        found = Encoding("utf-8", "UTF-8") if _is_utf8(file) else _windows(file)
    file.seek(0)
    return found


def _by_mark(sample: bytes) -> Encoding | None:
    if sample.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise FileRefused("The file is in UTF-32. Save it as UTF-8 and upload it again.")
    if sample.startswith(codecs.BOM_UTF8):
        return Encoding("utf-8-sig", "UTF-8")
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Encoding("utf-16", "UTF-16", _UTF16_NOTE)
    return None


def _by_zeros(sample: bytes) -> Encoding | None:
    """UTF-16 without a mark shows as zeros in every second byte of plain text."""
    half = len(sample) // 2
    if half < 4:
        return None
    if sample[1::2].count(0) > half * 0.4 and sample[0::2].count(0) < half * 0.1:
        return Encoding("utf-16-le", "UTF-16", _UTF16_NOTE)
    if sample[0::2].count(0) > half * 0.4 and sample[1::2].count(0) < half * 0.1:
        return Encoding("utf-16-be", "UTF-16", _UTF16_NOTE)
    if sample.count(0) > len(sample) * 0.1:
        raise FileRefused("This is neither a CSV nor an XLSX file.")
    return None


def _is_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while piece := file.read(_PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _windows(file: BinaryIO) -> Encoding:
    file.seek(0)
    while piece := file.read(_PIECE):
        if len(piece.translate(None, _NOT_1252)) != len(piece):
            raise FileRefused("The encoding of the file is not known. Save it as UTF-8 and upload it again.")
    note = "The file is not in UTF-8 and was read as Windows-1252. Check values with accents below."
    return Encoding("cp1252", "Windows-1252", note)
