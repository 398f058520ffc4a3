"""One HTTPS connection that opens only to judged addresses and watches the clock on every read and write."""

import errno
import http.client
import select
import socket
import ssl
from typing import Any, cast

from .budget import CONNECT_SECONDS, SILENCE_SECONDS, Budget
from .lookup import begin_lookup
from .policy import Endpoint, Policy
from .urls import Target


class ClockedSocket(ssl.SSLSocket):
    """Every read and write waits for what is left of the request's deadline, never longer."""

    budget: Budget | None = None
    """Unset during the handshake, which has a timeout of its own over all its steps."""

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        if self.budget is None:
            return super().recv_into(buffer, nbytes, flags)
        self.settimeout(self.budget.wait(SILENCE_SECONDS))
        count = super().recv_into(buffer, nbytes, flags)
        self.budget.received(count)
        return count

    def send(self, data: Any, flags: int = 0) -> int:
        if self.budget is not None:
            self.settimeout(self.budget.wait(SILENCE_SECONDS))
        return super().send(data, flags)


class PinnedConnection(http.client.HTTPSConnection):
    """Resolves, judges and dials at the same moment; the certificate is checked against the URL's host."""

    def __init__(self, policy: Policy, target: Target, context: ssl.SSLContext) -> None:
        super().__init__(target.host, target.port, context=context)
        self._policy = policy
        self._target = target
        self._tls = context
        self._budget = Budget(0)
        self.dialled = ""

    def begin(self, budget: Budget) -> None:
        """Put the connection under a new request's deadline."""
        self._budget = budget
        if isinstance(self.sock, ClockedSocket):
            self.sock.budget = budget

    def connect(self) -> None:
        """Open the connection: LookupFailed, AddressRefused, OSError (TLS included) or TimeoutError."""
        handshake = Budget(self._budget.wait(CONNECT_SECONDS))
        plain, endpoint = _dial(self._endpoints(handshake), handshake)
        try:
            plain.settimeout(handshake.wait(CONNECT_SECONDS))
            sock = cast(ClockedSocket, self._tls.wrap_socket(plain, server_hostname=self._target.host))
        except BaseException:
            plain.close()
            raise
        sock.budget = self._budget
        self.sock = sock
        self.dialled = str(endpoint)

    def is_fit(self) -> bool:
        """Open and silent. A peer that closed it, or sent anything unasked, has spoilt it for the next request."""
        sock = self.sock
        if not isinstance(sock, ClockedSocket) or sock.fileno() < 0 or sock.pending():
            return False
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return not poll.poll(0)

    def _endpoints(self, handshake: Budget) -> tuple[Endpoint, ...]:
        known = self._policy.route(self._target)
        if known is not None:
            return known
        lookup = begin_lookup(self._policy.resolver, self._target.host, self._target.port)
        return self._policy.judge(self._target, lookup.result(handshake.wait(CONNECT_SECONDS)))


def make_context_clocked(context: ssl.SSLContext) -> ssl.SSLContext:
    """Let a context hand out ClockedSockets; asyncio, which uses none of its sockets, may share it."""
    context.sslsocket_class = ClockedSocket
    return context


def _dial(endpoints: tuple[Endpoint, ...], handshake: Budget) -> tuple[socket.socket, Endpoint]:
    """The first endpoint that answers. Each gets its share of the time, so that one dead address hides no other."""
    failure = OSError(errno.EADDRNOTAVAIL, "the name has no address")
    for index, endpoint in enumerate(endpoints):
        share = handshake.wait(CONNECT_SECONDS) / (len(endpoints) - index)
        try:
            return _open(endpoint, share), endpoint
        except OSError as error:
            failure = error
    raise failure


def _open(endpoint: Endpoint, seconds: float) -> socket.socket:
    family = socket.AF_INET6 if ":" in endpoint.address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.connect(tuple(endpoint))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock
