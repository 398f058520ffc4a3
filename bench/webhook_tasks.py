"""What the peer does for each message: the steps of the task of `django-webhook` 0.0.15, in its order.

It looks the webhook up, signs time and body with an HMAC, notes the event, posts over a fresh session, and notes how
it ended. The secret stands in the webhook's own row here, which spares the peer one of its queries.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from typing import Any, ClassVar
from uuid import uuid4

from celery import shared_task
from django.db import models
from django.utils import timezone
from requests import PreparedRequest, Request, RequestException, Session

from bench import webhook_settings

SUCCESS, FAILURE, PENDING = "SUCCESS", "FAILURE", "PENDING"


class Webhook(models.Model):
    """Where events go."""

    url = models.URLField()
    secret = models.CharField(max_length=100)
    active = models.BooleanField(default=True)

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        app_label = "bench"
        managed = False
        db_table = webhook_settings.WEBHOOKS

    def __str__(self) -> str:
        return self.url


class WebhookEvent(models.Model):
    """One event and how its delivery ended."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="events")
    object = models.JSONField()
    topic = models.CharField(max_length=250)
    url = models.URLField()
    status = models.CharField(max_length=40)
    created = models.DateTimeField()

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        app_label = "bench"
        managed = False
        db_table = webhook_settings.EVENTS

    def __str__(self) -> str:
        return f"{self.topic} to {self.url}"


@shared_task(name=webhook_settings.TASK, bind=True, max_retries=10, retry_backoff=True)  # type: ignore[untyped-decorator]
def fire_webhook(_self: Any, webhook_id: int, payload: dict[str, Any], topic: str) -> None:
    """Deliver one event."""
    webhook = Webhook.objects.get(pk=webhook_id)
    if not webhook.active:
        return
    request = _prepared(webhook, payload)
    event = WebhookEvent.objects.create(
        webhook=webhook, object=payload, topic=topic, url=webhook.url, status=PENDING, created=timezone.now()
    )
    try:
        Session().send(request, timeout=30, verify=os.environ[webhook_settings.TRUSTED]).raise_for_status()
    except RequestException:
        WebhookEvent.objects.filter(pk=event.pk).update(status=FAILURE)
        raise
    WebhookEvent.objects.filter(pk=event.pk).update(status=SUCCESS)


def _prepared(webhook: Webhook, payload: dict[str, Any]) -> PreparedRequest:
    at, body = int(time.time()), json.dumps(payload)
    digest = hmac.new(webhook.secret.encode(), f"{at}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Django-Webhook-Request-Timestamp": str(at),
        "Django-Webhook-Signature-v1": digest,
        "Django-Webhook-UUID": str(uuid4()),
    }
    return Request("POST", webhook.url, headers=headers, data=body).prepare()
