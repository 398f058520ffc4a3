"""A set-up of a real eCOA system while people are at it: what was answered so far, and what the test said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ecoa.contract import DEFAULT_VERSION
from ecoa.models.study_mapping import IDENTIFIER
from vaultadmin.permissions import Permission, can

if TYPE_CHECKING:
    from vaultadmin.models import Membership

DEFAULT_URL = "https://sponsors.myveeva.com/"


class SetUpState(models.TextChoices):
    """Where a set-up is. Nothing outside of it exists before it is finished."""

    OPEN = "open", _("Being set up")
    FINISHED = "finished", _("Finished")
    DISCARDED = "discarded", _("Discarded")


class TestState(models.TextChoices):
    """Where the test of a set-up is."""

    NONE = "", _("Not tested")
    QUEUED = "queued", _("Waiting for a worker")
    RUNNING = "running", _("Running")
    PASSED = "passed", _("Passed")
    FAILED = "failed", _("Failed")


class SetUpQuerySet(models.QuerySet["SetUp"]):
    """Set-up rows."""

    def visible_to(self, member: Membership) -> SetUpQuerySet:
        """Those who manage eCOA go on with each other's set-ups."""
        if can(member, Permission.ECOA_MANAGE):
            return self.filter(vault=member.vault_id)
        return self.none()


class SetUp(models.Model):
    """One attempt to reach a MyVeeva system. Finishing it makes authorization, connection, mapping and sites at once.

    With `connection` an existing External connection is used and neither URL nor credentials are asked for. `steps`
    holds what the test noted: name, outcome, code, milliseconds. `tested` is a digest of the answers it was made with.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="ecoa_set_ups")
    state = models.CharField(max_length=9, choices=SetUpState.choices, default=SetUpState.OPEN)
    name = models.CharField(_("study name"), max_length=128)
    external_study_id = models.CharField(_("study ID"), max_length=255, validators=[IDENTIFIER])
    site_numbers = ArrayField(models.CharField(max_length=255), verbose_name=_("sites"), default=list)
    connection = models.ForeignKey(
        "connections.Connection", models.SET_NULL, null=True, related_name="+", verbose_name=_("connection")
    )
    base_url = models.CharField(_("base URL"), max_length=500, default=DEFAULT_URL)
    api_version = models.CharField(_("API version"), max_length=16, default=DEFAULT_VERSION)
    system_id = models.CharField(_("system ID"), max_length=255, blank=True)
    tenant_id = models.CharField(_("tenant ID"), max_length=255, blank=True)
    secret = models.OneToOneField("vaultadmin.Secret", models.SET_NULL, null=True, related_name="+")
    mapping = models.ForeignKey("ecoa.StudyMapping", models.SET_NULL, null=True, related_name="+")
    started_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    test_state = models.CharField(max_length=8, choices=TestState.choices, default=TestState.NONE, blank=True)
    steps = models.JSONField(default=list)
    tested = models.CharField(max_length=64, blank=True)
    tested_at = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    tries = models.SmallIntegerField(default=0, db_default=0)

    objects = SetUpQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open") | Q(secret__isnull=True), name="set_up_keeps_no_secret_when_over"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(test_state__in=["queued", "running"]), name="set_up_to_test"),
        ]

    def __str__(self) -> str:
        return f"Set-up of {self.name}"
