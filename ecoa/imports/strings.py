"""The shared strings of a workbook, kept in a temporary file: a million of them cost a few megabytes of memory."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from ecoa.imports.safe_xml import local_name, make_parser

MAX_STRING = 32_768
_BLOCK = 1 << 16


class SharedStrings:
    """Strings by number. Written once in order, then read; neighbours are read together."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._ends = array("Q")
        self._size = 0
        self._pending: list[bytes] = []
        self._block = b""
        self._block_at = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._ends)

    def append(self, text: str) -> None:
        raw = text.encode("utf-8")
        self._size += len(raw)
        self._ends.append(self._size)
        self._pending.append(raw)
        if len(self._pending) >= 4096:
            self.flush()

    def flush(self) -> None:
        """Write out what was appended; must be called once before reading."""
        self._file.write(b"".join(self._pending))
        self._pending.clear()

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self._ends):
            raise ValueError("a cell names a string that is not there")
        start = self._ends[number - 1] if number else 0
        end = self._ends[number]
        if start < self._block_at or end > self._block_at + len(self._block):
            self._file.seek(start)
            self._block_at, self._block = start, self._file.read(max(_BLOCK, end - start))
        return self._block[start - self._block_at : end - self._block_at].decode("utf-8")


def read_shared_strings(pieces: Iterable[bytes]) -> SharedStrings:
    """Read the shared strings part: the text runs of each entry joined, phonetic guides left out."""
    reader = _Reader()
    try:
        for piece in pieces:
            reader.parser.Parse(piece, False)
        reader.parser.Parse(b"", True)
        reader.strings.flush()
    except BaseException:
        reader.strings.__exit__(None, None, None)
        raise
    return reader.strings


class _Reader:
    def __init__(self) -> None:
        self.strings = SharedStrings()
        self.parser = make_parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self._runs: list[str] = []
        self._length = 0
        self._in_text = False
        self._phonetic = 0

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        match local_name(name):
            case "si":
                self._runs, self._length = [], 0
            case "t":
                self._in_text = not self._phonetic
            case "rPh":
                self._phonetic += 1

    def _end(self, name: str) -> None:
        match local_name(name):
            case "si":
                self.strings.append("".join(self._runs))
            case "t":
                self._in_text = False
            case "rPh":
                self._phonetic -= 1

    def _text(self, data: str) -> None:
        if self._in_text and self._length <= MAX_STRING:
            self._length += len(data)
            self._runs.append(data)
