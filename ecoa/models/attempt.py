"""Attempts: one row per try, written before it and closed after it. The evidence that is kept."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class AttemptOutcome(models.TextChoices):
    """How a try ended. A row that stays `started` belongs to a worker that died: its outcome is unknown."""

    STARTED = "started", _("Started, no outcome noted")
    SYNCED = "synced", _("In eCOA")
    REJECTED = "rejected", _("Not accepted")
    UNKNOWN = "unknown", _("Not known")
    NOT_SENT = "not_sent", _("Nothing was sent")


class Attempt(models.Model):
    """One try to bring one participant to eCOA: which value, how far it got, what came back."""

    item = models.ForeignKey("ecoa.SyncItem", models.CASCADE, related_name="tries")
    participant = models.ForeignKey("ecoa.Participant", models.CASCADE, related_name="tries")
    number = models.SmallIntegerField()
    value = models.CharField(max_length=255)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=8, choices=AttemptOutcome.choices, default=AttemptOutcome.STARTED)
    stage = models.SmallIntegerField(default=0)
    code = models.CharField(max_length=32, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    read_back = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"Try {self.number} of {self.value}"
