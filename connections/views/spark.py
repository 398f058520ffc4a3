"""The address Spark messages come to: HTTP around `connections.services.messages.accepting`, and nothing else."""

from __future__ import annotations

from typing import Final

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from connections.services.messages import accepting
from connections.spark.reading import MAX_BYTES
from connections.views.posted import headers_of, later, problem, too_large
from vaultadmin import clock, place
from vaultadmin.access import Gate, requires
from vaultadmin.models import Vault

RETRY_SECONDS: Final = 30

logger = structlog.get_logger(__name__)


@csrf_exempt
@requires(Gate.MACHINE)
def receive(request: HttpRequest, vault_id: int, queue_name: str) -> HttpResponse:
    """Store one message; 200 only after it is committed. Every refusal of identity is the same 401."""
    if request.method != "POST":
        return problem(405, "Messages are posted.", Allow="POST")
    if refused := too_large(request, MAX_BYTES):
        return refused
    posted = accepting.Posted(request.body, list(headers_of(request.META)), request.get_full_path())
    now = clock.now()
    try:
        if accepting.accept_as_before(posted, vault_id=vault_id, queue_name=queue_name, now=now):
            return HttpResponse(status=200)
        if place.held():
            return later(RETRY_SECONDS)
        vault = Vault.objects.filter(pk=vault_id).first() if vault_id < 2**63 else None
        accepting.accept(posted, vault=vault, queue_name=queue_name, now=now)
    except accepting.IdentityRefused:
        return problem(401, "The message is not accepted.", **{"WWW-Authenticate": "Signature"})
    except accepting.NotTaken as refusal:
        return later(RETRY_SECONDS) if refusal.status == 503 else problem(refusal.status, str(refusal))
    except DatabaseError:
        logger.exception("spark_message_not_taken")
        return later(RETRY_SECONDS)
    return HttpResponse(status=200)
