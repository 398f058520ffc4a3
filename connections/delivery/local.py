"""Vaults of one installation skip HTTP: the same signed request is handed over, with the same checks and rows."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from connections.constants import AttemptOutcome
from connections.delivery.building import build
from connections.delivery.claiming import Job
from connections.delivery.outcomes import Result
from connections.delivery.routing import Route, RouteUnavailable
from connections.delivery.settling import Sent
from connections.services import accepting
from vaultadmin import clock
from vaultadmin.models import Vault


def hand_over(route: Route, jobs: list[Job]) -> list[Sent]:
    """Deliver a batch to a vault of this installation, one after another; a sequential lane stops at a failure."""
    done: list[Sent] = []
    for job in jobs:
        failed = bool(done) and not (done[-1].result is None or done[-1].result.delivered or done[-1].result.ends)
        if route.link.queue.sequential and (failed or (done and done[-1].result is None)):
            done.append(Sent(job, None))
        else:
            done.append(_one(route, job))
    return done


def _one(route: Route, job: Job) -> Sent:
    now, began = clock.now(), time.monotonic()
    try:
        call = build(route, job, now=now)
    except RouteUnavailable as error:
        return Sent(job, Result(AttemptOutcome.NOT_SENT, error=str(error)))
    parts = urlsplit(call.url)
    vault = Vault.objects.filter(pk=route.peer_vault_id).first()
    posted = accepting.Posted(call.body, list(call.headers.items()), parts.path)
    try:
        accepting.accept(posted, vault=vault, queue_name=route.link.deliver_to_queue, now=now)
    except accepting.IdentityRefused:
        result = Result(AttemptOutcome.REFUSED, 401, error="The other Vault did not accept the message.")
    except accepting.NotTaken as refusal:
        status = 503 if refusal.later else 403
        result = Result(AttemptOutcome.REFUSED, status, error=f"The other Vault answered: {refusal}")
    else:
        result = Result(AttemptOutcome.DELIVERED, 200, round((time.monotonic() - began) * 1000))
    return Sent(job, result, call.url, call.certificate_id, call.sent_at, call.digest)
