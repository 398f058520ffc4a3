"""How we authenticate outward to an external system (veeva-core section 4.1)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from connections.constants import AuthorizationType, RecordStatus
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can


class AuthorizationQuerySet(models.QuerySet["ConnectionAuthorization"]):
    """Authorization rows."""

    def visible_to(self, member: Membership) -> AuthorizationQuerySet:
        """Those of the member's vault, if they may read authorizations."""
        if not can(member, Permission.AUTHORIZATION_READ):
            return self.none()
        return self.filter(vault=member.vault_id)


class ConnectionAuthorization(models.Model):
    """A user name with a password, or a client id with a client secret. The secret half is write-only."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="connection_authorizations")
    type = models.CharField("Authorization Type", max_length=32, choices=AuthorizationType.choices)
    name = models.CharField("Name", max_length=128)
    username = models.CharField("User Name", max_length=255, blank=True)
    client_id = models.CharField("Client ID", max_length=255, blank=True)
    # None in a sandbox until somebody enters it there: a copy of a vault never holds the secrets of the original.
    secret = models.OneToOneField("vaultadmin.Secret", models.PROTECT, related_name="+", null=True)
    status = models.CharField(
        "Status",
        max_length=16,
        choices=RecordStatus.choices,
        default=RecordStatus.ACTIVE.value,
        db_default=RecordStatus.ACTIVE.value,
    )
    creation_key = models.UUIDField(unique=True, null=True, editable=False)
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()

    objects = AuthorizationQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            # The target of the connection's composite reference: a record cannot use another vault's authorization.
            models.UniqueConstraint(fields=["id", "vault"], name="authorization_in_its_vault"),
            models.CheckConstraint(
                condition=(Q(type=AuthorizationType.BASIC, client_id="") & ~Q(username=""))
                | (Q(type=AuthorizationType.CLIENT_CREDENTIALS, username="") & ~Q(client_id="")),
                name="authorization_fields_fit_its_type",
            ),
            models.CheckConstraint(condition=Q(status__in=RecordStatus.values), name="authorization_status_is_known"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def identity(self) -> str:
        """The public half: the user name or client id."""
        return self.username or self.client_id

    @property
    def is_active(self) -> bool:
        """May connections send with it?"""
        return self.status == RecordStatus.ACTIVE

    @property
    def secret_label(self) -> str:
        """What the secret half is called on screens."""
        return "Password" if self.type == AuthorizationType.BASIC else "Client Secret"
