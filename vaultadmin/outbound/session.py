"""A `requests` session that leaves only through our own connections.

What requests and urllib3 would do on their own is switched off where it happens: reading the environment, following
redirects, keeping cookies, choosing what certificates to believe. One session belongs to one thread.
"""

from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager

from .connection import PinnedConnection
from .outgoing import Outgoing, under_way
from .policy import Policy

_IDLE_HOSTS: Final = 8


class PinnedSession(requests.Session):
    """Sends `Outgoing` requests, over https, and nothing else."""

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies = _NoCookies()
        self.adapters.clear()
        self.mount("https://", PinnedAdapter(policy))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: a redirect is an answer like any other, and its body is not read to get past it."""


class PinnedAdapter(HTTPAdapter):
    """Hands requests to the pool of their judged target. Proxy, certificate and URL parsing are not its callers'."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        super().__init__(pool_connections=_IDLE_HOSTS, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **_options: Any) -> None:
        """One connection for each of a few hosts is kept open."""
        self.poolmanager = _PinnedPools(self._policy, connections)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """As the base class, for a request of ours."""
        token = under_way.set(_as_outgoing(request))
        try:
            return super().send(request, *args, **options)
        finally:
            under_way.reset(token)

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, *_args: Any, **_options: Any
    ) -> HTTPConnectionPool:
        """The pool of the judged host and port, whatever proxy or certificate is asked for."""
        target = _as_outgoing(request).target
        pools: PoolManager = self.poolmanager
        return pools.connection_from_host(target.host, target.port, "https")

    def request_url(self, request: requests.PreparedRequest, proxies: object) -> str:
        """The judged path and query."""
        return _as_outgoing(request).target.resource

    def cert_verify(self, conn: object, url: object, verify: object, cert: object) -> None:
        """Nothing to choose: the connection believes the policy's authorities only."""

    def build_response(self, req: requests.PreparedRequest, resp: BaseHTTPResponse) -> requests.Response:
        """The answer without its cookies, which the base class would parse."""
        response = requests.Response()
        response.status_code, response.raw = resp.status, resp
        response.request, response.url = req, req.url or ""
        return response


class _NoCookies(RequestsCookieJar):
    def extract_cookies(self, response: object, request: object) -> None:
        """Cookies of an answer are neither parsed nor kept."""


class _PinnedPools(PoolManager):
    """Forgets the host that was not used for longest; its connection closes with its pool."""

    def __init__(self, policy: Policy, hosts: int) -> None:
        super().__init__(num_pools=hosts)
        self._policy = policy

    def _new_pool(
        self, scheme: str, host: str, port: int, request_context: dict[str, Any] | None = None
    ) -> HTTPSConnectionPool:
        return _PinnedPool(self._policy, host, port)


class _PinnedPool(HTTPSConnectionPool):
    def __init__(self, policy: Policy, host: str, port: int) -> None:
        super().__init__(host, port, maxsize=1)
        self._policy = policy
        self._place = (host, port)

    def _new_conn(self) -> PinnedConnection:
        return PinnedConnection(self._policy, *self._place)


def _as_outgoing(request: requests.PreparedRequest) -> Outgoing:
    if not isinstance(request, Outgoing):
        raise TypeError("Only judged requests leave through the door.")
    return request
