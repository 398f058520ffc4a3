"""Outgoing messages: what was put, one copy a connection, and every attempt to deliver it (veeva-core 5.2 and 6)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from connections.constants import GIVEN_UP, AttemptOutcome, CopyState, IncomingState
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can


class SparkMessage(models.Model):
    """What a program put into an outbound queue, frozen: every copy and every repetition sends this.

    `payload` is the JSON text of attributes and items as they were put, tokens unresolved; `custom` are the values its
    `${Custom.…}` tokens stand for. `keys` are the items and
    the text attributes people search by. The payload leaves by retention; the row stays.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    queue = models.ForeignKey("connections.Queue", models.CASCADE, related_name="messages")
    payload = models.TextField(blank=True)
    custom = models.JSONField(default=dict)
    has_tokens = models.BooleanField(default=False)
    keys = ArrayField(models.CharField(max_length=100), default=list)
    item_count = models.PositiveSmallIntegerField(default=0)
    is_receipt = models.BooleanField(default=False)
    execution_id = models.UUIDField()
    put_by = models.CharField(max_length=255)
    entered_at = models.DateTimeField()
    payload_removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            GinIndex(fields=["keys"], name="spark_message_by_key"),
            # What retention has yet to come to.
            models.Index(
                fields=["vault", "entered_at", "id"],
                condition=Q(payload_removed_at__isnull=True),
                name="spark_message_kept",
            ),
        ]

    def __str__(self) -> str:
        return f"Message put by {self.put_by} at {self.entered_at:%Y-%m-%d %H:%M:%S} UTC"


class CopyQuerySet(models.QuerySet["MessageCopy"]):
    """Rows of copies."""

    def visible_to(self, member: Membership) -> CopyQuerySet:
        """Those of the member's vault, if they operate messages or administer its queues."""
        if not (can(member, Permission.MESSAGES_OPERATE) or can(member, Permission.SPARK_QUEUES)):
            return self.none()
        return self.filter(vault=member.vault_id)


class MessageCopy(models.Model):
    """A message on its way through one connection, with an id and a fate of its own.

    `due_at` is when it is tried next, empty once it is settled. `stood_still_before` is how long its lane had stood
    still when it entered: what the lane stood still since does not count into the retry window. What
    somebody sends again is a new copy: `resend_of` leads to the one it was made from, which stays as it was.
    """

    # Found by the indexes that begin with them: each one more is written twice a copy.
    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+", db_index=False)
    queue = models.ForeignKey("connections.Queue", models.CASCADE, related_name="copies", db_index=False)
    content = models.ForeignKey(SparkMessage, models.CASCADE, related_name="copies")
    connection = models.ForeignKey("connections.Connection", models.SET_NULL, null=True, related_name="message_copies")
    message_id = models.UUIDField(unique=True)
    path = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=16, choices=CopyState.choices, default=CopyState.WAITING.value)
    entered_at = models.DateTimeField()
    stood_still_before = models.DurationField()
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    crashes = models.PositiveSmallIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)
    # Why it was given up where no attempt of its own says so.
    reason = models.CharField(max_length=255, blank=True, db_default="")
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    resend_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="resends", db_index=False)
    resent_by = models.CharField(max_length=255, blank=True, db_default="")
    resend_reason = models.CharField(max_length=500, blank=True, db_default="")
    # Of the form somebody sent: pressed twice, it sends again once.
    resend_key = models.UUIDField(null=True, editable=False)

    objects = CopyQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=CopyState.values), name="copy_state_is_known"),
            models.UniqueConstraint(
                fields=["resend_of", "resend_key"], condition=Q(resend_key__isnull=False), name="copy_once_per_resend"
            ),
            models.CheckConstraint(
                condition=Q(state=CopyState.WAITING, due_at__isnull=False, settled_at__isnull=True)
                | (~Q(state=CopyState.WAITING) & Q(due_at__isnull=True, settled_at__isnull=False)),
                name="copy_waits_or_is_settled",
            ),
        ]
        indexes = [
            models.Index(
                fields=["queue", "connection", "due_at", "id"],
                condition=Q(due_at__isnull=False),
                name="copy_due_by_lane",
            ),
            # The oldest that waits, whenever it is due.
            models.Index(
                fields=["queue", "connection", "id"], condition=Q(due_at__isnull=False), name="copy_waiting_by_lane"
            ),
            models.Index(fields=["vault", "-id"], name="copy_by_vault"),
            # Few among many: what people look for first, and what they have sent again.
            models.Index(
                fields=["vault", "state", "-id"],
                condition=Q(state__in=GIVEN_UP),
                name="copy_given_up",
            ),
            models.Index(fields=["resend_of"], condition=Q(resend_of__isnull=False), name="copy_by_resend"),
            models.Index(fields=["queue", "-id"], name="copy_by_queue"),
        ]

    def __str__(self) -> str:
        return str(self.message_id)


