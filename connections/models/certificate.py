"""The installation's signing certificates (veeva-core section 11)."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q


class SigningCertificate(models.Model):
    """A key pair that signs for every vault here; its private half is sealed by `vaultadmin.secrets`."""

    certificate_id = models.CharField(
        "Certificate ID", max_length=5, unique=True, validators=[RegexValidator(r"\A[0-9]{5}\Z")]
    )
    pem = models.TextField()
    fingerprint = models.CharField(max_length=64, unique=True)
    private_key = models.OneToOneField("vaultadmin.Secret", models.PROTECT, related_name="+")
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["certificate_id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(certificate_id__regex=r"^[0-9]{5}$"), name="certificate_id_has_five_digits"
            ),
            models.CheckConstraint(
                condition=Q(not_before__lt=models.F("not_after")), name="certificate_begins_before_it_ends"
            ),
        ]

    def __str__(self) -> str:
        return f"Signing certificate {self.certificate_id}"
