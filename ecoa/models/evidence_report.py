"""Evidence reports: one site's participants as a file, made once by a worker and kept for some days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from vaultadmin.permissions import Permission, can

if TYPE_CHECKING:
    from vaultadmin.models import Membership


class ReportState(models.TextChoices):
    """Where a report is."""

    QUEUED = "queued", _("Waiting for a worker")
    BUILDING = "building", _("Being made")
    DONE = "done", _("Ready to download")
    FAILED = "failed", _("Could not be made")
    CANCELLED = "cancelled", _("Cancelled")


class ReportFormat(models.TextChoices):
    """The files of one report; all say the same."""

    CSV = "csv", "CSV"
    XLSX = "xlsx", "XLSX"
    PDF = "pdf", "PDF"


class EvidenceReportQuerySet(models.QuerySet["EvidenceReport"]):
    """Report rows."""

    def visible_to(self, member: Membership) -> EvidenceReportQuerySet:
        """Reports are for the study team."""
        if can(member, Permission.ECOA_STUDY_TEAM):
            return self.filter(vault=member.vault_id)
        return self.none()


class EvidenceReport(models.Model):
    """One site as it was at `taken_at`; `sha256` is the hash of the content, which every format carries.

    `done` counts lines written, over all formats; `total` is what there is to write, known once the rows were read.
    """

    vault = models.ForeignKey("vaultadmin.Vault", models.CASCADE, related_name="evidence_reports")
    site = models.ForeignKey("ecoa.Site", models.CASCADE, related_name="reports")
    state = models.CharField(max_length=9, choices=ReportState.choices, default=ReportState.QUEUED)
    asked_by = models.ForeignKey("vaultadmin.Membership", models.PROTECT, null=True, related_name="+")
    asked_by_label = models.CharField(max_length=255)
    asked_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    rows = models.BigIntegerField(default=0)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=255, blank=True)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

    objects = EvidenceReportQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["vault", "-id"], name="evidence_report_newest"),
            models.Index(
                fields=["asked_at"], condition=Q(state__in=["queued", "building"]), name="evidence_report_unfinished"
            ),
        ]

    def __str__(self) -> str:
        return f"Evidence report {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state in (ReportState.QUEUED, ReportState.BUILDING)

    @property
    def left(self) -> int:
        return max(self.total - self.done, 0)


class ReportPart(models.Model):
    """A piece of one format's bytes; in the database, so that any web process can hand it out."""

    report = models.ForeignKey("ecoa.EvidenceReport", models.CASCADE, related_name="parts", db_index=False)
    format = models.CharField(max_length=4, choices=ReportFormat.choices)
    number = models.IntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ["report", "format", "number"]
        constraints = [
            models.UniqueConstraint(fields=["report", "format", "number"], name="report_part_once"),
        ]

    def __str__(self) -> str:
        return f"Part {self.number} of {self.get_format_display()}"
