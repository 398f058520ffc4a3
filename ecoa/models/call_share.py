"""How many calls at a time each lane of this installation may have under way, so that all keep below a cap together."""

from __future__ import annotations

from django.db import models


class CallShare(models.Model):
    """What one lane holds of one pool: a system, a study or a region of eCOA.

    A share is a lease: a lane that does not renew it starts no call after `until`, and others may have it then.
    `calls` to `slowed` say how the lane is doing there, for the page of its run.
    """

    pool = models.CharField(max_length=600, db_collation="C")
    holder = models.UUIDField()
    run = models.ForeignKey("ecoa.SyncRun", models.CASCADE, related_name="shares", db_index=False)
    is_region = models.BooleanField(default=False)
    wanted = models.SmallIntegerField()
    granted = models.SmallIntegerField()
    until = models.DateTimeField()
    calls = models.SmallIntegerField(default=0)
    pace = models.SmallIntegerField(default=0)
    latency_ms = models.IntegerField(default=0)
    per_second = models.FloatField(default=0.0)
    slowed = models.CharField(max_length=8, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pool", "holder"], name="call_share_once")]
        indexes = [models.Index(fields=["run"], name="call_share_run")]

    def __str__(self) -> str:
        return f"{self.granted} calls at a time to {self.pool}"
