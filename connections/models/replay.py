"""Replays: a frozen plan of messages to send again, and how far it has been carried out."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.enums import TextChoices
from django_fsm import FSMField, transition

from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can
from vaultadmin.state_machine import StateMachine


class ReplayState(TextChoices):
    """Where a replay is. People start, pause, resume and cancel; the worker finishes."""

    PLANNED = "planned", "Planned"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    FINISHED = "finished", "Finished"
    CANCELLED = "cancelled", "Cancelled"


OPEN_STATES = (ReplayState.PLANNED, ReplayState.RUNNING, ReplayState.PAUSED)


class ReplayItemState(TextChoices):
    """What became of one message of the plan."""

    PLANNED = "planned", "Planned"
    EXCLUDED = "excluded", "Left out"
    SENT = "sent", "Sent again"
    SKIPPED = "skipped", "Not sent"


def may_operate(_replay: Replay, member: Membership) -> bool:
    """Replays are planned and carried out by those who operate messages."""
    return can(member, Permission.MESSAGES_OPERATE)


class ReplayQuerySet(models.QuerySet["Replay"]):
    """Rows of replays."""

    def visible_to(self, member: Membership) -> ReplayQuerySet:
        """Those of the member's vault, for whoever operates messages."""
        return self.filter(vault=member.vault_id) if can(member, Permission.MESSAGES_OPERATE) else self.none()


class Replay(StateMachine, models.Model):
    """Messages somebody wants sent again. The plan is frozen when it is made; carrying it out sends exactly that set.

    `total` of its items are to be sent, `excluded` are left out with a reason; `sent` and `skipped` count what was
    done. `waits_for` says in one sentence why nothing goes on at the moment.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="+")
    state = FSMField(default=ReplayState.PLANNED, choices=ReplayState.choices, protected=True)
    asked = models.JSONField(default=dict)
    words = models.CharField(max_length=500)
    planned_by = models.CharField(max_length=255)
    planner = models.ForeignKey("vaultadmin.Membership", models.PROTECT, related_name="+")
    planned_at = models.DateTimeField()
    started_by = models.CharField(max_length=255, blank=True)
    started_at = models.DateTimeField(null=True)
    paused_by = models.CharField(max_length=255, blank=True)
    paused_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField(default=0)
    excluded = models.PositiveIntegerField(default=0)
    delivered_before = models.PositiveIntegerField(default=0)
    seconds = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    waits_for = models.CharField(max_length=255, blank=True)
    creation_key = models.UUIDField(unique=True, null=True, editable=False)

    objects = ReplayQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(condition=Q(state__in=ReplayState.values), name="replay_state_is_known")]
        indexes = [
            models.Index(fields=["vault", "-id"], name="replay_newest"),
            models.Index(fields=["id"], condition=Q(state="running"), name="replay_running"),
        ]

    def __str__(self) -> str:
        return f"Replay {self.pk}"

    @property
    def done(self) -> int:
        """Messages of the plan that were dealt with."""
        return self.sent + self.skipped

    @property
    def left(self) -> int:
        """Messages of the plan still to be sent."""
        return max(self.total - self.done, 0)

    @property
    def is_open(self) -> bool:
        """May anything still happen with it?"""
        return self.state in OPEN_STATES

    @transition(
        state,
        source=ReplayState.PLANNED,
        target=ReplayState.RUNNING,
        permission=may_operate,  # type: ignore[arg-type]  # asked about members, not users
    )
    def start(self, *, by: str, at: datetime) -> None:
        """Somebody looked at the plan and wants it carried out."""
        self.started_by, self.started_at = by, at

    @transition(
        state,
        source=ReplayState.RUNNING,
        target=ReplayState.PAUSED,
        permission=may_operate,  # type: ignore[arg-type]
    )
    def pause(self, *, by: str, at: datetime) -> None:
        """Nothing more is put into queues for now."""
        self.paused_by, self.paused_at, self.waits_for = by, at, ""

    @transition(
        state,
        source=ReplayState.PAUSED,
        target=ReplayState.RUNNING,
        permission=may_operate,  # type: ignore[arg-type]
    )
    def resume(self) -> None:
        """Go on where it was."""
        self.paused_by, self.paused_at = "", None

    @transition(
        state,
        source=list(OPEN_STATES),
        target=ReplayState.CANCELLED,
        permission=may_operate,  # type: ignore[arg-type]
    )
    def cancel(self, *, at: datetime) -> None:
        """The rest is not sent."""
        self.finished_at, self.waits_for = at, ""

    @transition(state, source=ReplayState.RUNNING, target=ReplayState.FINISHED)
    def finish(self, *, at: datetime) -> None:
        """Every message of the plan was dealt with."""
        self.finished_at, self.waits_for = at, ""


class ReplayItem(models.Model):
    """One message of a plan, in the order of the plan; `again` is the copy that was made of it."""

    replay = models.ForeignKey(Replay, models.CASCADE, related_name="items", db_index=False)
    copy = models.ForeignKey("connections.MessageCopy", models.CASCADE, related_name="replays")
    state = models.CharField(max_length=8, choices=ReplayItemState.choices, default=ReplayItemState.PLANNED)
    reason = models.CharField(max_length=32, blank=True)
    again = models.OneToOneField("connections.MessageCopy", models.SET_NULL, null=True, related_name="replay_item")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["replay", "copy"], name="replay_item_once"),
            models.CheckConstraint(condition=Q(state__in=ReplayItemState.values), name="replay_item_state_is_known"),
        ]
        indexes = [models.Index(fields=["replay", "state", "id"], name="replay_item_by_state")]

    def __str__(self) -> str:
        return f"{self.copy_id} of replay {self.replay_id}"
