"""How far the clocks of other installations are from ours."""

from __future__ import annotations

from django.db import models


class PeerClock(models.Model):
    """The last measured difference to one installation, taken from the signed time of a message or an answer."""

    installation_id = models.UUIDField(primary_key=True, editable=False)
    offset_seconds = models.BigIntegerField(help_text="Its time minus ours.")
    measured_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.offset_seconds} s at {self.installation_id}"
