"""The queue log (veeva-core section 5.4): what left a queue undelivered, and of traced queues every attempt."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.enums import TextChoices

from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can_any


class EntryType(TextChoices):
    """Why there is a line (`EntryType`)."""

    REMOVAL = "REMOVAL", "Removal"
    TRACE = "TRACE", "Trace"


def may_read(member: Membership) -> bool:
    """May this member read the queue logs of their vault?"""
    return can_any(member, (Permission.QUEUE_LOG, Permission.MESSAGES_OPERATE))


class QueueLogQuerySet(models.QuerySet["QueueLogEntry"]):
    """Lines of the log."""

    def visible_to(self, member: Membership) -> QueueLogQuerySet:
        """Those of the member's vault, for whoever may read queue logs."""
        if not may_read(member):
            return self.none()
        return self.filter(vault=member.vault_id)


class QueueLogEntry(models.Model):
    """One line, complete in itself: queue and connection may be gone when it is read.

    `content` is the message whose payload the column Body shows as long as retention keeps it.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField()
    queue_name = models.CharField(max_length=40)
    # Despite its name in the file, ConnectionName is the record id of the connection.
    connection_record = models.CharField(max_length=15, blank=True)
    message_id = models.UUIDField()
    entry_type = models.CharField(max_length=8, choices=EntryType.choices)
    queue_time = models.DateTimeField()
    send_time = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    http_status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=255, blank=True)
    content = models.ForeignKey("connections.SparkMessage", models.SET_NULL, null=True, related_name="+")

    objects = QueueLogQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(entry_type__in=EntryType.values), name="queue_log_entry_type_is_known")
        ]
        indexes = [models.Index(fields=["vault", "at", "id"], name="queue_log_by_time")]

    def __str__(self) -> str:
        return f"{self.entry_type} {self.message_id}"


class QueueTrace(models.Model):
    """*Trace Queue Delivery*: somebody has every attempt of a queue written down until a moment; it ends by itself."""

    queue = models.OneToOneField("connections.Queue", models.CASCADE, primary_key=True, related_name="trace")
    started_by = models.CharField(max_length=255)
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Trace of {self.queue_id} until {self.ends_at:%Y-%m-%d %H:%M:%S} UTC"
