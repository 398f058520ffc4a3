"""One HTTPS connection that opens only to judged addresses and watches the clock on every read and write."""

import errno
import http.client
import os
import select
import socket
import ssl
from time import monotonic
from typing import Any, Final, cast

from urllib3.connection import HTTPSConnection

from .budget import CONNECT_SECONDS, SILENCE_SECONDS, Budget
from .lookup import begin_lookup
from .outgoing import under_way
from .peer import Peer
from .policy import Endpoint, Policy
from .tls import context_for
from .urls import Target

IDLE_SECONDS: Final = 15.0


class ClockedSocket(ssl.SSLSocket):
    """Every read and write waits for what is left of the request's deadline, never longer."""

    budget: Budget | None = None
    """Unset during the handshake, which has a timeout of its own over all its steps."""
    last_heard: float = 0.0

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        if self.budget is None:
            return super().recv_into(buffer, nbytes, flags)
        self.settimeout(self.budget.wait(SILENCE_SECONDS))
        count = super().recv_into(buffer, nbytes, flags)
        self.budget.received(count)
        self.last_heard = monotonic()
        return count

    def send(self, data: Any, flags: int = 0) -> int:
        if self.budget is not None:
            self.settimeout(self.budget.wait(SILENCE_SECONDS))
        return super().send(data, flags)


class PinnedConnection(HTTPSConnection):
    """Resolves, judges and dials at the same moment; the certificate is checked against the URL's host."""

    def __init__(self, policy: Policy, host: str, port: int) -> None:
        super().__init__(host, port)
        self._policy = policy
        self._dialled = ""
        self._peer: Peer | None = None
        self._pid = 0

    def connect(self) -> None:
        """Open the connection: LookupFailed, AddressRefused, OSError (TLS included) or TimeoutError."""
        outgoing = under_way.get()
        outgoing.on_kept_connection = False
        context = make_context_clocked(context_for(self._policy.ca_bundle))
        handshake = Budget(outgoing.budget.wait(CONNECT_SECONDS))
        plain, endpoint = _dial(self._endpoints(outgoing.target, handshake), handshake)
        try:
            plain.settimeout(handshake.wait(CONNECT_SECONDS))
            self.sock = context.wrap_socket(plain, server_hostname=outgoing.target.host)
            self._peer = Peer.of(self.sock)
        except BaseException:
            plain.close()
            raise
        self.is_verified = True
        self._dialled, self._pid = str(endpoint), os.getpid()

    @property
    def is_connected(self) -> bool:
        """Fit for another request: open, lately used, silent, and of this process. A peer that closed it, or sent
        anything unasked, has spoilt it; two processes must not speak on one connection after a fork."""
        sock = self.sock
        if not isinstance(sock, ClockedSocket) or self._pid != os.getpid() or sock.fileno() < 0 or sock.pending():
            return False
        if monotonic() - sock.last_heard > IDLE_SECONDS:
            return False
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return not poll.poll(0)

    def request(self, method: str, url: str, *args: Any, **options: Any) -> None:
        """Write the request. Its line holds the judged target: urllib3 has quoted `url` anew."""
        outgoing = under_way.get()
        cast(ClockedSocket, self.sock).budget = outgoing.budget
        outgoing.trip.dialled, outgoing.trip.peer, outgoing.trip.reached = self._dialled, self._peer, True
        super().request(method, outgoing.target.resource, *args, **options)

    def putheader(self, header: str | bytes, *values: Any) -> None:
        """Write a header as it is: urllib3 would read one particular value as the order to leave it out."""
        http.client.HTTPConnection.putheader(self, header, *values)

    def _endpoints(self, target: Target, handshake: Budget) -> tuple[Endpoint, ...]:
        known = self._policy.route(target)
        if known is not None:
            return known
        lookup = begin_lookup(self._policy.resolver, target.host, target.port)
        return self._policy.judge(target, lookup.result(handshake.wait(CONNECT_SECONDS)))


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
