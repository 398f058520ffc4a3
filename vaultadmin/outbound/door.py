"""The door to the network for ordinary, blocking calls.

Each thread has a session of its own, which keeps one connection per host open between calls.
"""

import threading
from collections.abc import Collection, Mapping
from functools import lru_cache
from types import TracebackType
from typing import Final, Self

from urllib3 import BaseHTTPResponse

from .answer import Answer
from .blocking_errors import translate
from .budget import Budget
from .outgoing import Outgoing
from .policy import Policy, current_policy
from .request import REPEATABLE, Request, prepare
from .session import PinnedSession
from .trip import Trip

DEADLINE_SECONDS: Final = 30.0


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
        self._kept = _Kept(policy)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close this thread's idle connections; those of other threads end with their threads."""
        self._kept.session.close()

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
            return trip.ended_by(translate(error), host)
        return trip.finished()

    def _exchange(self, request: Request, budget: Budget, trip: Trip) -> None:
        outgoing = Outgoing(request, budget, trip)
        try:
            self._run(outgoing)
            return
        except Exception as error:
            if not _may_be_sent_again(outgoing, error):
                raise
        self._run(Outgoing(request, budget, trip))

    def _run(self, outgoing: Outgoing) -> None:
        """One request; its connection is kept only after a complete answer."""
        answer = self._kept.session.send(outgoing, stream=True, allow_redirects=False).raw
        complete = False
        try:
            outgoing.budget.headers_done()
            outgoing.trip.headers_arrived(answer.status, answer.headers.items())
            complete = _read_body(answer, outgoing.trip)
        finally:
            if not complete:
                answer.close()


class _Kept(threading.local):
    """A thread's own session. Its connections close when the thread ends."""

    def __init__(self, policy: Policy) -> None:
        self.session = PinnedSession(policy)


def _may_be_sent_again(outgoing: Outgoing, error: Exception) -> bool:
    """Whether the peer closed an idle connection while we wrote. Only what changes nothing may be sent twice."""
    if outgoing.method not in REPEATABLE or not outgoing.on_kept_connection or outgoing.trip.has_answer:
        return False
    return isinstance(translate(error), ConnectionError)


def _read_body(answer: BaseHTTPResponse, trip: Trip) -> bool:
    """Read what is kept of the body; whether that was all of it."""
    while trip.room > 0:
        piece = answer.read1(trip.room, decode_content=False)
        if not piece:
            return True
        trip.body_arrived(piece)
    return False


@lru_cache(maxsize=4)
def _door_for(policy: Policy) -> Door:
    return Door(policy)
