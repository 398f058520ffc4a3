"""Vaults, and the one installation they live in."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models

from vaultadmin.applications import Application

if TYPE_CHECKING:
    from vaultadmin.models.user import User
    from vaultadmin.models.vault_settings import VaultSettings


class Installation(models.Model):
    """Who we are to other installations. Exactly one row; its id is half of every peer's identity (veeva-core 3)."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=128, default="vaultadmin")
    accent = models.CharField(max_length=16, default="blue")
    singleton = models.BooleanField(default=True, editable=False, unique=True)
    ready_at = models.DateTimeField(null=True, help_text="When set-up finished; until then readiness says no.")
    place = models.JSONField(
        default=dict,
        db_default={},
        editable=False,
        help_text="Marks of where it lives (vaultadmin.place), as last recorded or confirmed by a person.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(singleton=True), name="installation_only_one")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> Installation:
        """This installation. Created by set-up; asking before that creates it, so that both orders work."""
        return cls.objects.get_or_create(singleton=True)[0]


class VaultQuerySet(models.QuerySet["Vault"]):
    """Vault rows as people may see them."""

    def visible_to_user(self, user: User) -> VaultQuerySet:
        """Vaults in which this person is an active member."""
        return self.filter(memberships__user=user, memberships__is_active=True, memberships__user__is_active=True)


class Vault(models.Model):
    """A tenant: its own records, people and connections. The id is the number people know (Vault ID)."""

    # Set by a page that has read them, so that nothing on it asks for them again.
    settings_read: VaultSettings | None = None

    id = models.BigIntegerField("Vault ID", primary_key=True, validators=[MinValueValidator(1)])
    name = models.CharField(max_length=128)
    dns = models.CharField(
        "DNS name",
        max_length=253,
        unique=True,
        validators=[RegexValidator(r"\A[a-z0-9-]+(\.[a-z0-9-]+)+\Z", "Enter a DNS name such as quality.example.com.")],
    )
    domain = models.CharField(max_length=253, blank=True)
    application = models.CharField(max_length=32, choices=Application.choices)
    is_sandbox = models.BooleanField(default=False)
    source_vault = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="sandboxes")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = VaultQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name
