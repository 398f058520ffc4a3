"""What each vault decides for itself on its page *Settings*."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from vaultadmin.models.vault import Vault

LONGEST_LAPSE = 90
SHORTEST_IDLE, LONGEST_IDLE = 10, 480
LONGEST_KEPT = 365


class VaultSettings(models.Model):
    """One row a vault, made at the first change; a vault without one has the defaults below."""

    vault = models.OneToOneField("vaultadmin.Vault", models.CASCADE, primary_key=True, related_name="settings_row")
    client_id_filtering = models.BooleanField(
        "Client ID Filtering",
        default=False,
        help_text="Refuse API calls whose Client ID belongs to no active connection of this Vault.",
    )
    own_requests = models.BooleanField(
        "Requesters may approve their own requests",
        default=False,
        help_text="Only in a sandbox: one person can then try an approval out alone.",
    )
    request_days = models.PositiveSmallIntegerField(
        "Days until a request lapses",
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_LAPSE)],
        help_text="A request nobody decided by then ends by itself.",
    )
    session_minutes = models.PositiveSmallIntegerField(
        "Minutes until an idle API session ends",
        default=20,
        db_default=20,
        validators=[MinValueValidator(SHORTEST_IDLE), MaxValueValidator(LONGEST_IDLE)],
        help_text="A program whose session has ended signs in again.",
    )
    message_days = models.PositiveSmallIntegerField(
        "Days the content of Spark messages is kept",
        default=30,
        db_default=30,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_KEPT)],
        help_text=(
            "Counted from when a message was delivered, processed or given up. Then what it said and its attempts are "
            "removed; its row stays, but it cannot be sent again. What still waits is kept."
        ),
    )
    modified_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "settings"
        constraints = [
            models.CheckConstraint(
                condition=Q(request_days__gte=1, request_days__lte=LONGEST_LAPSE),
                name="vault_settings_request_days_in_range",
            ),
            models.CheckConstraint(
                condition=Q(session_minutes__gte=SHORTEST_IDLE, session_minutes__lte=LONGEST_IDLE),
                name="vault_settings_session_minutes_in_range",
            ),
            models.CheckConstraint(
                condition=Q(message_days__gte=1, message_days__lte=LONGEST_KEPT),
                name="vault_settings_message_days_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"Settings of {self.vault}"

    @classmethod
    def of(cls, vault: Vault) -> VaultSettings:
        """The vault's settings; unsaved defaults when nobody changed any. A page keeps them in `settings_read`."""
        if vault.settings_read is not None:
            return vault.settings_read
        found: VaultSettings | None = cls.objects.filter(vault=vault).first()
        return found or cls(vault=vault)
