"""Security profiles: a named set of permissions within one vault."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models

from vaultadmin.permissions import Permission


class SecurityProfile(models.Model):
    """What the members who hold it may do. Standard profiles are ours and read-only; custom ones are edited."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="security_profiles")
    name = models.CharField(max_length=128)
    api_name = models.CharField(
        max_length=60,
        validators=[RegexValidator(r"\A[a-z0-9]+(_+[a-z0-9]+)*\Z", "Use lowercase letters, digits and single _.")],
    )
    is_standard = models.BooleanField(default=False, editable=False)
    permissions = ArrayField(models.CharField(max_length=64, choices=Permission.choices), default=list, blank=True)
    requires_second_factor = models.BooleanField(
        default=False, help_text="Members must set up a passkey or authenticator app before they can work."
    )

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["vault", "api_name"], name="security_profile_api_name_once")]

    def __str__(self) -> str:
        return self.name
