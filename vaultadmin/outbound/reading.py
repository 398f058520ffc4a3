"""One HTTP/1.1 answer, read from whatever pieces arrive and handed to a Trip. No network in here.

Nothing is repaired: an answer two readers could understand differently is none.
"""

import http.client
import re
from collections.abc import Callable
from typing import Final

from .budget import MAX_HEADER_BYTES, MAX_WIRE_BYTES, AnswerTooBig
from .trip import Trip

_PROTOCOL: Final = b"HTTP/"
_HEAD: Final = re.compile(
    rb"HTTP/1\.(?P<minor>[01]) (?P<status>[0-9]{3})(?: [^\r\n\x00]*+)?"
    rb"(?P<headers>(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]++:[^\r\n\x00]*+)*+)"
)
_CHUNK: Final = re.compile(rb"(?P<size>[0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?")
_LENGTH: Final = re.compile(r"[0-9]{1,15}")
_MAX_LINE: Final = 16_384
_END: Final = b"\r\n\r\n"


class BadAnswer(http.client.HTTPException):
    """What came is not an answer in HTTP."""


class AnswerReader:
    """Feed it until it is `done`, and tell it when the connection ends. Raises BadAnswer, AnswerTooBig, or
    ConnectionResetError for an end too early."""

    def __init__(self, trip: Trip, method: str) -> None:
        self._trip = trip
        self._has_no_body = method == "HEAD"
        self._held = b""
        self._received = 0
        self._left = 0
        self._allowance = MAX_HEADER_BYTES
        self._step: Callable[[], bool] = self._read_head
        self._ends_with_connection = False
        self._stays_open = False
        self.done = False

    @property
    def may_ask_again(self) -> bool:
        """Whether the connection is where the next answer would begin."""
        return self.done and self._stays_open and not self._held

    def feed(self, data: bytes) -> None:
        """Read on. `done` afterwards: all is there, or as much as is kept."""
        self._received += len(data)
        self._held = self._held + data if self._held else data
        while self._step():
            pass
        if not self.done and self._received > self._allowance:
            raise AnswerTooBig("The answer holds more headers or framing than is read.")

    def ended(self) -> None:
        """The peer will send no more."""
        if self._ends_with_connection:
            self.done = True
        elif self._held and not self._trip.has_answer and not self._held.startswith(_PROTOCOL):
            raise BadAnswer
        elif not self.done:
            raise ConnectionResetError("the connection ended early")

    def _read_head(self) -> bool:
        end = self._held.find(_END)
        if not self._held.startswith(_PROTOCOL[: len(self._held)]):
            raise BadAnswer
        if end < 0:
            return False
        if end > MAX_HEADER_BYTES:
            raise AnswerTooBig("The answer holds more headers or framing than is read.")
        head = _HEAD.fullmatch(self._held, 0, end)
        if head is None:
            raise BadAnswer
        self._held = self._held[end + len(_END) :]
        status = int(head["status"])
        if 100 <= status < 200 and status != http.client.SWITCHING_PROTOCOLS:
            return True
        self._received, self._allowance = len(self._held), MAX_WIRE_BYTES
        self._begin(status, head["minor"] == b"1", _pairs(head["headers"]))
        return True

    def _begin(self, status: int, is_current: bool, headers: list[tuple[str, str]]) -> None:
        self._trip.headers_arrived(status, headers)
        told = {name: [value for key, value in headers if key == name] for name in ("content-length", "connection")}
        codings = [value.lower() for key, value in headers if key == "transfer-encoding"]
        self._stays_open = is_current and "close" not in ",".join(told["connection"]).lower()
        if self._has_no_body or status in (101, 204, 304):
            self._finish()
        elif codings:
            if codings != ["chunked"] or told["content-length"]:
                raise BadAnswer
            self._step = self._read_chunk_size
        elif told["content-length"]:
            self._left = _length(told["content-length"])
            self._step = self._read_counted
        else:
            self._ends_with_connection, self._stays_open = True, False
            self._step = self._read_rest

    def _finish(self) -> bool:
        self.done = True
        self._step = _nothing_more
        return False

    def _keep(self, piece: bytes) -> bool:
        """Hand on some body; False when no more of it is kept."""
        self._trip.body_arrived(piece)
        if self._trip.room > 0:
            return True
        self._stays_open = False
        return self._finish()

    def _read_counted(self) -> bool:
        piece, self._held = self._held[: self._left], self._held[self._left :]
        self._left -= len(piece)
        if piece and not self._keep(piece):
            return False
        return self._finish() if not self._left else False

    def _read_rest(self) -> bool:
        piece, self._held = self._held, b""
        if piece:
            self._keep(piece)
        return False

    def _read_chunk_size(self) -> bool:
        line = self._line()
        if line is None:
            return False
        found = _CHUNK.fullmatch(line)
        if found is None:
            raise BadAnswer
        self._left = int(found["size"], 16)
        self._step = self._read_chunk if self._left else self._read_trailers
        return True

    def _read_chunk(self) -> bool:
        piece, self._held = self._held[: self._left], self._held[self._left :]
        self._left -= len(piece)
        if piece and not self._keep(piece):
            return False
        if self._left:
            return False
        self._step = self._read_chunk_end
        return True

    def _read_chunk_end(self) -> bool:
        if len(self._held) < 2:
            return False
        if not self._held.startswith(b"\r\n"):
            raise BadAnswer
        self._held = self._held[2:]
        self._step = self._read_chunk_size
        return True

    def _read_trailers(self) -> bool:
        line = self._line()
        if line is None:
            return False
        return True if line else self._finish()

    def _line(self) -> bytes | None:
        end = self._held.find(b"\r\n")
        if end > _MAX_LINE or (end < 0 and len(self._held) > _MAX_LINE):
            raise BadAnswer
        if end < 0:
            return None
        line, self._held = self._held[:end], self._held[end + 2 :]
        return line


def _nothing_more() -> bool:
    return False


def _pairs(headers: bytes) -> list[tuple[str, str]]:
    """Names in lower case with their values; the form was judged before."""
    lines = headers.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    return [(name.lower(), value.strip(" \t")) for name, _colon, value in pairs]


def _length(values: list[str]) -> int:
    told = set(values)
    only = told.pop()
    if told or not _LENGTH.fullmatch(only):
        raise BadAnswer
    return int(only)
