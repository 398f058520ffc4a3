"""The door to the network for many requests at once: the same policy and the same Answer, over aiohttp.

Connections are kept and shared; the policy is judged where they are opened, so a request on an open connection costs
no lookup and no second judgement.
"""

import asyncio
import io
import socket
from collections.abc import Collection, Mapping
from contextvars import ContextVar
from functools import lru_cache
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from .answer import Answer
from .async_errors import translate
from .budget import CONNECT_SECONDS, SILENCE_SECONDS
from .door import DEADLINE_SECONDS
from .lookup import begin_lookup
from .policy import Endpoint, Policy, current_policy
from .request import Request, prepare
from .tls import context_for
from .trip import Trip
from .urls import Target

_LOOKUP_SECONDS: Final = 5
_IDLE_SECONDS: Final = 15.0
_WHOLE_BODY: Final = 1_048_576


class AsyncDoor:
    """Up to `limit` requests under way at once; those beyond wait, and their deadline starts when they begin.

    Use as an async context manager within one event loop.
    """

    def __init__(self, limit: int, *, policy: Policy | None = None) -> None:
        self._policy = policy or current_policy()
        self._limit = limit
        self._slots = asyncio.Semaphore(limit)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = _WatchedConnector(
            resolver=_JudgingResolver(self._policy),
            ttl_dns_cache=_LOOKUP_SECONDS,
            limit=self._limit,
            keepalive_timeout=_IDLE_SECONDS,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            trust_env=False,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Content-Type", "Accept"),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

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
                await self._exchange(request, deadline, trip)
            except Exception as error:  # sorted there: what the network cannot cause is raised again
                return trip.ended_by(translate(error), host)
            return trip.finished()

    async def _exchange(self, request: Request, deadline: float, trip: Trip) -> None:
        if self._session is None:
            raise RuntimeError("AsyncDoor must be entered before it is used")
        line = _Line(trip)
        _line.set(line)
        complete = False
        try:
            async with self._session.request(
                request.method,
                _wire_url(request.target),
                data=_wire_body(request.body),
                headers=request.headers,
                allow_redirects=False,
                ssl=context_for(self._policy.ca_bundle),
                timeout=_timeout(deadline),
            ) as response:
                trip.headers_arrived(response.status, response.headers.items())
                complete = await _read_body(response, trip)
                if not complete:
                    response.close()
        finally:
            if not complete:
                line.abort()


class _Line:
    """The connection a request got, known from the moment it is open."""

    def __init__(self, trip: Trip) -> None:
        self._trip = trip
        self._transport: asyncio.BaseTransport | None = None

    def opened(self, transport: asyncio.BaseTransport | None) -> None:
        """Request bytes follow from here on."""
        self._transport = transport
        self._trip.reached = True
        peer = transport.get_extra_info("peername") if transport is not None else None
        self._trip.dialled = str(Endpoint(peer[0], peer[1])) if peer else ""

    def abort(self) -> None:
        """Drop the connection at once. A polite close would go on reading from the peer for half a minute."""
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.abort()


_line: ContextVar[_Line] = ContextVar("outbound_line")


class _WatchedConnector(aiohttp.TCPConnector):
    """Tells the request under way which connection it got."""

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:
        connection = await super().connect(req, traces, timeout)
        _line.get().opened(connection.transport)
        return connection


async def _read_body(response: aiohttp.ClientResponse, trip: Trip) -> bool:
    """Read what is kept of the body; whether that was all of it."""
    while trip.room > 0:
        piece = await response.content.readany()
        if not piece:
            return True
        trip.body_arrived(piece)
    return False


class _JudgingResolver(AbstractResolver):
    """Hands aiohttp judged addresses only. Names are all it is asked for: literals were judged with the URL."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        target = Target(host, port, "/", "", None)
        endpoints = self._policy.route(target)
        if endpoints is None:
            found = await asyncio.wrap_future(begin_lookup(self._policy.resolver, host, port))
            endpoints = self._policy.judge(target, found)
        return [_as_result(host, endpoint) for endpoint in endpoints]

    async def close(self) -> None:
        """Nothing is held."""


def _as_result(host: str, endpoint: Endpoint) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=endpoint.address,
        port=endpoint.port,
        family=socket.AF_INET6 if ":" in endpoint.address else socket.AF_INET,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


def _wire_url(target: Target) -> URL:
    """Built from the judged parts, so that no second parser has a say in where the request goes."""
    return URL.build(
        scheme="https", host=target.host, port=target.port, path=target.path, query_string=target.query, encoded=True
    )


def _wire_body(body: bytes) -> bytes | io.BytesIO | None:
    """A large body goes out in pieces, so that it does not hold up the other requests."""
    return io.BytesIO(body) if len(body) > _WHOLE_BODY else body or None


@lru_cache(maxsize=64)
def _timeout(deadline: float) -> aiohttp.ClientTimeout:
    # To aiohttp zero means for ever, and above its threshold it rounds up to whole seconds.
    total = max(deadline, 0.001)
    return aiohttp.ClientTimeout(
        total=total,
        connect=min(total, CONNECT_SECONDS),
        sock_read=SILENCE_SECONDS,
        ceil_threshold=total + 1,
    )
