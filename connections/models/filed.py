"""Messages that were filed where people read them."""

from __future__ import annotations

from django.db import models

from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can


class FiledQuerySet(models.QuerySet["FiledMessage"]):
    """Rows of filed messages."""

    def visible_to(self, member: Membership) -> FiledQuerySet:
        """Those of the member's vault, if they operate its messages."""
        if not can(member, Permission.MESSAGES_OPERATE):
            return self.none()
        return self.filter(vault=member.vault_id)


class FiledMessage(models.Model):
    """A message of an inbound queue that was filed for people. What it says stands in the message, and goes with it."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    message = models.OneToOneField("connections.IncomingMessage", models.CASCADE, related_name="filed")
    filed_at = models.DateTimeField()

    objects = FiledQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["vault", "-id"], name="filed_message_by_vault")]

    def __str__(self) -> str:
        return str(self.message)
