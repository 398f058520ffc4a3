"""Connection files this vault gave out."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q


class IssuedFile(models.Model):
    """One downloaded file. It works once, until it expires, is used, is revoked, or a newer one is downloaded.

    The file itself is not kept, and of its nonce only the hash: reading this table does not let anybody connect.
    """

    file_id = models.UUIDField(primary_key=True, editable=False)
    connection = models.ForeignKey("connections.Connection", models.CASCADE, related_name="issued_files")
    generation = models.PositiveIntegerField()
    certificate = models.ForeignKey("connections.SigningCertificate", models.PROTECT, related_name="+")
    nonce_hash = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    remote_vault_id = models.BigIntegerField(null=True)
    issued_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_by_host = models.CharField(max_length=253, blank=True)
    used_by_vault_id = models.BigIntegerField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, null=True, related_name="+")
    revoked_reason = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["-issued_at"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "generation"], name="issued_file_once_per_generation"),
            models.UniqueConstraint(
                fields=["connection"],
                condition=Q(used_at__isnull=True, revoked_at__isnull=True),
                name="issued_file_one_open_per_connection",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True, used_by_host="", used_by_vault_id__isnull=True)
                | (Q(used_at__isnull=False, used_by_vault_id__isnull=False) & ~Q(used_by_host="")),
                name="issued_file_use_has_a_host_and_a_time",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True, revoked_reason="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_reason="")),
                name="issued_file_revocation_has_a_time_and_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(issued_at__lt=models.F("expires_at")), name="issued_file_expires_after_issue"
            ),
        ]

    def __str__(self) -> str:
        return f"Connection file {self.generation} of {self.connection}"

    def is_open(self, now: datetime) -> bool:
        """Could the other vault still use it?"""
        return self.used_at is None and self.revoked_at is None and now < self.expires_at
