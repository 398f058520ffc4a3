"""Connection Clients: which Client IDs speak for a connection (veeva-core section 10.1)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from connections.constants import RecordStatus
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can

CLIENT_ID_LENGTH = 100
DEFAULT_PREFIX = "veeva-vault-"


class ConnectionClientQuerySet(models.QuerySet["ConnectionClient"]):
    """Client rows."""

    def visible_to(self, member: Membership) -> ConnectionClientQuerySet:
        """Those of the member's vault, if they may read connections."""
        if not can(member, Permission.CONNECTION_READ):
            return self.none()
        return self.filter(vault=member.vault_id)

    def active(self) -> ConnectionClientQuerySet:
        """Those that are let in while their connection is Active."""
        return self.filter(status=RecordStatus.ACTIVE)


class ConnectionClient(models.Model):
    """`connection_client__sys`: one approved Client ID of a connection."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    connection = models.ForeignKey("connections.Connection", models.CASCADE, related_name="clients")
    name = models.CharField("Name", max_length=128)
    client_id = models.CharField("Client ID", max_length=CLIENT_ID_LENGTH)
    status = models.CharField(
        "Status", max_length=16, choices=RecordStatus.choices, default=RecordStatus.ACTIVE, editable=False
    )
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()

    objects = ConnectionClientQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["vault", "client_id"],
                condition=Q(status=RecordStatus.ACTIVE),
                name="connection_client_id_once_active_per_vault",
            ),
            models.UniqueConstraint(
                fields=["connection", "client_id"], name="connection_client_id_once_per_connection"
            ),
            models.CheckConstraint(
                condition=Q(client_id__regex=r"^[A-Za-z0-9._-]{1,100}$"), name="connection_client_id_is_written_right"
            ),
        ]

    def __str__(self) -> str:
        return self.client_id

    @property
    def is_active(self) -> bool:
        """Is it let in while its connection is Active?"""
        return self.status == RecordStatus.ACTIVE


def default_client_id(api_name: str) -> str:
    """The Client ID every connection begins with."""
    return f"{DEFAULT_PREFIX}{api_name}"
