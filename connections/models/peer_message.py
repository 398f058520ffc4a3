"""Messages between vaults as rows: what is to be sent, and what was taken."""

from __future__ import annotations

from uuid import uuid4

from django.db import models
from django.db.models import Exists, OuterRef, Q

from connections.peering.messages import MessageType, Outcome

_TYPES = [(item.value, item.value) for item in MessageType]
_OUTCOMES = [(item.value, item.value) for item in Outcome if item is not Outcome.LATER]


class OutgoingQuerySet(models.QuerySet["OutgoingPeerMessage"]):
    """Outgoing rows."""

    def due(self, now: object) -> OutgoingQuerySet:
        """Rows to be tried now: time has come, nobody holds them, and nothing older of the same exchange waits.

        The order within an exchange is kept by sending, so that the receiver never hears *withdraw* before *connect*.
        """
        older = OutgoingPeerMessage.objects.filter(
            vault=OuterRef("vault"), exchange=OuterRef("exchange"), settled_at__isnull=True, pk__lt=OuterRef("pk")
        )
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        return self.filter(free, ~Exists(older), settled_at__isnull=True, due_at__lte=now).order_by("due_at", "pk")


class OutgoingPeerMessage(models.Model):
    """A message that is sent again from this row until the other side answers; its id stays the same over all tries.

    The row holds everything sending takes, because it outlives its record: that a record was deleted is told until
    the other side has answered. While the binding is there, what it says is the newer (see `services.routes`).
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    exchange = models.UUIDField()
    binding = models.ForeignKey("connections.Binding", models.SET_NULL, null=True, related_name="outgoing")
    peer_installation_id = models.UUIDField()
    peer_vault_id = models.BigIntegerField()
    peer_url = models.CharField(max_length=2000)
    # Every key the peer may sign its answer with: PEM by certificate id.
    peer_certificates = models.JSONField()
    signing_certificate = models.ForeignKey("connections.SigningCertificate", models.PROTECT, related_name="+")
    message_id = models.UUIDField(default=uuid4, unique=True, editable=False)
    type = models.CharField(max_length=16, choices=_TYPES)
    body = models.JSONField()
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=255, blank=True)
    settled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=8, choices=_OUTCOMES, blank=True)

    objects = OutgoingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, outcome="") | (Q(settled_at__isnull=False) & ~Q(outcome="")),
                name="outgoing_settled_has_an_outcome",
            ),
            models.CheckConstraint(
                condition=Q(lease_token__isnull=True, lease_until__isnull=True)
                | Q(lease_token__isnull=False, lease_until__isnull=False),
                name="outgoing_lease_has_an_end",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], name="outgoing_due", condition=Q(settled_at__isnull=True)),
            models.Index(
                fields=["vault", "exchange", "id"], name="outgoing_in_order", condition=Q(settled_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} to Vault {self.peer_vault_id}"


class IncomingPeerMessage(models.Model):
    """A message that was taken or refused for good. The same id again gets the same treatment and no second effect."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    peer_installation_id = models.UUIDField()
    peer_vault_id = models.BigIntegerField()
    message_id = models.UUIDField()
    type = models.CharField(max_length=16, choices=_TYPES)
    body_sha256 = models.CharField(max_length=64)
    exchange = models.UUIDField()
    received_at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=_OUTCOMES)
    code = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["vault", "peer_installation_id", "peer_vault_id", "message_id"],
                name="incoming_message_once_per_peer",
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} from Vault {self.peer_vault_id}"
