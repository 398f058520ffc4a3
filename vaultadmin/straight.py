"""Calls of machines that come by the thousand: answered before Django makes a request of them (decision 0035).

`Straight` stands in front of Django's WSGI application. A way that an app has registered is asked first; it either has
done everything, which is answered by an empty 200, or nothing, and then the call goes to Django as if nobody had been
asked. So a way never refuses anybody and never says why: the view of the same address does.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, HttpResponse

from vaultadmin.middleware import UsualHeaders

Headers = list[tuple[str, str]]

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One POST: what the address named, its WSGI environ, and the whole body."""

    named: tuple[str, ...]
    environ: WSGIEnvironment
    body: bytes


@dataclass(frozen=True, slots=True)
class Way:
    """Plain POSTs to addresses of one form, with a body of at most `most` bytes.

    `take` returns True when everything is done and committed. Every process that serves calls has its own ways.
    """

    address: re.Pattern[str]
    most: int
    take: Callable[[Call], bool]


ways: list[Way] = []


class Straight:
    """A WSGI application that asks the ways first."""

    def __init__(self, django: WSGIApplication) -> None:
        self._django = django
        self._usual = UsualHeaders()
        self._headers: dict[bool, Headers] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one call."""
        if environ["REQUEST_METHOD"] == "POST" and not environ.get("QUERY_STRING") and not environ.get("SCRIPT_NAME"):
            path = environ.get("PATH_INFO", "")
            for way in ways:
                if match := way.address.fullmatch(path):
                    is_secure = _Scheme(environ).is_secure()
                    if (is_secure or not settings.SECURE_SSL_REDIRECT) and _takes(way, match, environ):
                        start_response("200 OK", self._headers.get(is_secure) or self._learn(environ, is_secure))
                        return []
        return self._django(environ, start_response)

    def _learn(self, environ: WSGIEnvironment, is_secure: bool) -> Headers:
        """What every other answer over http or https carries, found out once."""
        answer = HttpResponse(headers={"Content-Length": "0"})
        for name, value in self._usual.of(WSGIRequest(environ)):
            answer.headers.setdefault(name, value)
        found = self._headers[is_secure] = list(answer.items())
        return found


def _takes(way: Way, match: re.Match[str], environ: WSGIEnvironment) -> bool:
    length = environ.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdecimal() and int(length) <= way.most):
        return False
    body = environ["wsgi.input"].read(int(length))
    try:
        # As Django does when a request begins. Within a block the connection is somebody else's to close.
        mine = connections[DEFAULT_DB_ALIAS]
        if not mine.in_atomic_block:
            mine.close_if_unusable_or_obsolete()
        if way.take(Call(match.groups(), environ, body)):
            return True
    except Exception:
        # Whatever it is, the view meets it too and answers; this line says where it was met first.
        logger.exception("straight_way_failed", path=match.string)
    environ["wsgi.input"] = io.BytesIO(body)
    return False


class _Scheme(HttpRequest):
    """As much of a request as it takes to know whether it came over https, behind a proxy or not."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.META = environ

    def _get_scheme(self) -> str:
        return str(self.META["wsgi.url_scheme"])
