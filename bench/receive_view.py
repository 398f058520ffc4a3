"""What anybody who receives Spark messages has to do: check the signature, read the records; and one way to keep them.

The key and the URL are known beforehand, so neither view looks anything up.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

from bench import receive_settings
from connections.spark.reading import read_body
from connections.spark.verifying import read_request


class Received(models.Model):
    """A record somebody told us of."""

    record = models.CharField(max_length=100, unique=True)
    message = models.UUIDField()
    object = models.CharField(max_length=100)
    event = models.CharField(max_length=100)

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        app_label = "bench"
        managed = False
        db_table = receive_settings.TABLE

    def __str__(self) -> str:
        return self.record


def checked(request: HttpRequest) -> HttpResponse:
    """Verify and map."""
    return _answer(len(list(_records(request))))


def stored(request: HttpRequest) -> HttpResponse:
    """Verify, map, and update or create each record."""
    records = list(_records(request))
    for record, values in records:
        Received.objects.update_or_create(record=record, defaults=values)
    return _answer(len(records))


def _records(request: HttpRequest) -> Iterator[tuple[str, dict[str, Any]]]:
    signed = read_request(request.headers.items(), urls=[os.environ[receive_settings.URL_VARIABLE]])
    signed.verify(request.body, _key())
    signed.check_time(timezone.now())
    received = read_body(request.body)
    kept = {name: received.attributes[name] for name in ("object", "event")}
    for record in received.items:
        yield record, {"message": received.message_id, **kept}


@cache
def _key() -> rsa.RSAPublicKey:
    key = x509.load_pem_x509_certificate(os.environ[receive_settings.CERTIFICATE_VARIABLE].encode()).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("the certificate holds no RSA key")
    return key


def _answer(records: int) -> HttpResponse:
    return HttpResponse(headers={"Content-Length": "0", "X-Records": str(records)})


urlpatterns = [path(receive_settings.MAP[1:], checked), path(receive_settings.ORM[1:], stored)]
