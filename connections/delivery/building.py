"""Make the signed request of one attempt: exact bytes, signed once, sent as they are (veeva-core section 6)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connections import tokens
from connections.delivery.claiming import Job
from connections.delivery.routing import Route, RouteUnavailable, with_path
from connections.spark.envelope import SPARK_MESSAGE, Envelope, SparkBody
from connections.spark.message import write_payload
from connections.spark.signing import sign_strings, strings
from connections.tokens import TokenRefused

USER_AGENT = "Veeva Vault Spark Message Agent"


@dataclass(frozen=True, slots=True)
class Call:
    """A request ready to leave. Holds live secrets: nothing of it is stored but URL, certificate, time and digest."""

    url: str
    headers: dict[str, str]
    body: bytes
    certificate_id: str
    sent_at: datetime
    # SHA-256 of the string that was signed.
    digest: str


def build(route: Route, job: Job, *, now: datetime) -> Call:
    """The request of one attempt; RouteUnavailable says in one sentence why there can be none."""
    if route.signer is None:
        raise ValueError("What a Local connection carries is not posted.")
    destination = route.destination(job.custom)
    url = with_path(destination.url, job.path)
    body = write_body(route, job, now=now)
    headers = Envelope(
        certificate_id=route.signer.certificate_id,
        execution_id=job.execution_id,
        sent_at=now,
        request_id=job.message_id,
        request_type=SPARK_MESSAGE,
        url=url,
        vault_id=route.link.connection.vault_id,
    ).headers()
    legacy, whole = strings(headers, body, url)
    digest = hashlib.sha256(whole).hexdigest()
    headers |= sign_strings(legacy, whole, key=route.signer.key)
    headers |= {"Content-Type": "application/json", "User-Agent": USER_AGENT}
    if destination.auth is not None and destination.auth.username:
        headers["Authorization"] = destination.auth.authorization_value
    return Call(url, headers, body, route.signer.certificate_id, now, digest)


def write_body(route: Route, job: Job, *, now: datetime) -> bytes:
    """The body of one attempt, written once: these bytes are signed and sent."""
    vault = route.link.queue.vault
    return SparkBody(
        vault_name=vault.name,
        vault_host_name=vault.dns,
        queue_name=route.link.queue.name,
        entered_at=job.entered_at,
        sent_at=now,
        attempt=job.number,
        message_id=job.message_id,
        message=_resolved(route, job),
    ).write()


def _resolved(route: Route, job: Job) -> str:
    """The payload with its tokens filled in, for this attempt alone."""
    if not job.has_tokens:
        return job.payload
    found: dict[str, Any] = json.loads(job.payload)
    sources = route.sources(job.custom)
    try:
        attributes = {
            name: tokens.fill(value, sources.value_of) if isinstance(value, str) else value
            for name, value in found["attributes"].items()
        }
    except TokenRefused as error:
        raise RouteUnavailable(str(error)) from error
    return write_payload(attributes, found["items"])
