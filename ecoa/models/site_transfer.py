"""A participant who went to another site of the same study."""

from __future__ import annotations

from django.db import models


class SiteTransfer(models.Model):
    """Who moved whom from where to where, and why. `my_id_before` tells later whether eCOA kept its own ID."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    participant = models.ForeignKey("ecoa.Participant", models.CASCADE, related_name="transfers")
    from_site = models.ForeignKey("ecoa.Site", models.PROTECT, related_name="+")
    to_site = models.ForeignKey("ecoa.Site", models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    mover_label = models.CharField(max_length=255)
    moved_at = models.DateTimeField()
    # The version that says so; once eCOA confirmed it, the move has arrived.
    version = models.IntegerField()
    my_id_before = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.participant}: {self.from_site.number} → {self.to_site.number}"

    @property
    def has_arrived(self) -> bool:
        """Did eCOA confirm the participant at the new site?"""
        return self.participant.synced_version >= self.version

    @property
    def is_new_in_ecoa(self) -> bool:
        """Did eCOA make a new participant instead of moving the one it had, as it does across regions?"""
        now = self.participant.my_veeva_participant_id
        return self.has_arrived and bool(self.my_id_before) and now != self.my_id_before
