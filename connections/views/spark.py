"""The address Spark messages come to: HTTP around `connections.services.messages.accepting`, and nothing else.

Nearly every message is a new one of a sender that is known, and goes the straight way; all others come to the view.
"""

from __future__ import annotations

import re
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
from vaultadmin.straight import Call, Way

RETRY_SECONDS: Final = 30

logger = structlog.get_logger(__name__)


@csrf_exempt
@requires(Gate.MACHINE)
def receive(request: HttpRequest, vault_id: int, queue_name: str) -> HttpResponse:
    """Store one message that did not go the straight way; 200 only after it is committed.

    Every refusal of identity is the same 401.
    """
    if request.method != "POST":
        return problem(405, "Messages are posted.", Allow="POST")
    if refused := too_large(request, MAX_BYTES):
        return refused
    posted = accepting.Posted(request.body, list(headers_of(request.META)), request.get_full_path())
    now = clock.now()
    try:
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


def _take(call: Call) -> bool:
    """Store a new message of a sender this process has believed before; whatever else it is, `receive` says."""
    vault_id, queue_name = call.named
    posted = accepting.Posted(call.body, list(headers_of(call.environ)), call.environ["PATH_INFO"])
    try:
        return accepting.accept_as_before(posted, vault_id=int(vault_id), queue_name=queue_name, now=clock.now())
    except DatabaseError:
        # The view asks the database again, and tells what it meets.
        return False


WAY: Final = Way(re.compile(r"/v/([0-9]{1,18})/spark/([-a-zA-Z0-9_]+)"), MAX_BYTES, _take)
