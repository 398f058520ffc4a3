"""The door to the network for many requests at once: the same policy and the same Answer, over asyncio's transports.

Connections are kept and shared; the policy is judged where they are opened, so a request on an open connection costs
no lookup and no second judgement.
"""

import asyncio
from collections.abc import Collection, Mapping
from time import monotonic
from types import TracebackType
from typing import Final, Self

from .answer import Answer
from .door import DEADLINE_SECONDS
from .line import Line
from .lines import Lines
from .policy import Policy, current_policy
from .request import REPEATABLE, Request, prepare
from .trip import Trip

_WITH_LENGTH: Final = frozenset(("POST", "PUT", "PATCH"))


class AsyncDoor:
    """Up to `limit` requests under way at once; those beyond wait, and their deadline starts when they begin.

    Use as an async context manager within one event loop.
    """

    def __init__(self, limit: int, *, policy: Policy | None = None) -> None:
        self._policy = policy or current_policy()
        self._slots = asyncio.Semaphore(limit)
        self._lines: Lines | None = None

    async def __aenter__(self) -> Self:
        self._lines = Lines(self._policy)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lines is not None:
            self._lines.close()
            # Dropped connections close in the loop's next round.
            await asyncio.sleep(0)

    async def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        deadline: float = DEADLINE_SECONDS,
        allow_hosts: Collection[str] | None = None,
    ) -> Answer:
        """As `door.send`. Cancelling it closes the connection in use."""
        async with self._slots:
            trip = Trip()
            host = ""
            try:
                request = prepare(self._policy, method, url, body=body, headers=headers, allow_hosts=allow_hosts)
                host = request.target.host
                await self._exchange(request, monotonic() + deadline, trip)
            except Exception as error:  # sorted there: what the network cannot cause is raised again
                return trip.ended_by(error, host)
            return trip.finished()

    async def _exchange(self, request: Request, ends: float, trip: Trip) -> None:
        if self._lines is None:
            raise RuntimeError("AsyncDoor must be entered before it is used")
        message = _written(request)
        line = self._lines.kept(request.target)
        if line is not None:
            try:
                return await self._ask(self._lines, line, request, message, trip, ends)
            except ConnectionError:
                # The peer closed an idle connection while we wrote. Only what changes nothing may be sent twice.
                if request.method not in REPEATABLE or trip.has_answer:
                    raise
        line = await self._lines.dial(request.target, ends)
        await self._ask(self._lines, line, request, message, trip, ends)

    async def _ask(self, lines: Lines, line: Line, request: Request, message: bytes, trip: Trip, ends: float) -> None:
        stays = False
        try:
            stays = await line.ask(request.method, message, trip, ends)
        finally:
            if stays:
                lines.keep(request.target, line)
            else:
                line.abort()


def _written(request: Request) -> bytes:
    """The request as it goes over the wire, built from the judged parts."""
    head = [f"{request.method} {request.target.resource} HTTP/1.1"]
    head.extend(f"{name}: {value}" for name, value in request.headers.items())
    if request.body or request.method in _WITH_LENGTH:
        head.append(f"Content-Length: {len(request.body)}")
    return "\r\n".join((*head, "", "")).encode("ascii") + request.body
