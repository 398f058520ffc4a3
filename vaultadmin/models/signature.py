"""Electronic signatures. Rows are written by `vaultadmin.signing` only and never change (a trigger refuses)."""

from __future__ import annotations

from django.db import models


class SigningMethod(models.TextChoices):
    """What the person showed of themselves at the moment of signing."""

    PASSWORD = "password", "Password"  # pragma: allowlist secret
    PASSWORD_AND_CODE = "password_code", "Password and second factor"  # pragma: allowlist secret
    PASSKEY = "passkey", "Passkey"
    CODE = "code", "Second factor"
    SINGLE_SIGN_ON = "single_sign_on", "Single sign-on"


class Signature(models.Model):
    """Who signed what, when and meaning what. No foreign keys: a signature outlives the record and the person's row.

    `statement` is what was on the screen in canonical JSON, `version` its SHA-256, `seal` the hash over every column:
    a row copied to another subject, or put beside another version of it, does not verify.
    """

    vault_number = models.BigIntegerField()
    subject_type = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=64)
    subject_label = models.CharField(max_length=255)
    version = models.CharField(max_length=64)
    statement = models.JSONField()
    meaning = models.CharField(max_length=255)
    signer_id = models.CharField(max_length=64)
    signer_name = models.CharField(max_length=128)
    signer_email = models.CharField(max_length=254)
    method = models.CharField(max_length=16, choices=SigningMethod.choices)
    signed_at = models.DateTimeField()
    seal = models.CharField(max_length=64)

    class Meta:
        ordering = ["-signed_at", "-pk"]
        indexes = [models.Index(fields=["vault_number", "subject_type", "subject_id"], name="signature_subject")]

    def __str__(self) -> str:
        return f"{self.signer_name}: {self.meaning}"

    @property
    def vault_id(self) -> int:
        """The vault whose chain vouches for it."""
        return self.vault_number
