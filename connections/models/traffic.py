"""What each queue carried through each of its connections, by five minutes and by the hour, and what is added soon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

# Short ones answer for the last hour, long ones for the last days; both are written at once and read by key.
SHORT, LONG = 5, 60


class TrafficSlot(models.Model):
    """The Spark messages of one connection of one queue in one span of time, written by `services.traffic`.

    The counters are those of `ConnectionStats`; `waits` says how long messages were on their way, from entering the
    queue to being accepted or processed, by the ranges of `spark.waits`. `last_at` is when one got through last.
    """

    link = models.ForeignKey("connections.QueueConnection", models.CASCADE, related_name="traffic", db_index=False)
    minutes = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    sent = models.PositiveIntegerField("Messages sent", default=0)
    received = models.PositiveIntegerField("Messages received", default=0)
    failures = models.PositiveIntegerField("Failures", default=0)
    retries = models.PositiveIntegerField("Retries", default=0)
    timeouts = models.PositiveIntegerField("Timeouts", default=0)
    fatal = models.PositiveIntegerField("Fatal errors", default=0)
    waits = ArrayField(models.PositiveIntegerField(), default=list)
    last_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["link", "minutes", "starts_at"], name="traffic_slot_once"),
            models.CheckConstraint(condition=Q(minutes__in=[SHORT, LONG]), name="traffic_slot_length_is_known"),
        ]
        # Old ones are forgotten by age.
        indexes = [models.Index(fields=["minutes", "starts_at"], name="traffic_slot_by_age")]

    def __str__(self) -> str:
        return f"{self.minutes} minutes from {self.starts_at:%Y-%m-%d %H:%M} UTC of {self.link_id}"


class Arrival(models.Model):
    """A message that was accepted and is not counted yet: `services.messages.arrivals` adds many to the sums at once.

    Everything that comes in within five minutes is counted in the same few rows, and messages that come in at once
    would wait for each other there. No row refers to another: what has gone meanwhile is not counted.
    """

    message = models.BigIntegerField(primary_key=True)
    queue = models.BigIntegerField()
    connection = models.BigIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Message {self.message}"


def start_of(moment: datetime, minutes: int) -> datetime:
    """When the span of a moment began, in UTC."""
    whole = moment.astimezone(UTC).replace(second=0, microsecond=0)
    return whole - timedelta(minutes=whole.minute % minutes)
