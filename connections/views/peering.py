"""The handshake's address for other installations: HTTP around `connections.services.admitting`, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from connections.peering.protocol import MAX_BYTES
from connections.peering.remote import JSON
from connections.services import admitting
from vaultadmin import clock, place
from vaultadmin.access import Gate, requires

RETRY_SECONDS: Final = 10
_READ_AWAY_BYTES: Final = 1024 * 1024

logger = structlog.get_logger(__name__)


@csrf_exempt
@requires(Gate.MACHINE)
def message(request: HttpRequest, vault_id: int, name: str) -> HttpResponse:
    """Take one peer message; `name` is the kind of message the address names."""
    if request.method != "POST":
        return _problem(405, "Messages are posted.", Allow="POST")
    if not _is_small(request):
        _read_away(request)
        return _problem(413, f"A message holds at most {MAX_BYTES} bytes.")
    if place.held():
        return _problem(503, "Messages cannot be taken now; send it again.", **{"Retry-After": str(RETRY_SECONDS)})
    posted = admitting.Posted(request.body, list(_headers(request.META)), request.get_full_path(), name)
    try:
        taken = admitting.take(posted, vault_id=vault_id, now=clock.now())
    except admitting.IdentityRefused:
        # The same words for every reason: an answer that told why would help whoever tries.
        return _problem(401, "The message is not accepted.", **{"WWW-Authenticate": "Signature"})
    except admitting.Misdirected:
        return _problem(403, "The message is for another Vault.")
    except DatabaseError:
        logger.exception("peer_message_not_taken")
        return _problem(503, "Messages cannot be taken now; send it again.", **{"Retry-After": str(RETRY_SECONDS)})
    return HttpResponse(taken.answer, status=403 if taken.put_off else 200, content_type=JSON)


def _is_small(request: HttpRequest) -> bool:
    """Judged by what is announced, before anything is read; more than that the server does not hand over."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    return announced.isascii() and announced.isdecimal() and int(announced) <= MAX_BYTES


def _read_away(request: HttpRequest) -> None:
    """Whoever sent a little too much hears why: a server that closes before it has read cuts its own answer off."""
    left = _READ_AWAY_BYTES
    while left > 0 and (chunk := request.read(min(left, 65_536))):
        left -= len(chunk)


def _headers(environ: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The request's headers as sent, as far as WSGI tells: it writes bytes as Latin-1 and joins doubles by a comma."""
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            yield key.removeprefix("HTTP_").replace("_", "-").lower(), _text(value)


def _text(value: str) -> str:
    """The bytes a client sent, read as UTF-8; others stay as lone surrogates, which the strict reader refuses."""
    return value.encode("latin-1", "replace").decode("utf-8", "surrogateescape")


def _problem(status: int, detail: str, **headers: str) -> JsonResponse:
    titles = {401: "Unauthorized", 403: "Forbidden", 405: "Method Not Allowed", 413: "Content Too Large"}
    problem = {"type": "about:blank", "title": titles.get(status, "Unavailable"), "status": status, "detail": detail}
    return JsonResponse(problem, status=status, headers=headers, content_type="application/problem+json")
