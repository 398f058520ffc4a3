"""Reading back: what eCOA said last about each participant, and how far the round through all of them is.

`ReadBack` holds the newest answer only and goes when our side changes (a trigger), so "confirmed" always speaks of
the value we hold now. `SiteReading` counts them by trigger, so that no page counts a million rows.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ReadBack(models.Model):
    """The newest answer about one participant. `confirmed_at` is when both sides last agreed on today's value."""

    participant = models.OneToOneField("ecoa.Participant", models.CASCADE, primary_key=True, related_name="read_back")
    site = models.ForeignKey("ecoa.Site", models.CASCADE, related_name="+", db_index=False)
    agrees = models.BooleanField()
    their_value = models.CharField(max_length=500, blank=True)
    read_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Read back {self.participant_id}"


class SiteReading(models.Model):
    """What reading back came to at one site, kept by triggers; `region` is the one we accepted for it.

    `stamp` grows with every change of the counters. `checked_in` is the round in which the region was asked for.
    """

    site = models.OneToOneField("ecoa.Site", models.CASCADE, primary_key=True, related_name="reading")
    agreed = models.BigIntegerField(default=0)
    differing = models.BigIntegerField(default=0)
    open = models.BigIntegerField(default=0)
    stamp = models.BigIntegerField(default=0)
    region = models.CharField(max_length=500, blank=True)
    checked_in = models.BigIntegerField(null=True)
    last_read_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.agreed} agree, {self.differing} differ"


class CycleState(models.TextChoices):
    """Where one round is."""

    RUNNING = "running", _("Running")
    FINISHED = "finished", _("Finished")


class ReadBackCycle(models.Model):
    """One round through everything of a study that eCOA confirmed once.

    `cursor` is the last internal ID looked at. `hurried` rounds use the whole budget, scheduled ones spread over the
    day. `not_before` is when the next calls may be made (the pace, a Retry-After, or a silent service).
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    mapping = models.ForeignKey("ecoa.StudyMapping", models.CASCADE, related_name="cycles")
    state = models.CharField(max_length=8, choices=CycleState.choices, default=CycleState.RUNNING)
    hurried = models.BooleanField(default=False)
    starter_label = models.CharField(max_length=255)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField()
    cursor = models.CharField(max_length=255, blank=True, db_collation="C")
    # Participants whose answer failed: asked again at the end of the round.
    leftovers = ArrayField(models.BigIntegerField(), default=list)
    planned = models.BigIntegerField(default=0)
    read = models.BigIntegerField(default=0)
    unread = models.BigIntegerField(default=0)
    found = models.BigIntegerField(default=0)
    cleared = models.BigIntegerField(default=0)
    calls = models.BigIntegerField(default=0)
    trouble = models.CharField(max_length=32, blank=True)
    setbacks = models.SmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["mapping"], condition=Q(state="running"), name="cycle_one_running"),
        ]
        indexes = [models.Index(fields=["mapping", "-id"], name="cycle_newest")]

    def __str__(self) -> str:
        return f"Read-back {self.pk}"

    @property
    def is_running(self) -> bool:
        return self.state == CycleState.RUNNING

    @property
    def looked_at(self) -> int:
        return self.read + self.unread


class CallHour(models.Model):
    """How many calls reading back made for a study in one hour; never more than its budget."""

    pk = models.CompositePrimaryKey("mapping_id", "hour")
    mapping = models.ForeignKey("ecoa.StudyMapping", models.CASCADE, related_name="+", db_index=False)
    hour = models.DateTimeField()
    calls = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.calls} calls"
