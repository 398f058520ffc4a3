"""What a connection carried, day by day (veeva-core section 10.3)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class ConnectionStats(models.Model):
    """`connection_stats__sys`: the Spark messages of one connection on one UTC day, written by `services.stats`."""

    connection = models.ForeignKey("connections.Connection", models.CASCADE, related_name="stats")
    date = models.DateField("Date")
    sent = models.PositiveBigIntegerField("Messages sent", default=0)
    received = models.PositiveBigIntegerField("Messages received", default=0)
    failures = models.PositiveBigIntegerField("Failures", default=0)
    retries = models.PositiveBigIntegerField("Retries", default=0)
    timeouts = models.PositiveBigIntegerField("Timeouts", default=0)
    fatal = models.PositiveBigIntegerField("Fatal errors", default=0)

    class Meta:
        verbose_name_plural = "connection stats"
        ordering = ["-date"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "date"], name="connection_stats_once_a_day"),
            models.CheckConstraint(
                condition=Q(timeouts__lte=models.F("failures")), name="connection_stats_timeouts_are_failures"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connection} on {self.date}"
