"""Making a report: lease the row, read the site once, write the three formats, keep them in pieces.

A worker that dies leaves a lease that lapses; the next one starts over. Whoever lost the lease writes nothing more.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import IO, TypeVar
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, Q

from ecoa.models import EvidenceReport, ReportFormat, ReportPart, ReportState
from ecoa.reports import content, pdf, sheets
from ecoa.services.reports import KEPT
from vaultadmin import audit, claims, clock

logger = structlog.get_logger(__name__)
ACTOR = audit.System("eCOA evidence reports")
LEASE = timedelta(minutes=3)
TRIES = 3
_Result = TypeVar("_Result")
_PIECE = 1_048_576
_STEP = 5_000


class LeaseLost(Exception):
    """Somebody cancelled the report, or another worker makes it now."""


def work(*, report_id: int) -> bool:
    """Make one report; False when it is not ours to make."""
    now = clock.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    rows = EvidenceReport.objects.filter(free, pk=report_id, state__in=["queued", "building"])
    claim = claims.claim(rows, limit=1, lease=LEASE, now=now, state=ReportState.BUILDING, tries=F("tries") + 1)
    if not claim:
        return False
    report = EvidenceReport.objects.select_related("site__mapping", "vault").get(pk=report_id)
    if report.tries > TRIES:
        _give_up(report, claim.token)
        return False
    try:
        _make(report, claim.token)
    except LeaseLost:
        logger.info("evidence_report_left", report=report_id)
        return False
    return True


def _make(report: EvidenceReport, token: UUID) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="report-") as folder,
        tempfile.TemporaryFile("w+", dir=folder, encoding="utf-8") as spooled,
    ):
        taken_at = clock.now()
        with transaction.atomic():
            rows = content.spool(report.site, spooled)
        _note(report, token, rows=rows, total=rows * len(ReportFormat), done=0, taken_at=taken_at)
        report.parts.all().delete()
        progress = _Progress(report, token)
        sha256 = _write(report, ReportFormat.CSV, folder, lambda into: sheets.write_csv(progress.of(spooled), into))
        heading = _heading(report, rows, taken_at, sha256)
        _write(
            report,
            ReportFormat.XLSX,
            folder,
            lambda into: sheets.write_xlsx(progress.of(spooled), heading, into, folder=folder),
        )
        _write(report, ReportFormat.PDF, folder, lambda into: pdf.write_pdf(progress.of(spooled), heading, into))
    _finish(report, token, sha256)


def _heading(report: EvidenceReport, rows: int, taken_at: datetime, sha256: str) -> content.Heading:
    mapping = report.site.mapping
    return content.Heading(
        study=mapping.name,
        study_id=mapping.external_study_id,
        site=str(report.site),
        taken_at=taken_at,
        by=report.asked_by_label,
        rows=rows,
        sha256=sha256,
    )


class _Progress:
    """Counts the lines that were written and keeps the lease, every few thousand of them."""

    def __init__(self, report: EvidenceReport, token: UUID) -> None:
        self._report, self._token, self._done = report, token, 0

    def of(self, spooled: IO[str]) -> Iterator[list[str]]:
        for line in content.lines(spooled):
            yield line
            self._done += 1
            if self._done % _STEP == 0:
                _note(self._report, self._token, done=self._done)


def _write(report: EvidenceReport, format: ReportFormat, folder: str, write: Callable[[IO[bytes]], _Result]) -> _Result:
    """Let a format be written into a file, and keep its bytes in pieces."""
    with tempfile.TemporaryFile("w+b", dir=folder) as into:
        result = write(into)
        into.seek(0)
        for number, piece in enumerate(_pieces(into)):
            ReportPart.objects.create(report=report, format=format, number=number, content=piece)
    return result


def _pieces(file: IO[bytes]) -> Iterable[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def _note(report: EvidenceReport, token: UUID, **sets: object) -> None:
    until: datetime = clock.now() + LEASE
    rows = EvidenceReport.objects.filter(pk=report.pk, lease_token=token)
    if not rows.update(lease_until=until, **sets):
        raise LeaseLost


def _finish(report: EvidenceReport, token: UUID, sha256: str) -> None:
    now = clock.now()
    with transaction.atomic():
        rows = EvidenceReport.objects.filter(pk=report.pk)
        ours = claims.settle(
            rows,
            token=token,
            state=ReportState.DONE,
            finished_at=now,
            expires_at=now + KEPT,
            sha256=sha256,
            done=F("total"),
        )
        if not ours:
            raise LeaseLost
        changes: audit.Changes = {"state": ("building", "done"), "SHA-256": (None, sha256)}
        audit.record(vault=report.vault, by=ACTOR, event="evidence_report.made", subject=report, changes=changes)


def _give_up(report: EvidenceReport, token: UUID) -> None:
    now = clock.now()
    problem = f"It was begun {TRIES} times and no worker could finish it. Ask an operator to look at the logs."
    with transaction.atomic():
        rows = EvidenceReport.objects.filter(pk=report.pk)
        sets = {"state": ReportState.FAILED, "finished_at": now, "expires_at": now + KEPT, "problem": problem}
        if claims.settle(rows, token=token, **sets):
            report.parts.all().delete()
            changes: audit.Changes = {"state": ("building", "failed")}
            audit.record(vault=report.vault, by=ACTOR, event="evidence_report.failed", subject=report, changes=changes)
