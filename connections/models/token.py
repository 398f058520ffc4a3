"""Vault tokens: constants of one vault that URLs and messages name as `${Vault.Name}` (veeva-core section 4.3)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from connections.constants import CloneBehavior, TokenType
from connections.token_types import LABEL_LENGTH, NAME_LENGTH, VALUE_LENGTH
from connections.tokens import RESERVED_NAMES
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can

MOST_OWN_TOKENS = 10


class VaultTokenQuerySet(models.QuerySet["VaultToken"]):
    """Token rows."""

    def visible_to(self, member: Membership) -> VaultTokenQuerySet:
        """Those of the member's vault, if they may read connections."""
        if not can(member, Permission.CONNECTION_READ):
            return self.none()
        return self.filter(vault=member.vault_id)


class VaultToken(models.Model):
    """A value this vault gives to a name. Its name is fixed, because URLs refer to it."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="tokens")
    name = models.CharField("Name", max_length=NAME_LENGTH)
    label = models.CharField("Label", max_length=LABEL_LENGTH)
    is_active = models.BooleanField("Active", default=True)
    type = models.CharField("Type", max_length=32, choices=TokenType.choices)
    value = models.CharField("Value", max_length=VALUE_LENGTH, blank=True)
    clone_behavior = models.CharField("Clone behavior", max_length=32, choices=CloneBehavior.choices)
    system_managed = models.BooleanField("System Managed", default=False)
    creation_key = models.UUIDField(unique=True, null=True, editable=False)
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()

    objects = VaultTokenQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint("vault", Lower("name"), name="vault_token_name_once_per_vault"),
            models.CheckConstraint(
                condition=Q(name__regex=r"^[A-Za-z][A-Za-z0-9_]*$"), name="vault_token_name_is_written_right"
            ),
            models.CheckConstraint(
                condition=~Q(name__iregex=f"^({'|'.join(sorted(RESERVED_NAMES))})$"),
                name="vault_token_name_is_not_reserved",
            ),
            models.CheckConstraint(condition=Q(type__in=TokenType.values), name="vault_token_type_is_known"),
            models.CheckConstraint(
                condition=Q(clone_behavior__in=CloneBehavior.values), name="vault_token_clone_behavior_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def text(self) -> str:
        """The token as it is written in a URL."""
        return f"${{Vault.{self.name}}}"
