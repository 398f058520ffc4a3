"""One open connection of the asynchronous door: one request at a time, with its deadline."""

import asyncio
from time import monotonic
from typing import Final, cast

from .budget import SILENCE_SECONDS
from .policy import Endpoint
from .reading import AnswerReader
from .trip import Trip

# A large request goes out in pieces, so that it does not hold up the other connections.
_PIECE: Final = 262_144


class Line(asyncio.Protocol):
    """A connection and the answer it waits for, if any."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._loop = asyncio.get_running_loop()
        self._dialled = str(endpoint)
        self._transport: asyncio.Transport | None = None
        self._reader: AnswerReader | None = None
        self._over: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        # One timer for all requests in turn: most end long before it fires, so it is hardly ever moved.
        self._timer: asyncio.TimerHandle | None = None
        self._fires = self._deadline = self._heard = 0.0
        self.idle_since = 0.0

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, method: str, message: bytes, trip: Trip, deadline: float) -> bool:
        """Send a whole request and read its answer until `deadline` (monotonic); whether the line may be kept.

        Raises what `Trip` explains. Whoever is interrupted in here aborts the line.
        """
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection ended early")
        reader = self._reader = AnswerReader(trip, method)
        over = self._over = self._loop.create_future()
        self._watch(deadline)
        trip.dialled, trip.reached = self._dialled, True
        if len(message) <= _PIECE:
            self._transport.write(message)
        else:
            await self._write(self._transport, message, over)
        await over
        self._reader = self._over = None
        return reader.may_ask_again

    def abort(self) -> None:
        """Drop the connection at once. A polite close would go on reading from the peer for half a minute."""
        self._reader = None
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        if reader is None:
            # Nobody asked: what comes now must never be taken for the next answer.
            self.abort()
            return
        self._heard = monotonic()
        try:
            reader.feed(data)
        except Exception as error:
            self._end(error)
        else:
            if reader.done:
                self._end(None)

    def eof_received(self) -> bool:
        if self._reader is not None:
            try:
                self._reader.ended()
            except Exception as error:
                self._end(error)
            else:
                self._end(None)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._end(error if isinstance(error, OSError) else ConnectionResetError("the connection ended early"))
        self.resume_writing()
        if self._timer is not None:
            self._timer.cancel()

    def pause_writing(self) -> None:
        if self._room is None:
            self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    async def _write(self, transport: asyncio.Transport, message: bytes, over: asyncio.Future[None]) -> None:
        for start in range(0, len(message), _PIECE):
            transport.write(message[start : start + _PIECE])
            if self._room is not None:
                await asyncio.wait([self._room, over], return_when=asyncio.FIRST_COMPLETED)
            if over.done():
                return
            self._heard = monotonic()

    def _end(self, error: Exception | None) -> None:
        if self._over is None or self._over.done():
            return
        if error is None:
            self._over.set_result(None)
        else:
            self._over.set_exception(error)

    def _watch(self, deadline: float) -> None:
        self._deadline, self._heard = deadline, monotonic()
        if self._timer is None or self._due() < self._fires:
            self._set_timer()

    def _due(self) -> float:
        return min(self._deadline, self._heard + SILENCE_SECONDS)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._fires = self._due()
        self._timer = self._loop.call_later(max(self._fires - monotonic(), 0.0), self._look)

    def _look(self) -> None:
        """Is the time of the present request up? The timer may be an earlier one's."""
        self._timer = None
        if self._over is None or self._over.done():
            return
        if self._due() <= monotonic():
            self._end(TimeoutError())
        else:
            self._set_timer()
