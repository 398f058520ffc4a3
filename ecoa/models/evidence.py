"""Evidence: the calls by which we learnt what eCOA holds, kept for as long as the participant."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Verdict(models.TextChoices):
    """What one question to eCOA settled."""

    LANDED = "landed", _("It had landed")
    ABSENT = "absent", _("It had not landed: safe to send")
    CONFLICT = "conflict", _("Conflict: a person decides")
    CONFIRMED = "confirmed", _("Confirmed")
    DIFFERS = "differs", _("Differs")
    OPEN = "open", _("No answer that settles it")


class Evidence(models.Model):
    """One question by `internalId` and what came back. `answer` is eCOA's own participant ID, `code` its refusal."""

    participant = models.ForeignKey("ecoa.Participant", models.CASCADE, related_name="evidence", db_index=False)
    attempt = models.ForeignKey("ecoa.Attempt", models.CASCADE, null=True, related_name="evidence", db_index=False)
    discrepancy = models.ForeignKey("ecoa.Discrepancy", models.CASCADE, null=True, related_name="evidence")
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=64)
    path = models.CharField(max_length=1000)
    status = models.SmallIntegerField(null=True)
    code = models.CharField(max_length=32, blank=True)
    answer = models.CharField(max_length=500, blank=True)
    my_veeva_participant_id = models.CharField(max_length=255, blank=True)
    verdict = models.CharField(max_length=9, choices=Verdict.choices)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "evidence"
        indexes = [models.Index(fields=["participant", "-id"], name="evidence_of_participant")]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()}: {self.path}"
