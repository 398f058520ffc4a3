"""Time and size a request may use up, kept by the clock and not by the call: a timeout per read never fires on a peer
that sends one byte at a time."""

from time import monotonic
from typing import Final

CONNECT_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 15.0
"""Longest wait for the first byte, and for any byte after it."""
MAX_HEADER_BYTES: Final = 65_536
MAX_WIRE_BYTES: Final = 1_048_576
"""Everything received for one answer: without it tiny chunks with long extensions go on until the deadline."""


class AnswerTooBig(Exception):
    """The peer sent more than any answer we read; the message is one sentence."""


class Budget:
    """One request's deadline and its count of received bytes."""

    def __init__(self, seconds: float) -> None:
        self._ends = monotonic() + seconds
        self._received = 0
        self._allowance = MAX_HEADER_BYTES

    def wait(self, at_most: float) -> float:
        """Seconds the next blocking call may take; TimeoutError when the deadline has passed."""
        left = self._ends - monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, at_most)

    def headers_done(self) -> None:
        self._allowance = MAX_WIRE_BYTES

    def received(self, count: int) -> None:
        self._received += count
        if self._received > self._allowance:
            raise AnswerTooBig("The answer holds more headers or framing than is read.")
