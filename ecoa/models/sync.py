"""SyncRun and SyncItem: a frozen plan of what to send, and the rows workers lease to carry it out."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from vaultadmin.permissions import Permission, can
from vaultadmin.state_machine import StateMachine

if TYPE_CHECKING:
    from vaultadmin.models import Membership


class RunState(models.TextChoices):
    """Where a run is. People plan, pause, resume and cancel; the engine starts and finishes.

    A queued run waits for the open one of its study and is not open itself; participants may still join it.
    """

    QUEUED = "queued", _("Queued")
    PLANNED = "planned", _("Planned")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    FINISHED = "finished", _("Finished")
    CANCELLED = "cancelled", _("Cancelled")


OPEN_STATES = (RunState.PLANNED, RunState.RUNNING, RunState.PAUSED)
FINISHED_WITH_FAILURES = "finished_with_failures"


class Scope(models.TextChoices):
    """Which participants a run takes."""

    INCREMENTAL = "incremental", _("What changed or is not in eCOA yet")
    ALL = "all", _("Everything")
    CHOSEN = "chosen", _("Chosen participants")
    FILE = "file", _("Participants of one file")
    RETRY = "retry", _("What an earlier run could not bring over")
    DOUBT = "doubt", _("What is not known yet: eCOA is asked")
    CORRECTION = "correction", _("Signed corrections, each read back")
    ARRIVED = "arrived", _("What arrived or changed")


class ItemState(models.TextChoices):
    """What became of one planned participant. An item with a due time is still being worked on."""

    WAITING = "waiting", _("Waiting")
    SYNCED = "synced", _("In eCOA")
    REJECTED = "rejected", _("Not accepted")
    UNKNOWN = "unknown", _("Not known")
    CANCELLED = "cancelled", _("Not sent")


def may_manage(_run: SyncRun, member: Membership) -> bool:
    """Runs are planned, paused and cancelled by those who manage eCOA."""
    return can(member, Permission.ECOA_MANAGE)


class SyncRunQuerySet(models.QuerySet["SyncRun"]):
    """Run rows."""

    def visible_to(self, member: Membership) -> SyncRunQuerySet:
        """Runs span sites, so only those who may see all of them see runs."""
        if can(member, Permission.ECOA_STUDY_TEAM):
            return self.filter(vault=member.vault_id)
        return self.none()

    def open(self) -> SyncRunQuerySet:
        """Runs that are not over."""
        return self.filter(state__in=OPEN_STATES)


class SyncRun(StateMachine, models.Model):
    """One journey of planned participants to eCOA. Its counters are kept by whoever settles items, never counted."""

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="sync_runs")
    mapping = models.ForeignKey("ecoa.StudyMapping", models.PROTECT, related_name="runs", verbose_name=_("study"))
    scope = models.CharField(max_length=16, choices=Scope.choices)
    chosen = ArrayField(models.BigIntegerField(), null=True, editable=False)
    file = models.ForeignKey("ecoa.FileImport", models.PROTECT, null=True, related_name="runs")
    retry_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="retries")
    state = FSMField(default=RunState.PLANNED, choices=RunState.choices, protected=True)
    started_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, null=True, related_name="+")
    starter_label = models.CharField(max_length=255)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    paused_by_label = models.CharField(max_length=255, blank=True, db_default="")
    silent_since = models.DateTimeField(null=True)
    # eCOA asked us to come back: until when we wait, and how many seconds it asked for (we wait a bounded time only).
    held_until = models.DateTimeField(null=True)
    held_asked = models.BigIntegerField(default=0, db_default=0)
    total = models.BigIntegerField(default=0)
    synced = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    unknown = models.BigIntegerField(default=0)
    dropped = models.BigIntegerField(default=0)
    confirmed = models.BigIntegerField(default=0, db_default=0)

    objects = SyncRunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["mapping"], condition=Q(state__in=["planned", "running", "paused"]), name="sync_run_one_open"
            ),
            models.UniqueConstraint(fields=["mapping"], condition=Q(state="queued"), name="sync_run_one_queued"),
        ]
        indexes = [models.Index(fields=["vault", "-id"], name="sync_run_newest")]

    def __str__(self) -> str:
        return f"Run {self.pk}"

    @transition(state, source=RunState.QUEUED, target=RunState.PLANNED)
    def move_up(self) -> None:
        """The run before it is over."""

    @transition(state, source=RunState.PLANNED, target=RunState.RUNNING)
    def start(self, *, total: int, at: datetime) -> None:
        """The plan is frozen; items may be worked off."""
        self.total, self.started_at = total, at

    @transition(
        state,
        source=RunState.RUNNING,
        target=RunState.PAUSED,
        permission=may_manage,  # type: ignore[arg-type]  # asked about members, not users
    )
    def pause(self, *, by: str, at: datetime) -> None:
        """Nothing more is sent until somebody resumes it; what is on its way ends first."""
        self.paused_at, self.paused_by_label = at, by

    @transition(
        state,
        source=RunState.PAUSED,
        target=RunState.RUNNING,
        permission=may_manage,  # type: ignore[arg-type]  # asked about members, not users
    )
    def resume(self) -> None:
        """It goes on where it was. How long eCOA had been silent before the pause no longer counts."""
        self.paused_at, self.paused_by_label, self.silent_since = None, "", None

    @transition(state, source=list(OPEN_STATES), target=RunState.FINISHED)
    def finish(self, *, at: datetime) -> None:
        """Every planned participant has an outcome."""
        self.finished_at = at

    @transition(
        state,
        source=[RunState.QUEUED, *OPEN_STATES],
        target=RunState.CANCELLED,
        permission=may_manage,  # type: ignore[arg-type]  # asked about members, not users
    )
    def cancel(self, *, at: datetime) -> None:
        """A person stopped it, and nothing is on its way any more."""
        self.finished_at = at

    @property
    def done(self) -> int:
        return self.synced + self.rejected + self.unknown + self.dropped

    @property
    def left(self) -> int:
        return max(self.total - self.done, 0)

    @property
    def is_queued(self) -> bool:
        """Does it wait for the run before it?"""
        return bool(self.state == RunState.QUEUED)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def look(self) -> str:
        """The state as people should see it: a run that ended with somebody missing does not look like a clean one."""
        failed = self.state == RunState.FINISHED and self.synced < self.total
        return FINISHED_WITH_FAILURES if failed else str(self.state)

    @property
    def look_label(self) -> str:
        """The words of `look`."""
        failed = self.look == FINISHED_WITH_FAILURES
        return str(_("Finished with failures")) if failed else str(RunState(self.state).label)


class RunReason(models.Model):
    """How many items of a run ended in one way for one reason, kept by whoever settles them, never counted.

    Together with the run's totals this is plan against result; a reason that fell to 0 has no row on a page.
    """

    run = models.ForeignKey("ecoa.SyncRun", models.CASCADE, related_name="reasons", db_index=False)
    state = models.CharField(max_length=9, choices=ItemState.choices)
    code = models.CharField(max_length=32, blank=True)
    amount = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "state", "code"], name="run_reason_once")]

    def __str__(self) -> str:
        return f"{self.amount} {self.state} {self.code}".strip()


class SyncItem(models.Model):
    """One participant of a frozen plan: the value and version as they were when the plan was made.

    `due_at` is null exactly when the item is over. A row with a lease belongs to one worker until `lease_until`.
    """

    run = models.ForeignKey("ecoa.SyncRun", models.CASCADE, related_name="items", db_index=False)
    participant = models.ForeignKey("ecoa.Participant", models.CASCADE, related_name="items")
    site_number = models.CharField(max_length=255)
    value = models.CharField(max_length=255)
    internal_id = models.CharField(max_length=255)
    version = models.IntegerField()
    state = models.CharField(max_length=9, choices=ItemState.choices, default=ItemState.WAITING)
    doubtful = models.BooleanField(default=False, help_text="An earlier try may have landed: ask before sending.")
    # Set where a person cancelled after the try in doubt: eCOA is asked, and nothing is sent.
    ask_only = models.BooleanField(default=False, db_default=False)
    due_at = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(default=0)
    crashes = models.SmallIntegerField(default=0)
    code = models.CharField(max_length=32, blank=True)
    read_back = models.BooleanField(default=False)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "participant"], name="sync_item_once_per_run"),
            models.CheckConstraint(
                condition=Q(lease_token__isnull=True, lease_until__isnull=True)
                | Q(lease_token__isnull=False, lease_until__isnull=False, due_at__isnull=False),
                name="sync_item_lease_whole",
            ),
        ]
        indexes = [
            # What the lanes claim from, in the order they claim: only rows nobody holds and that are not over. A plan's
            # rows are all due at the same moment, so without the id each claim would sort all that is left.
            models.Index(
                fields=["run", "crashes", "due_at", "id"],
                condition=Q(due_at__isnull=False, lease_token__isnull=True),
                name="sync_item_claim_order",
            ),
            models.Index(fields=["lease_until"], condition=Q(lease_token__isnull=False), name="sync_item_leased"),
            models.Index(fields=["lease_token"], condition=Q(lease_token__isnull=False), name="sync_item_token"),
            models.Index(
                fields=["run", "id"],
                condition=Q(due_at__isnull=True, state__in=["rejected", "unknown"]),
                name="sync_item_failed",
            ),
        ]

    def __str__(self) -> str:
        return self.value
