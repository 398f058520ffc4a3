"""E-mail notices as rows: what is to be told to whom about a task, or about whatever an app has to say."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q


class NoticeKind(models.TextChoices):
    """What happened, or is about to."""

    OPENED = "opened", "A task waits for you"
    ASSIGNED = "assigned", "A task was assigned to you"
    DECIDED = "decided", "Your request was decided"
    IN_PLACE = "in_place", "A task was decided in your place"
    OVERTURNED = "overturned", "The other Vault rejected what was approved"
    DUE_SOON = "due_soon", "A task is about to lapse"
    CLOSED = "closed", "Your request ended"
    TOLD = "told", "Told by an app"


class NoticeOutcome(models.TextChoices):
    """What became of a notice."""

    SENT = "sent", "Sent"
    DROPPED = "dropped", "No longer true when it was to be sent"
    GIVEN_UP = "given_up", "Given up after the last try"


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Notice rows."""

    def due(self, now: datetime) -> NoticeQuerySet:
        """Those to be tried now that nobody holds, oldest first."""
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        return self.filter(free, settled_at__isnull=True, due_at__lte=now).order_by("due_at", "pk")


class Notice(models.Model):
    """One mail to one person about one task, written with what it tells of and sent from this row until it is gone.

    The words are made when it is sent, from the rows as they are then, so a mail never tells what is no longer true.
    A notice without a task is an app's: `topic` names who writes its words (registries.mail_writers), `subject` what
    it is about in that app's own terms, `data` further ids and times.
    """

    user = models.ForeignKey("vaultadmin.User", models.CASCADE, related_name="+")
    task = models.ForeignKey("vaultadmin.Task", models.CASCADE, null=True, related_name="notices")
    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, null=True, related_name="+")
    topic = models.CharField(max_length=32, blank=True, db_default="")
    subject = models.CharField(max_length=64, blank=True, db_default="")
    data = models.JSONField(default=dict, db_default={})
    kind = models.CharField(max_length=16, choices=NoticeKind.choices)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=255, blank=True)
    settled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, choices=NoticeOutcome.choices, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "task", "kind"], name="notice_once_per_person_and_task"),
            models.UniqueConstraint(
                fields=["user", "vault", "topic", "subject"],
                condition=~Q(topic=""),
                name="notice_once_per_person_and_subject",
            ),
            models.CheckConstraint(
                condition=Q(task__isnull=False, topic="")
                | (Q(task__isnull=True, vault__isnull=False, kind="told") & ~Q(topic="")),
                name="notice_of_a_task_or_a_topic",
            ),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, outcome="") | (Q(settled_at__isnull=False) & ~Q(outcome="")),
                name="notice_settled_has_an_outcome",
            ),
        ]
        indexes = [models.Index(fields=["due_at", "id"], name="notice_due", condition=Q(settled_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.task or self.topic} ({self.user})"
