"""Evidence reports as people handle them: ask, cancel, download. `ecoa.reports.making` does the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from ecoa.models import EvidenceReport, ReportFormat, ReportPart, ReportState, Site
from ecoa.services.actors import label_of, member_of
from ecoa.services.refusals import Refused
from vaultadmin import audit, wake
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, PermissionRefused, ensure

LANE = "ecoa.report"
KEPT = timedelta(days=7)
MOST_OPEN = 10


def ask(*, site: Site, by: Membership, now: datetime) -> EvidenceReport:
    """Ask for a report of a site; a worker makes it. One that waits already is answered with itself."""
    if by.vault_id != site.vault_id:
        raise PermissionRefused(Permission.ECOA_STUDY_TEAM)
    ensure(by, Permission.ECOA_STUDY_TEAM)
    with transaction.atomic():
        # Whoever asks at the same moment waits here, and then finds this one.
        Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        waiting = EvidenceReport.objects.filter(site=site, state=ReportState.QUEUED).first()
        if waiting is not None:
            return waiting
        opened = EvidenceReport.objects.filter(vault=site.vault_id, state__in=["queued", "building"])
        if len(opened.values_list("pk")[:MOST_OPEN]) == MOST_OPEN:
            raise Refused(f"{MOST_OPEN} reports are being made already. Ask again when one is ready.")
        report = EvidenceReport.objects.create(
            vault=site.vault, site=site, asked_by=member_of(by), asked_by_label=label_of(by), asked_at=now
        )
        changes: audit.Changes = {"site": (None, str(site))}
        audit.record(vault=site.vault, by=by, event="evidence_report.asked", subject=report, changes=changes)
        wake.wake(LANE, report_id=report.pk)
    return report


def cancel(report: EvidenceReport, *, by: Membership, now: datetime) -> None:
    """Stop a report; what was made of it so far goes."""
    ensure(by, Permission.ECOA_STUDY_TEAM)
    with transaction.atomic():
        locked = EvidenceReport.objects.select_for_update().get(pk=report.pk, vault=by.vault_id)
        if not locked.is_open:
            raise Refused("This report is over already.")
        locked.state, locked.finished_at, locked.expires_at = ReportState.CANCELLED, now, now + KEPT
        locked.lease_token = locked.lease_until = None
        locked.save()
        locked.parts.all().delete()
        audit.record(vault=by.vault, by=by, event="evidence_report.cancelled", subject=locked)


def open_download(report: EvidenceReport, *, format: str, by: Membership) -> Iterator[bytes]:
    """The bytes of one format, piece by piece. The download stands in the trail before the first byte leaves."""
    ensure(by, Permission.ECOA_STUDY_TEAM)
    with transaction.atomic():
        locked = EvidenceReport.objects.select_for_update(no_key=True).get(pk=report.pk, vault=by.vault_id)
        numbers = list(locked.parts.filter(format=format).order_by("number").values_list("number", flat=True))
        if locked.state != ReportState.DONE or not numbers:
            raise Refused("This file is not kept any more. Make the report again.")
        changes: audit.Changes = {"file": (None, ReportFormat(format).label), "SHA-256": (None, locked.sha256)}
        audit.record(vault=by.vault, by=by, event="evidence_report.downloaded", subject=locked, changes=changes)
    return (_piece(report.pk, format, number) for number in numbers)


def tidy(*, now: datetime) -> int:
    """Drop reports that are past their time; returns how many."""
    over = EvidenceReport.objects.filter(expires_at__lte=now)
    return over.delete()[1].get("ecoa.EvidenceReport", 0)


def wake_unfinished(*, now: datetime) -> None:
    """Nudge a worker for every report nobody is making."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    rows = EvidenceReport.objects.filter(free, state__in=["queued", "building"]).order_by("asked_at")
    for pk in rows.values_list("pk", flat=True)[:MOST_OPEN]:
        wake.wake(LANE, report_id=pk)


def _piece(report: int, format: str, number: int) -> bytes:
    content = ReportPart.objects.values_list("content", flat=True).get(report=report, format=format, number=number)
    return bytes(content)