class DeliveryAttempt(models.Model):
    """One attempt to deliver one copy, written before the call and closed after it.

    What was sent is not kept, as it may hold live sessions: it is rebuilt from the message with secrets masked. The
    certificate, `started_at` and the URL are those of the signed headers, and `signed_digest` is the SHA-256 of the
    string that was signed: by it, what is rebuilt or pasted later is known to be that string.
    """

    # Found by the index of its constraint.
    copy = models.ForeignKey(MessageCopy, models.CASCADE, related_name="tries", db_index=False)
    number = models.PositiveSmallIntegerField()
    execution_id = models.UUIDField()
    certificate_id = models.CharField(max_length=5, blank=True)
    url = models.CharField(max_length=2600, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, choices=AttemptOutcome.choices, default=AttemptOutcome.STARTED.value)
    status = models.PositiveSmallIntegerField(null=True)
    milliseconds = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=255, blank=True)
    signed_digest = models.BinaryField(max_length=32, null=True)
    # The first 2 KB of what came back.
    answer = models.TextField(blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["copy", "number"], name="attempt_number_once_per_copy"),
            models.CheckConstraint(
                condition=Q(outcome__in=AttemptOutcome.values), name="delivery_attempt_outcome_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Attempt {self.number} of {self.copy_id}"


class IncomingQuerySet(models.QuerySet["IncomingMessage"]):
    """Rows of messages that came in."""

    def visible_to(self, member: Membership) -> IncomingQuerySet:
        """Those of the member's vault, if they operate messages or administer its queues."""
        if not (can(member, Permission.MESSAGES_OPERATE) or can(member, Permission.SPARK_QUEUES)):
            return self.none()
        return self.filter(vault=member.vault_id)


class IncomingMessage(models.Model):
    """A message that was accepted into an inbound queue: stored once by connection and id, processed from here.

    `body` are the exact bytes that came, for Local ones the bytes a sender would have written. `due_at` is empty once
    it is processed or set aside.
    """

    # Vault and connection are found by the indexes that begin with them.
    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+", db_index=False)
    queue = models.ForeignKey("connections.Queue", models.CASCADE, related_name="incoming")
    connection = models.ForeignKey(
        "connections.Connection", models.SET_NULL, null=True, related_name="incoming_messages", db_index=False
    )
    message_id = models.UUIDField()
    body = models.TextField(blank=True)
    keys = ArrayField(models.CharField(max_length=100), default=list)
    remote_vault_id = models.BigIntegerField(null=True)
    remote_queue_name = models.CharField(max_length=128, blank=True)
    certificate_id = models.CharField(max_length=5, blank=True)
    is_receipt = models.BooleanField(default=False)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=IncomingState.choices, default=IncomingState.WAITING.value)
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    crashes = models.PositiveSmallIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=255, blank=True)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    body_removed_at = models.DateTimeField(null=True)

    objects = IncomingQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "message_id"], name="incoming_message_once_per_connection"),
            models.CheckConstraint(condition=Q(state__in=IncomingState.values), name="incoming_state_is_known"),
            models.CheckConstraint(
                condition=Q(state=IncomingState.WAITING, due_at__isnull=False, settled_at__isnull=True)
                | (~Q(state=IncomingState.WAITING) & Q(due_at__isnull=True, settled_at__isnull=False)),
                name="incoming_waits_or_is_settled",
            ),
        ]
        indexes = [
            models.Index(
                fields=["queue", "due_at", "id"], condition=Q(due_at__isnull=False), name="incoming_message_due"
            ),
            models.Index(fields=["queue", "id"], condition=Q(due_at__isnull=False), name="incoming_waiting"),
            models.Index(
                fields=["queue", "settled_at"],
                condition=Q(state=IncomingState.SET_ASIDE),
                name="incoming_set_aside",
            ),
            models.Index(fields=["vault", "-id"], name="incoming_by_vault"),
            models.Index(
                fields=["vault", "settled_at"],
                condition=Q(settled_at__isnull=False, body_removed_at__isnull=True),
                name="incoming_message_kept",
            ),
            GinIndex(fields=["keys"], name="incoming_by_key"),
        ]

    def __str__(self) -> str:
        return str(self.message_id)
