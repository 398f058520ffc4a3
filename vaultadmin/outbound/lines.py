"""Open connections kept between requests, and how new ones are dialled: judged addresses only."""

import asyncio
import socket
import ssl
from collections import defaultdict
from time import monotonic
from typing import Final

from .budget import CONNECT_SECONDS
from .line import Line
from .lookup import begin_lookup
from .policy import Endpoint, Policy
from .tls import context_for
from .urls import Target

_LOOKUP_SECONDS: Final = 5.0
_IDLE_SECONDS: Final = 15.0
# How long a trust store is not looked at again.
_TRUST_SECONDS: Final = 1.0

_Place = tuple[str, int]


class Lines:
    """Kept connections by place. Belongs to one event loop."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._idle: defaultdict[_Place, list[Line]] = defaultdict(list)
        self._found: dict[_Place, tuple[float, tuple[Endpoint, ...]]] = {}
        self._lookups: dict[_Place, asyncio.Task[tuple[Endpoint, ...]]] = {}
        self._context: ssl.SSLContext | None = None
        self._trusted_until = 0.0
        self._tidying: asyncio.TimerHandle | None = None

    def kept(self, target: Target) -> Line | None:
        """An idle connection to this place; None when there is none."""
        self._trust()
        idle = self._idle.get((target.host, target.port))
        while idle:
            line = idle.pop()
            if line.is_open and monotonic() - line.idle_since < _IDLE_SECONDS:
                return line
            line.abort()
        return None

    def keep(self, target: Target, line: Line) -> None:
        """Keep a connection for the next request there."""
        line.idle_since = monotonic()
        self._idle[target.host, target.port].append(line)
        if self._tidying is None:
            self._tidying = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._tidy)

    async def dial(self, target: Target, deadline: float) -> Line:
        """A new connection, within the time a connection may take: TimeoutError, OSError or a refusal."""
        ends = min(deadline, monotonic() + CONNECT_SECONDS)
        async with asyncio.timeout(max(ends - monotonic(), 0.0)):
            endpoints = await self._endpoints(target)
            for tried, endpoint in enumerate(endpoints, start=1):
                # One that swallows connections must not use up the time of those after it.
                share = (ends - monotonic()) / (len(endpoints) - tried + 1)
                try:
                    async with asyncio.timeout(max(share, 0.0)):
                        return await self._open(target, endpoint)
                except ssl.SSLError:
                    raise
                except OSError:
                    if tried == len(endpoints):
                        raise
        raise ConnectionRefusedError

    def close(self) -> None:
        """Close every idle connection."""
        if self._tidying is not None:
            self._tidying.cancel()
            self._tidying = None
        for task in self._lookups.values():
            task.cancel()
        self._drop()

    async def _open(self, target: Target, endpoint: Endpoint) -> Line:
        loop, context = asyncio.get_running_loop(), self._trust()
        family = socket.AF_INET6 if ":" in endpoint.address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(sock, tuple(endpoint))
        except BaseException:
            sock.close()
            raise
        # From here on the socket is the transport's to close, whatever happens.
        _transport, line = await loop.create_connection(
            lambda: Line(endpoint), sock=sock, ssl=context, server_hostname=target.host
        )
        return line

    async def _endpoints(self, target: Target) -> tuple[Endpoint, ...]:
        """Judged addresses; a name is looked up once for all who wait for it."""
        known = self._policy.route(target)
        if known is not None:
            return known
        place = (target.host, target.port)
        until, found = self._found.get(place, (0.0, ()))
        if monotonic() < until:
            return found
        task = self._lookups.get(place)
        if task is None:
            task = self._lookups[place] = asyncio.ensure_future(self._look_up(target))
            task.add_done_callback(lambda _task: self._lookups.pop(place, None))
        return await asyncio.shield(task)

    async def _look_up(self, target: Target) -> tuple[Endpoint, ...]:
        found = await asyncio.wrap_future(begin_lookup(self._policy.resolver, target.host, target.port))
        endpoints = self._policy.judge(target, found)
        self._found[target.host, target.port] = (monotonic() + _LOOKUP_SECONDS, endpoints)
        return endpoints

    def _trust(self) -> ssl.SSLContext:
        """Whom we trust. When that changes, connections opened before are not used again."""
        now = monotonic()
        if self._context is None or now >= self._trusted_until:
            context = context_for(self._policy.ca_bundle)
            if context is not self._context:
                self._drop()
            self._context, self._trusted_until = context, now + _TRUST_SECONDS
        return self._context

    def _tidy(self) -> None:
        """Close what nobody wanted for long, and look again while anything is left."""
        self._tidying = None
        since = monotonic() - _IDLE_SECONDS
        for place, idle in list(self._idle.items()):
            stays = [line for line in idle if line.is_open and line.idle_since > since]
            for line in idle:
                if line not in stays:
                    line.abort()
            self._idle[place] = stays
            if not stays:
                del self._idle[place]
        if self._idle:
            self._tidying = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._tidy)

    def _drop(self) -> None:
        for idle in self._idle.values():
            for line in idle:
                line.abort()
        self._idle.clear()
