"""What a push was answered, kept under its Idempotency-Key so that a repeated one hears the same."""

from __future__ import annotations

from django.db import models


class PushReceipt(models.Model):
    """One answered push. Its unique key makes a second push with the same one wait for the first."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    member = models.ForeignKey("vaultadmin.Membership", models.CASCADE, related_name="+")
    key = models.CharField(max_length=255, db_collation="C")
    # SHA-256 over the study, the site and the body as sent.
    fingerprint = models.CharField(max_length=64)
    answer = models.TextField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["vault", "member", "key"], name="push_receipt_key_once")]

    def __str__(self) -> str:
        return self.key
