"""Asking for pages: through the whole stack without a socket for time and queries, over a socket for bytes."""

from __future__ import annotations

import re
import statistics
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.errors import BenchError
from vaultadmin.models import User

_ASSET = re.compile(rb"""<script[^>]+\bsrc="([^"]+)"|<link\b(?=[^>]*\brel="stylesheet")[^>]*\bhref="([^"]+)""")
_HOST = "localhost"


@dataclass(frozen=True)
class Page:
    """One page and words that must be on it."""

    name: str
    path: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Timing:
    """One page's cost on the server: milliseconds of each request, and queries of one."""

    milliseconds: list[float]
    queries: int
    size: int

    @property
    def p50(self) -> float:
        return statistics.median(self.milliseconds)


def client_of(user: User) -> Client:
    """A browser with this person signed in, without a browser or a socket."""
    client = Client(SERVER_NAME=_HOST)
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


def timing(client: Client, page: Page, *, requests: int) -> Timing:
    """The first requests load templates and plans; the measured ones follow. The page is checked every time."""
    for _ in range(3):
        fetch(client, page)
    with CaptureQueriesContext(connection) as captured:
        size = len(fetch(client, page))
    # Now: the next request empties the list.
    queries = len(captured)
    milliseconds = []
    for _ in range(requests):
        started = time.perf_counter()
        fetch(client, page)
        milliseconds.append((time.perf_counter() - started) * 1000)
    return Timing(milliseconds, queries, size)


def fetch(client: Client, page: Page) -> bytes:
    """The page's bytes; BenchError when it is another page than wanted."""
    response = client.get(page.path)
    if response.status_code != 200:
        raise BenchError(f"The page {page.path} answered {response.status_code}.")
    text = response.content.decode()
    for word in page.words:
        if word not in text:
            raise BenchError(f"The page {page.path} does not show {word!r}.")
    return response.content


def first_load(client: Client, page: Page) -> dict[str, int]:
    """Bytes over the wire of a page seen for the first time: html, css and js, compressed as the server sends them."""
    session = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    html, size = _get(page.path, session, plain=True)
    sizes = {"html": _get(page.path, session)[1], "css": 0, "js": 0}
    if not size:
        raise BenchError(f"The page {page.path} is empty.")
    for script, style in _ASSET.findall(html):
        path = urlsplit(urljoin(page.path, (script or style).decode())).path
        sizes["js" if script else "css"] += _get(path, session)[1]
    return sizes


def _get(path: str, session: str, *, plain: bool = False) -> tuple[bytes, int]:
    link = HTTPConnection("127.0.0.1", settings.PORT, timeout=30)
    encoding = "identity" if plain else "gzip, br"
    try:
        link.request("GET", path, headers={"Host": _HOST, "Cookie": session, "Accept-Encoding": encoding})
        answer = link.getresponse()
        body = answer.read()
    finally:
        link.close()
    if answer.status != 200:
        raise BenchError(f"{path} answered {answer.status}.")
    return body, len(body)
