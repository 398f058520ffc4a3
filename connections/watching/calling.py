"""Make the webhook calls of alerts from their rows, through the network door, signed, a bounded number of times."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import F
from django.urls import reverse

from connections.constants import CallOutcome
from connections.models import AlertCall
from vaultadmin import claims, outbound, place, secrets
from vaultadmin.registries import Lane
from vaultadmin.secrets import SecretUnavailable

DEADLINE_SECONDS = 10.0
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
_LEASE = timedelta(minutes=2)
_BATCH = 5


def deliver_due(*, now: datetime, limit: int = 10) -> int:
    """Make the calls that are due, oldest first; returns how many were tried."""
    if place.held():
        return 0
    tried = 0
    while tried < limit:
        claim = claims.claim(
            AlertCall.objects.due(now), limit=_BATCH, lease=_LEASE, now=now, attempts=F("attempts") + 1
        )
        for pk in claim.ids:
            call = AlertCall.objects.select_related("alert__rule__secret", "alert__rule__vault").get(pk=pk)
            claims.settle(AlertCall.objects.filter(pk=pk), token=claim.token, **_make(call, now))
        tried += len(claim.ids)
        if not claim:
            break
    return tried


def lane(now: datetime) -> Lane:
    """Webhook calls on the status page: what is due, and what was given up in the last days."""
    due = AlertCall.objects.due(now)
    oldest = due.values_list("due_at", flat=True).first()
    lost = AlertCall.objects.filter(outcome=CallOutcome.GIVEN_UP, settled_at__gt=now - timedelta(days=7))
    return Lane("Webhook calls of alerts", due.count(), oldest, lost.count())


def body(call: AlertCall) -> bytes:
    """What a call says: which rule of which Vault, that it fires or ended, and where to look. Nothing of a message."""
    alert, rule = call.alert, call.alert.rule
    told = {
        "id": str(call.call_id),
        "type": f"alert.{call.subject}",
        "timestamp": call.created_at.isoformat(),
        "data": {
            "vault": rule.vault_id,
            "alert": alert.pk,
            "rule": rule.pk,
            "kind": rule.kind,
            "place": rule.place,
            "reason": alert.reason,
            "opened_at": alert.opened_at.isoformat(),
            "closed_at": alert.closed_at.isoformat() if alert.closed_at else None,
            "url": f"{settings.PUBLIC_URL}{reverse('connections:alert-rule', args=[rule.vault_id, rule.pk])}",
        },
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: str, *, call_id: str, timestamp: str, content: bytes) -> str:
    """HMAC-SHA256 over id, seconds and exact body, joined by full stops, as receivers check it."""
    mac = hmac.new(secret.encode(), f"{call_id}.{timestamp}.".encode() + content, hashlib.sha256)
    return f"v1,{base64.b64encode(mac.digest()).decode()}"


def _make(call: AlertCall, now: datetime) -> dict[str, object]:
    """One call; what to write into its row."""
    rule = call.alert.rule
    if not rule.webhook_url or rule.secret is None:
        return {"settled_at": now, "outcome": CallOutcome.DROPPED}
    try:
        secret = secrets.reveal(rule.secret)
    except SecretUnavailable as error:
        return _again(call, now, None, str(error))
    content, stamp = body(call), str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "Webhook-Id": str(call.call_id),
        "Webhook-Timestamp": stamp,
        "Webhook-Signature": signature(secret, call_id=str(call.call_id), timestamp=stamp, content=content),
    }
    hosts = [(urlsplit(rule.webhook_url).hostname or "").lower()]
    answer = outbound.send(
        "POST", rule.webhook_url, body=content, headers=headers, deadline=DEADLINE_SECONDS, allow_hosts=hosts
    )
    if answer.ok:
        return {"settled_at": now, "outcome": CallOutcome.SENT, "status": answer.status, "last_error": ""}
    return _again(call, now, answer.status, answer.error or f"The receiver answered {answer.status}.")


def _again(call: AlertCall, now: datetime, status: int | None, error: str) -> dict[str, object]:
    """Once more later, or given up after the last try."""
    written: dict[str, object] = {"status": status, "last_error": error[:255]}
    if call.attempts > len(WAITS):
        return written | {"settled_at": now, "outcome": CallOutcome.GIVEN_UP}
    return written | {"due_at": now + WAITS[call.attempts - 1]}
