"""Work list rows: what waits for a person's verdict."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class TaskStatus(models.TextChoices):
    """Statuses of a workflow task (veeva-core section 3 rule 6)."""

    AVAILABLE = "available__v", "Available"
    ASSIGNED = "assigned__v", "Assigned"
    COMPLETED = "completed__v", "Completed"
    CANCELLED = "cancelled__v", "Cancelled"


OPEN = (TaskStatus.AVAILABLE, TaskStatus.ASSIGNED)


class TaskQuerySet(models.QuerySet["Task"]):
    """Task rows."""

    def open(self) -> TaskQuerySet:
        """Tasks that still wait, for anybody or for somebody."""
        return self.filter(status__in=OPEN)


class Task(models.Model):
    """Something a person must decide. The app that opened it says what a verdict means (`worklist.register`)."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="tasks")
    kind = models.CharField(max_length=64)
    subject_type = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=64)
    title = models.CharField(max_length=255)
    requested_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, null=True, related_name="requested_tasks")
    requester_label = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=16, choices=TaskStatus.choices, default=TaskStatus.AVAILABLE)
    assigned_to = models.ForeignKey("vaultadmin.Membership", models.PROTECT, null=True, related_name="assigned_tasks")
    verdict = models.CharField(max_length=32, blank=True)
    comment = models.TextField(blank=True)
    completed_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, null=True, related_name="completed_tasks")
    # Who had lent the decider their approvals, when the task was decided in somebody's place.
    completed_for = models.ForeignKey("vaultadmin.Membership", models.PROTECT, null=True, related_name="+")
    completed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["vault", "kind", "subject_type", "subject_id"],
                condition=Q(status__in=OPEN),
                name="task_one_open_per_subject",
            ),
            models.CheckConstraint(
                condition=Q(status=TaskStatus.AVAILABLE, assigned_to__isnull=True)
                | Q(status=TaskStatus.ASSIGNED, assigned_to__isnull=False)
                | ~Q(status__in=OPEN),
                name="task_assigned_to_somebody",
            ),
            models.CheckConstraint(
                condition=Q(completed_by__isnull=True, verdict="")
                | Q(completed_by__isnull=False, completed_at__isnull=False, status=TaskStatus.COMPLETED),
                name="task_verdict_has_a_person_and_a_time",
            ),
            models.CheckConstraint(
                condition=Q(completed_for__isnull=True)
                | Q(completed_by__isnull=False) & ~Q(completed_by=models.F("completed_for")),
                name="task_decided_in_the_place_of_another",
            ),
        ]
        indexes = [models.Index(fields=["vault", "status", "-created_at"], name="task_inbox")]

    def __str__(self) -> str:
        return self.title

    @property
    def decider(self) -> str:
        """Who decided it, and in whose place."""
        place = f" for {self.completed_for}" if self.completed_for else ""
        return f"{self.completed_by}{place}" if self.completed_by else ""

    @property
    def is_open(self) -> bool:
        """Does it still wait?"""
        return self.status in OPEN
