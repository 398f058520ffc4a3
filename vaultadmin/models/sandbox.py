"""Sandboxes: copies of a vault to try things out in, and what in each copy waits to be mended."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from vaultadmin.state_machine import StateMachine

REFRESH_EVERY = timedelta(hours=24)


class SandboxState(models.TextChoices):
    """`status` of a sandbox (veeva-core section 12.2)."""

    BUILDING = "building", "Building"
    ACTIVE = "active", "Active"
    FAILED = "failed", "Failed"


class SandboxQuerySet(models.QuerySet["Sandbox"]):
    """Sandbox rows."""

    def due(self, now: datetime) -> SandboxQuerySet:
        """Those to be built now that nobody is building."""
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        return self.filter(free, state=SandboxState.BUILDING).order_by("requested_at", "pk")


class Sandbox(StateMachine, models.Model):
    """One sandbox vault and the copying that fills it.

    While it is first built nobody is a member of the vault, so nobody sees half of one; a refresh replaces what is
    there in one transaction. People ask for a build, machines claim and settle it (architecture decision 3).
    """

    vault = models.OneToOneField("vaultadmin.Vault", models.CASCADE, primary_key=True, related_name="sandbox")
    source = models.ForeignKey("vaultadmin.Vault", models.PROTECT, related_name="+")
    state = FSMField("Status", choices=SandboxState.choices, default=SandboxState.BUILDING, protected=True)
    with_people = models.BooleanField("Copy people", default=True)
    requested_by = models.ForeignKey("vaultadmin.User", models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    built_at = models.DateTimeField("last built", null=True)
    refreshed_at = models.DateTimeField("last refreshed", null=True)
    is_refresh = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    step = models.PositiveSmallIntegerField(default=0)
    steps = models.PositiveSmallIntegerField(default=0)
    doing = models.CharField(max_length=64, blank=True)
    copied = models.JSONField(default=dict)
    error = models.CharField(max_length=255, blank=True)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

    objects = SandboxQuerySet.as_manager()

    class Meta:
        ordering = ["vault_id"]
        verbose_name_plural = "sandboxes"
        constraints = [
            models.CheckConstraint(condition=~Q(vault=models.F("source")), name="sandbox_is_not_its_own_source"),
            models.CheckConstraint(
                condition=~Q(state=SandboxState.ACTIVE) | Q(built_at__isnull=False), name="sandbox_active_was_built"
            ),
            models.CheckConstraint(
                condition=Q(lease_token__isnull=True, lease_until__isnull=True)
                | Q(lease_token__isnull=False, lease_until__isnull=False),
                name="sandbox_lease_has_an_end",
            ),
        ]
        indexes = [
            models.Index(fields=["requested_at"], name="sandbox_due", condition=Q(state=SandboxState.BUILDING)),
        ]

    def __str__(self) -> str:
        return str(self.vault)

    @property
    def is_building(self) -> bool:
        """Is a copy under way or waiting for a worker?"""
        return bool(self.state == SandboxState.BUILDING)

    def refresh_allowed_at(self) -> datetime | None:
        """From when it may be refreshed again; None when it never was."""
        return self.refreshed_at + REFRESH_EVERY if self.refreshed_at else None

    @transition(state, source=[SandboxState.ACTIVE, SandboxState.FAILED], target=SandboxState.BUILDING)
    def build_again(self) -> None:
        """A person asked for a refresh, or for another try."""


class SandboxLink(models.Model):
    """One thing of the source that does not work in the copy until somebody mends it there."""

    sandbox = models.ForeignKey(Sandbox, models.CASCADE, related_name="links")
    kind = models.CharField(max_length=32)
    subject_id = models.BigIntegerField()
    label = models.CharField(max_length=255)
    # What the source had, for whoever mends it; never a secret.
    note = models.CharField(max_length=2000, blank=True)

    class Meta:
        ordering = ["kind", "label", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["sandbox", "kind", "subject_id"], name="sandbox_link_once"),
        ]

    def __str__(self) -> str:
        return self.label
