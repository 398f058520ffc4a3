"""The peer's one view, written in the two ways one would."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.db import connection, models
from django.http import HttpRequest, JsonResponse
from django.urls import path

from bench import insert_settings


class Inserted(models.Model):
    """A row of the peer."""

    participant_id = models.CharField(max_length=255)
    internal_id = models.CharField(max_length=255)

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        app_label = "bench"
        managed = False
        db_table = insert_settings.TABLE

    def __str__(self) -> str:
        return self.participant_id


def insert(request: HttpRequest) -> JsonResponse:
    """One INSERT by hand."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {insert_settings.TABLE} (participant_id, internal_id) VALUES (%s, %s) RETURNING id",
            _read(request.body),
        )
        (made,) = cursor.fetchone()
    return _answer(made)


def create(request: HttpRequest) -> JsonResponse:
    """One INSERT by the ORM."""
    participant_id, internal_id = _read(request.body)
    made = Inserted.objects.create(participant_id=participant_id, internal_id=internal_id)
    return _answer(made.pk)


def _answer(made: int) -> JsonResponse:
    response = JsonResponse({"responseStatus": "SUCCESS", "data": [made]})
    response["Content-Length"] = str(len(response.content))
    return response


def _read(body: bytes) -> tuple[str, str]:
    value = json.loads(body)
    return value["participantId"], value["internalId"]


urlpatterns = [path(insert_settings.CURSOR[1:], insert), path(insert_settings.ORM[1:], create)]
