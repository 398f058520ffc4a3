"""Spark queues and what they are connected to (veeva-core section 5.1)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from connections.constants import LaneOutcome, QueueType
from connections.rules import API_NAME_LENGTH, OWN_NAME
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can

_KINDS = {
    Permission.SPARK_QUEUES: (QueueType.INBOUND, QueueType.OUTBOUND),
    Permission.SDK_JOB_QUEUES: (QueueType.JOB,),
}


class QueueQuerySet(models.QuerySet["Queue"]):
    """Queue rows."""

    def visible_to(self, member: Membership) -> QueueQuerySet:
        """Those of the member's vault of the kinds the member may administer; who operates messages sees all."""
        if can(member, Permission.MESSAGES_OPERATE):
            return self.filter(vault=member.vault_id)
        kinds = [kind for permission, those in _KINDS.items() if can(member, permission) for kind in those]
        return self.filter(vault=member.vault_id, type__in=kinds)


class Queue(models.Model):
    """`Queue`: a durable line of messages. Status and delivery are two switches.

    Inactive refuses new messages while those in it go on; delivery disabled holds them while new ones come in. What
    the queue holds is `QueueTally`.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    name = models.CharField("Name", max_length=API_NAME_LENGTH)
    label = models.CharField("Label", max_length=60)
    description = models.CharField("Description", max_length=500, blank=True)
    type = models.CharField("Queue Type", max_length=16, choices=QueueType.choices)
    is_active = models.BooleanField("Active", default=True)
    delivery_enabled = models.BooleanField("Delivery enabled", default=True)
    delivery_changed_at = models.DateTimeField(null=True, editable=False)
    processor = models.CharField("Message Processor", max_length=64, blank=True)
    processor_user = models.ForeignKey(
        "vaultadmin.Membership",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="Message Processor User",
    )
    handler = models.CharField("Message Delivery Event Handler", max_length=64, blank=True)
    handler_user = models.ForeignKey(
        "vaultadmin.Membership",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="Message Delivery Event Handler User",
    )
    rollback_on_error = models.BooleanField("Rollback on Error", default=False)
    sequential = models.BooleanField("Sequential", default=False)
    creation_key = models.UUIDField(unique=True, null=True, editable=False)
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()

    objects = QueueQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["vault", "name"], name="queue_name_once_per_vault"),
            # The target of composite references: a row of a queue is of the queue's vault.
            models.UniqueConstraint(fields=["id", "vault"], name="queue_in_its_vault"),
            models.CheckConstraint(condition=Q(name__regex=OWN_NAME), name="queue_name_is_written_right"),
            models.CheckConstraint(condition=Q(type__in=QueueType.values), name="queue_type_is_known"),
            models.CheckConstraint(
                condition=(Q(type=QueueType.INBOUND) & ~Q(processor=""))
                | (~Q(type=QueueType.INBOUND) & Q(processor="", processor_user__isnull=True)),
                name="queue_processor_is_for_inbound",
            ),
            models.CheckConstraint(
                condition=Q(handler="", handler_user__isnull=True)
                | (Q(type=QueueType.OUTBOUND, handler_user__isnull=False) & ~Q(handler="")),
                name="queue_handler_has_its_user",
            ),
            models.CheckConstraint(
                condition=~Q(type=QueueType.INBOUND) | Q(delivery_enabled=True),
                name="queue_inbound_is_never_stopped",
            ),
        ]
        indexes = [models.Index("vault", Upper("name"), "id", name="queue_by_name")]

    def __str__(self) -> str:
        return self.label

    @property
    def is_outbound(self) -> bool:
        """Do messages leave through it?"""
        return self.type == QueueType.OUTBOUND

    @property
    def is_inbound(self) -> bool:
        """Do messages arrive in it?"""
        return self.type == QueueType.INBOUND


class QueueConnection(models.Model):
    """`Queueconnection`: a connection messages of an outbound queue leave through, or an inbound queue takes from.

    `deliver_to_queue` is the inbound queue on the receiving side: for Vault to Vault and Local, not for External.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    queue = models.ForeignKey(Queue, models.CASCADE, related_name="connections")
    connection = models.ForeignKey("connections.Connection", models.PROTECT, related_name="queue_connections")
    label = models.CharField("Label", max_length=60, blank=True)
    is_active = models.BooleanField("Active", default=True)
    deliver_to_queue = models.CharField("Deliver to Queue", max_length=API_NAME_LENGTH, blank=True)
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()

    class Meta:
        verbose_name = "queue"
        verbose_name_plural = "queues"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["queue", "connection"], name="queue_connection_once_per_queue"),
        ]

    def __str__(self) -> str:
        return self.label or str(self.connection)


class QueueTally(models.Model):
    """How many messages wait in a queue: the sum over its slots.

    Each writer adds to a slot of its own, so that two who put or settle at once do not wait for each other; a single
    slot may go below zero, the sum does not.
    """

    queue = models.ForeignKey(Queue, models.CASCADE, related_name="tallies")
    slot = models.PositiveSmallIntegerField()
    waiting = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(F("queue"), F("slot"), name="queue_tally_once_per_slot")]

    def __str__(self) -> str:
        return f"{self.waiting} in slot {self.slot} of {self.queue_id}"


class Lane(models.Model):
    """How one connection of an outbound queue is doing: what the sender knows of it beyond single messages.

    `stopped_since` is set while nothing may leave (delivery disabled, held, sealed, no Active connection);
    `stood_still` sums up the times that are over, and neither counts into a message's retry window. `paused_until`
    is the breaker's: a receiver that does not answer is left alone for a while.
    """

    link = models.OneToOneField(QueueConnection, models.CASCADE, primary_key=True, related_name="lane")
    stopped_since = models.DateTimeField(null=True)
    stood_still = models.DurationField(default=timedelta)
    taken_at = models.DateTimeField(null=True)
    # Of a sequential lane, which one sender at a time may work on.
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    failures_in_row = models.PositiveIntegerField(default=0)
    paused_until = models.DateTimeField(null=True)
    # The last outcome as the REST API tells it; the error is the newest one, kept after a success.
    last_outcome = models.CharField(max_length=8, choices=LaneOutcome.choices, blank=True)
    last_delivered_at = models.DateTimeField(null=True)
    last_error_at = models.DateTimeField(null=True)
    last_error_id = models.UUIDField(null=True)
    last_error = models.CharField(max_length=255, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(last_outcome__in=["", *LaneOutcome.values]), name="lane_outcome_is_known"
            )
        ]

    def __str__(self) -> str:
        return f"Lane of {self.link_id}"

    def standstill(self, now: datetime) -> timedelta:
        """How long nothing could leave, up to now."""
        running = now - self.stopped_since if self.stopped_since is not None else timedelta(0)
        return self.stood_still + max(running, timedelta(0))
