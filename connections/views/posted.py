"""What the addresses for signed machine messages share: how a POST is measured, read and refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.http import HttpRequest, JsonResponse

_READ_AWAY_BYTES: Final = 1024 * 1024
_TITLES: Final = {
    401: "Unauthorized",
    403: "Forbidden",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
}


def too_large(request: HttpRequest, most: int) -> JsonResponse | None:
    """The refusal of a body of more than `most` bytes, judged by what is announced; None when it is small enough."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if announced.isascii() and announced.isdecimal() and int(announced) <= most:
        return None
    _read_away(request)
    return problem(413, f"A message holds at most {most} bytes.")


def headers_of(environ: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The request's headers as sent, as far as WSGI tells: it writes bytes as Latin-1 and joins doubles by a comma."""
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            yield key.removeprefix("HTTP_").replace("_", "-").lower(), _text(value)


def problem(status: int, detail: str, **headers: str) -> JsonResponse:
    """A problem document (RFC 9457)."""
    told = {"type": "about:blank", "title": _TITLES.get(status, "Unavailable"), "status": status, "detail": detail}
    return JsonResponse(told, status=status, headers=headers, content_type="application/problem+json")


def later(seconds: int) -> JsonResponse:
    """Nothing is wrong with the message; it may come again."""
    return problem(503, "Messages cannot be taken now; send it again.", **{"Retry-After": str(seconds)})


def _read_away(request: HttpRequest) -> None:
    """Whoever sent a little too much hears why: a server that closes before it has read cuts its own answer off."""
    left = _READ_AWAY_BYTES
    while left > 0 and (chunk := request.read(min(left, 65_536))):
        left -= len(chunk)


def _text(value: str) -> str:
    """The bytes a client sent, read as UTF-8; others stay as lone surrogates, which the strict reader refuses."""
    return value if value.isascii() else value.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
