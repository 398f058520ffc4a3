"""What stays in this installation skips HTTP: the same signed request is handed over, with the same checks and rows.

Through a Local connection a message goes into a queue of its own vault, and nobody has to be believed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from django.db import DatabaseError

from connections.constants import AttemptOutcome
from connections.delivery.building import build, write_body
from connections.delivery.claiming import Job
from connections.delivery.outcomes import Result
from connections.delivery.routing import Route, RouteUnavailable
from connections.delivery.sent import Sent, holds_up, not_sent
from connections.services.messages import accepting, local_puts
from connections.services.messages.accepting import Posted
from connections.spark.message import MessageRefused
from vaultadmin import clock
from vaultadmin.models import Vault

logger = logging.getLogger(__name__)


def hand_over(route: Route, jobs: list[Job], *, may_go_on: Callable[[], bool]) -> list[Sent]:
    """Deliver a batch within this installation, one after another; a sequential lane stops at a failure.

    What follows once it may not go on goes back untried.
    """
    one = _into_own_vault if route.link.connection.is_local else _to_the_peer
    done: list[Sent] = []
    for job in jobs:
        if not may_go_on() or (route.link.queue.sequential and done and holds_up(done[-1])):
            done.append(Sent(job, None))
            continue
        began = time.monotonic()
        try:
            done.append(one(route, job, began))
        except RouteUnavailable as refusal:
            done.append(Sent(job, not_sent(refusal)))
        except DatabaseError:
            logger.exception("a message could not be handed over")
            done.append(
                Sent(job, Result(AttemptOutcome.REFUSED, 503, _since(began), "The other Vault cannot store it."))
            )
    return done


def _to_the_peer(route: Route, job: Job, began: float) -> Sent:
    now = clock.now()
    call = build(route, job, now=now)
    posted = Posted(call.body, list(call.headers.items()), urlsplit(call.url).path)
    try:
        _hand_over(posted, route, now)
    except accepting.IdentityRefused:
        result = Result(AttemptOutcome.REFUSED, 401, _since(began), "The other Vault did not accept the message.")
    except accepting.NotTaken as refusal:
        said = f"The other Vault answered: {refusal}"
        result = Result(AttemptOutcome.REFUSED, refusal.status, _since(began), said)
    else:
        result = Result(AttemptOutcome.DELIVERED, 200, _since(began))
    return Sent(job, result, call.url, call.certificate_id, call.sent_at, call.digest)


def _hand_over(posted: Posted, route: Route, now: datetime) -> None:
    queue_name = route.link.deliver_to_queue
    if not accepting.accept_as_before(posted, vault_id=route.peer_vault_id, queue_name=queue_name, now=now):
        vault = Vault.objects.filter(pk=route.peer_vault_id).first()
        accepting.accept(posted, vault=vault, queue_name=queue_name, now=now)


def _into_own_vault(route: Route, job: Job, began: float) -> Sent:
    now = clock.now()
    try:
        local_puts.deliver(route.link.pk, job.copy, write_body(route, job, now=now), now=now)
    except MessageRefused as refusal:
        return Sent(job, Result(AttemptOutcome.REFUSED, None, _since(began), str(refusal)))
    return Sent(job, Result(AttemptOutcome.DELIVERED, None, _since(began)))


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
