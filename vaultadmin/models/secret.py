"""Secrets at rest: one table, sealed values, referenced by whoever needs them (security.md section 5 line 8)."""

from __future__ import annotations

from uuid import uuid4

from django.db import models


class Secret(models.Model):
    """A sealed value bound to this very row. Only `vaultadmin.secrets` reads or writes it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, null=True, related_name="secrets")
    purpose = models.CharField(max_length=64)
    ciphertext = models.TextField()
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=128)

    def __str__(self) -> str:
        return f"{self.purpose} secret"
