"""When somebody is to be told about a connection or a queue, and when that was the case."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from connections.constants import AlertEnd, AlertKind, CallOutcome, CallSubject
from connections.rules import URL_LENGTH
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can, can_any

LONGEST_WINDOW = 7 * 24 * 60
_OPERATORS = (Permission.MESSAGES_OPERATE, Permission.SPARK_QUEUES)


class AlertRuleQuerySet(models.QuerySet["AlertRule"]):
    """Rule rows."""

    def visible_to(self, member: Membership) -> AlertRuleQuerySet:
        """All of the vault for who works on queues or messages, those of whole connections for who reads them."""
        if can_any(member, _OPERATORS):
            return self.filter(vault=member.vault_id)
        if can(member, Permission.CONNECTION_READ):
            return self.filter(vault=member.vault_id, queue__isnull=True)
        return self.none()


class AlertRule(models.Model):
    """What is watched: a queue, a connection, or one connection of a queue, and what of it is too much.

    `threshold` are percent of failed attempts or minutes the oldest message has waited; `window` are the minutes looked
    back at, for silence those without a message. Silence is counted from `watched_since` on at the earliest.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    queue = models.ForeignKey(
        "connections.Queue", models.CASCADE, null=True, related_name="alert_rules", verbose_name="Queue"
    )
    connection = models.ForeignKey(
        "connections.Connection", models.CASCADE, null=True, related_name="alert_rules", verbose_name="Connection"
    )
    kind = models.CharField("Alert on", max_length=16, choices=AlertKind.choices)
    threshold = models.PositiveIntegerField("Threshold", null=True)
    window = models.PositiveIntegerField("Window in minutes", null=True)
    is_active = models.BooleanField("Active", default=True)
    by_mail = models.BooleanField("E-mail", default=True)
    webhook_url = models.CharField("Webhook URL", max_length=URL_LENGTH, blank=True)
    secret = models.OneToOneField("vaultadmin.Secret", models.PROTECT, related_name="+", null=True)
    watched_since = models.DateTimeField()
    creation_key = models.UUIDField(unique=True, null=True, editable=False)
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()

    # Set by whoever shows it: the alert that fires, if one does.
    firing: list[Alert]

    objects = AlertRuleQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(queue__isnull=False) | Q(connection__isnull=False), name="alert_rule_watches_something"
            ),
            models.CheckConstraint(
                condition=Q(kind=AlertKind.FAILURES, threshold__gte=1, threshold__lte=100, window__isnull=False)
                | Q(kind=AlertKind.BACKLOG, threshold__gte=1, window__isnull=True)
                | Q(kind=AlertKind.SILENCE, threshold__isnull=True, window__isnull=False),
                name="alert_rule_fits_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(window__isnull=True) | Q(window__gte=5, window__lte=LONGEST_WINDOW),
                name="alert_rule_window_in_range",
            ),
            models.CheckConstraint(
                condition=Q(webhook_url="", secret__isnull=True) | ~Q(webhook_url=""),
                name="alert_rule_secret_has_its_url",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.place}"

    @property
    def place(self) -> str:
        """What is watched, in words."""
        if self.queue is not None and self.connection is not None:
            return f"{self.queue} to {self.connection}"
        return str(self.queue or self.connection)


class AlertQuerySet(models.QuerySet["Alert"]):
    """Alert rows."""

    def visible_to(self, member: Membership) -> AlertQuerySet:
        """Those of visible rules."""
        return self.filter(vault=member.vault_id, rule__in=AlertRule.objects.visible_to(member))

    def open(self) -> AlertQuerySet:
        """Those that fire."""
        return self.filter(closed_at__isnull=True)

    def asking(self) -> AlertQuerySet:
        """Those that fire and that nobody snoozed."""
        return self.open().filter(snoozed_until__isnull=True)


class Alert(models.Model):
    """A time in which what a rule watches was too much; it ends by itself."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    rule = models.ForeignKey(AlertRule, models.CASCADE, related_name="alerts")
    opened_at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    snoozed_until = models.DateTimeField(null=True)
    snoozed_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, null=True, related_name="+")
    snooze_note = models.CharField(max_length=255, blank=True)
    closed_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=12, choices=AlertEnd.choices, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule"], condition=Q(closed_at__isnull=True), name="alert_one_open_per_rule"
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, ended_by="") | (Q(closed_at__isnull=False) & ~Q(ended_by="")),
                name="alert_end_whole",
            ),
        ]
        indexes = [models.Index(fields=["vault", "-id"], name="alert_by_vault")]

    def __str__(self) -> str:
        return f"Alert of rule {self.rule_id}"


class AlertCallQuerySet(models.QuerySet["AlertCall"]):
    """Rows of webhook calls."""

    def due(self, now: datetime) -> AlertCallQuerySet:
        """Those to be made now that nobody holds, oldest first."""
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        return self.filter(free, settled_at__isnull=True, due_at__lte=now).order_by("due_at", "pk")


class AlertCall(models.Model):
    """One webhook call about an alert, written with what it tells of and made from this row until it is taken."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="calls")
    call_id = models.UUIDField(unique=True)
    subject = models.CharField(max_length=12, choices=CallSubject.choices)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=CallOutcome.choices, blank=True)
    status = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=255, blank=True)

    objects = AlertCallQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, outcome="") | (Q(settled_at__isnull=False) & ~Q(outcome="")),
                name="alert_call_settled_has_an_outcome",
            ),
        ]
        indexes = [models.Index(fields=["due_at", "id"], condition=Q(settled_at__isnull=True), name="alert_call_due")]

    def __str__(self) -> str:
        return str(self.call_id)
