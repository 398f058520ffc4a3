"""The door to the network for ordinary, blocking calls.

One connection per host and thread is kept open between calls, so nothing here needs a lock.
"""

import http.client
import os
import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping
from functools import lru_cache
from time import monotonic
from types import TracebackType
from typing import Final, Self, TypeAlias

from .answer import Answer
from .budget import Budget
from .connection import PinnedConnection, make_context_clocked
from .policy import Policy, current_policy
from .request import REPEATABLE, Request, prepare
from .tls import context_for
from .trip import Trip
from .urls import Target

DEADLINE_SECONDS: Final = 30.0
_IDLE_HOSTS: Final = 8
_IDLE_SECONDS: Final = 15.0

_Place: TypeAlias = tuple[str, int]


def send(
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    deadline: float = DEADLINE_SECONDS,
    allow_hosts: Collection[str] | None = None,
) -> Answer:
    """Send one request under the installation's policy. Never raises for anything the network or the URL can do.

    With `allow_hosts` (lower case) any other host is refused before anything leaves.
    """
    door = _door_for(current_policy())
    return door.send(method, url, body=body, headers=headers, deadline=deadline, allow_hosts=allow_hosts)


class Door:
    """Sends under one policy. Threads may share a door; each has its own connections."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._kept = _Kept()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close this thread's idle connections; those of other threads end with their threads."""
        self._kept.connections.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        deadline: float = DEADLINE_SECONDS,
        allow_hosts: Collection[str] | None = None,
    ) -> Answer:
        """As the module's `send`."""
        trip = Trip()
        host = ""
        try:
            request = prepare(self._policy, method, url, body=body, headers=headers, allow_hosts=allow_hosts)
            host = request.target.host
            self._exchange(request, Budget(deadline), trip)
        except Exception as error:  # sorted there: what the network cannot cause is raised again
            return trip.ended_by(error, host)
        return trip.finished()

    def _exchange(self, request: Request, budget: Budget, trip: Trip) -> None:
        kept = self._kept.connections.take(request.target)
        if kept is None:
            self._run(self._open(request.target, budget, trip), request, budget, trip)
            return
        kept.begin(budget)
        try:
            self._run(kept, request, budget, trip)
        except ConnectionError:
            # The peer closed an idle connection while we wrote. Only what changes nothing may be sent twice.
            if request.method not in REPEATABLE or trip.has_answer:
                raise
            self._run(self._open(request.target, budget, trip), request, budget, trip)

    def _open(self, target: Target, budget: Budget, trip: Trip) -> PinnedConnection:
        context = make_context_clocked(context_for(self._policy.ca_bundle))
        connection = PinnedConnection(self._policy, target, context)
        connection.begin(budget)
        connection.connect()
        return connection

    def _run(self, connection: PinnedConnection, request: Request, budget: Budget, trip: Trip) -> None:
        """One request on an open connection, which is kept only after a complete answer."""
        trip.dialled, trip.reached = connection.dialled, True
        complete = False
        try:
            connection.request(request.method, request.target.resource, request.body or None, request.headers)
            with connection.getresponse() as response:
                budget.headers_done()
                trip.headers_arrived(response.status, response.getheaders())
                complete = _read_body(response, trip) and not response.will_close
        finally:
            if complete:
                self._kept.connections.keep(request.target, connection)
            else:
                connection.close()


class _Connections:
    """Idle connections of one thread in one process, least recently used first."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._idle: OrderedDict[_Place, tuple[PinnedConnection, float]] = OrderedDict()

    def __del__(self) -> None:
        self.close()

    def take(self, target: Target) -> PinnedConnection | None:
        """The open connection to this place, if there is one that can still be trusted."""
        if self._pid != os.getpid():
            # Inherited by fork: two processes must not speak on one connection.
            self.close()
            self._pid = os.getpid()
        connection, since = self._idle.pop((target.host, target.port), (None, 0.0))
        if connection is None:
            return None
        if monotonic() - since < _IDLE_SECONDS and connection.is_fit():
            return connection
        connection.close()
        return None

    def keep(self, target: Target, connection: PinnedConnection) -> None:
        self._idle[target.host, target.port] = (connection, monotonic())
        while len(self._idle) > _IDLE_HOSTS:
            self._idle.popitem(last=False)[1][0].close()

    def close(self) -> None:
        while self._idle:
            self._idle.popitem()[1][0].close()


class _Kept(threading.local):
    def __init__(self) -> None:
        self.connections = _Connections()


def _read_body(response: http.client.HTTPResponse, trip: Trip) -> bool:
    """Read what is kept of the body; whether that was all of it. IncompleteRead when the peer stopped too early."""
    while trip.room > 0:
        piece = response.read1(trip.room)
        if not piece:
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
            return True
        trip.body_arrived(piece)
    return False


@lru_cache(maxsize=4)
def _door_for(policy: Policy) -> Door:
    return Door(policy)
