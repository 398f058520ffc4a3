"""Sync health day by day, and what people ask to be told by mail."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class SyncDay(models.Model):
    """What became of one study's participants on one UTC day; written by `ecoa.services.health`, never counted."""

    mapping = models.ForeignKey("ecoa.StudyMapping", models.CASCADE, related_name="days")
    date = models.DateField(_("day"))
    sent = models.BigIntegerField(_("Sent"), default=0)
    confirmed = models.BigIntegerField(_("Confirmed"), default=0)
    rejected = models.BigIntegerField(_("Not accepted"), default=0)
    unknown = models.BigIntegerField(_("Not known"), default=0)

    class Meta:
        ordering = ["-date"]
        constraints = [models.UniqueConstraint(fields=["mapping", "date"], name="sync_day_once")]

    def __str__(self) -> str:
        return f"{self.mapping} on {self.date}"


class DigestFrequency(models.TextChoices):
    """How often a digest comes."""

    NEVER = "never", _("No digest")
    DAILY = "daily", _("Every day")
    WEEKLY = "weekly", _("Every week, on Monday")


class DigestChoice(models.Model):
    """One member's wish for a digest; `due_at` is when the next one is written, null for none."""

    member = models.OneToOneField("vaultadmin.Membership", models.CASCADE, primary_key=True, related_name="ecoa_digest")
    frequency = models.CharField(max_length=8, choices=DigestFrequency.choices, default=DigestFrequency.NEVER)
    hour = models.PositiveSmallIntegerField(_("hour"), default=6)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(hour__lte=23), name="digest_hour_of_a_day"),
            models.CheckConstraint(
                condition=Q(frequency="never", due_at__isnull=True) | (~Q(frequency="never") & Q(due_at__isnull=False)),
                name="digest_due_when_wanted",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="digest_due")]

    def __str__(self) -> str:
        return f"Digest for {self.member}"
