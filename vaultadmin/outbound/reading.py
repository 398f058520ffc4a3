"""One HTTP/1.1 answer, read from whatever pieces arrive and handed to a Trip. No network in here.

llhttp parses, and as strictly as it can; what it leaves open is judged here: an answer that two readers could
understand differently is none.
"""

import http.client
from typing import Final

import httptools

from .budget import MAX_HEADER_BYTES, MAX_WIRE_BYTES, AnswerTooBig
from .trip import Trip

_PROTOCOL: Final = b"HTTP/"
_VERSIONS: Final = frozenset(("1.0", "1.1"))
# Of a status line and of each header: what is not in its words.
_LINE_END: Final = 4


class BadAnswer(http.client.HTTPException):
    """What came is not an answer in HTTP."""


class AnswerReader:
    """Feed it until it is `done`, and tell it when the connection ends. Raises BadAnswer, AnswerTooBig, or
    ConnectionResetError for an end too early."""

    def __init__(self, trip: Trip, method: str) -> None:
        self._trip = trip
        self._parser = httptools.HttpResponseParser(_Events(self))
        self._has_no_body = method == "HEAD"
        self._first = b""
        self._received = 0
        self._allowance = MAX_HEADER_BYTES
        self._headers: list[tuple[str, str]] = []
        self._head_size = 0
        self._has_head = False
        self._ends_with_connection = False
        self._stays_open = False
        self._trouble: Exception | None = None
        self.done = False

    @property
    def may_ask_again(self) -> bool:
        """Whether the connection is where the next answer would begin."""
        return self.done and self._stays_open

    def feed(self, data: bytes) -> None:
        """Read on. `done` afterwards: all is there, or as much as is kept."""
        if len(self._first) < len(_PROTOCOL):
            self._first += data[: len(_PROTOCOL) - len(self._first)]
            if not _PROTOCOL.startswith(self._first):
                raise BadAnswer
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.done:
                raise self._trouble or BadAnswer from error
            self._stays_open = False
        if not self.done and self._received > self._allowance:
            raise AnswerTooBig("The answer holds more headers or framing than is read.")

    def ended(self) -> None:
        """The peer will send no more."""
        if self._ends_with_connection:
            self.done = True
        elif 0 < len(self._first) < len(_PROTOCOL):
            raise BadAnswer
        elif not self.done:
            raise ConnectionResetError("the connection ended early")

    def began(self) -> None:
        """An answer begins: the one asked for, one before it, or one nobody asked for."""
        if self.done:
            self._stays_open = False
        self._headers, self._head_size, self._has_head = [], 0, False

    def header(self, name: bytes, value: bytes) -> None:
        """One header, or one trailer, which tells nothing."""
        self._head_size += len(name) + len(value) + _LINE_END
        if self._head_size > MAX_HEADER_BYTES:
            self._fail(AnswerTooBig("The answer holds more headers or framing than is read."))
        if not self._has_head:
            self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")))

    def head_complete(self) -> None:
        """Status and headers are known, and with them how the body will end."""
        if self.done:
            return
        self._has_head = True
        status = self._parser.get_status_code()
        if self._parser.get_http_version() not in _VERSIONS:
            self._fail(BadAnswer())
        if _is_interim(status):
            return
        self._received, self._allowance = 0, MAX_WIRE_BYTES
        self._trip.headers_arrived(status, self._headers)
        named = dict(self._headers)
        if named.get("transfer-encoding", "chunked").lower() != "chunked":
            self._fail(BadAnswer())
        self._stays_open = self._parser.should_keep_alive()
        self._ends_with_connection = not named.keys() & {"transfer-encoding", "content-length"}
        self.done = self._has_no_body

    def body(self, piece: bytes) -> None:
        """Some more of the body; beyond what is kept the rest is not waited for."""
        if self.done:
            return
        self._trip.body_arrived(piece)
        if self._trip.room <= 0:
            self.done, self._stays_open = True, False

    def complete(self) -> None:
        """The answer is whole, as far as it tells its end itself."""
        if not _is_interim(self._parser.get_status_code()):
            self.done = True

    def _fail(self, error: Exception) -> None:
        """Stop the parser, which tells only that it was stopped, and keep why."""
        self._trouble = error
        raise error


class _Events:
    """What the parser calls, by its names."""

    def __init__(self, reader: AnswerReader) -> None:
        self.on_message_begin = reader.began
        self.on_header = reader.header
        self.on_headers_complete = reader.head_complete
        self.on_body = reader.body
        self.on_message_complete = reader.complete


def _is_interim(status: int) -> bool:
    return 100 <= status < 200 and status != http.client.SWITCHING_PROTOCOLS
