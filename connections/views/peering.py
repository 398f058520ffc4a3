"""The address for other installations: HTTP around `services.handshake.admitting`, and nothing else."""

from __future__ import annotations

from typing import Final

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from connections.peering.protocol import MAX_BYTES
from connections.peering.remote import JSON
from connections.services.handshake import admitting
from connections.views.posted import headers_of, later, problem, too_large
from vaultadmin import clock, place
from vaultadmin.access import Gate, requires

RETRY_SECONDS: Final = 10

logger = structlog.get_logger(__name__)


@csrf_exempt
@requires(Gate.MACHINE)
def message(request: HttpRequest, vault_id: int, name: str) -> HttpResponse:
    """Take one peer message; `name` is the kind of message the address names."""
    if request.method != "POST":
        return problem(405, "Messages are posted.", Allow="POST")
    if refusal := too_large(request, MAX_BYTES):
        return refusal
    if place.held():
        return later(RETRY_SECONDS)
    posted = admitting.Posted(request.body, list(headers_of(request.META)), request.get_full_path(), name)
    try:
        taken = admitting.take(posted, vault_id=vault_id, now=clock.now())
    except admitting.IdentityRefused:
        # The same words for every reason: an answer that told why would help whoever tries.
        return problem(401, "The message is not accepted.", **{"WWW-Authenticate": "Signature"})
    except admitting.Misdirected:
        return problem(403, "The message is for another Vault.")
    except DatabaseError:
        logger.exception("peer_message_not_taken")
        return later(RETRY_SECONDS)
    return HttpResponse(taken.answer, status=403 if taken.put_off else 200, content_type=JSON)
