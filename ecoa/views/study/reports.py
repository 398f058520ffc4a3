"""Evidence reports: ask for one, see how far it is, take it away."""

from __future__ import annotations

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ecoa.models import EvidenceReport, ReportFormat
from ecoa.selectors import study as study_rows
from ecoa.services import reports as services
from ecoa.services.refusals import Refused
from ecoa.views import dialogs
from ecoa.views.study.rhythm import find as find_site
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.exports import safe_name
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.permissions import Permission
from vaultadmin.query import PAGE, key_page

_TYPES = {
    ReportFormat.CSV: "text/csv; charset=utf-8",
    ReportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ReportFormat.PDF: "application/pdf",
}


@require_safe
@requires(Permission.ECOA_STUDY_TEAM)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """All reports that are kept, newest first."""
    page = key_page(study_rows.reports(request.member), request, column="id", size=PAGE)
    polled = any(report.is_open for report in page["rows"])
    context = {**page, "poll": "3s" if polled else "", "tab": "reports", "page_title": "Evidence reports"}
    return render(request, "ecoa/study/reports.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.ECOA_STUDY_TEAM)
def ask(request: MemberRequest, vault_id: int, site_id: int) -> HttpResponse:
    """*Make evidence report*."""
    site = find_site(request, site_id)
    back = reverse("ecoa:site", args=[vault_id, site.mapping.external_study_id, site.number])
    says = dialogs.Says(
        f"Evidence report of site {site.number}",
        "It lists every participant of this site, when it was first sent, and when a read-back confirmed it. A worker "
        f"makes it as CSV, XLSX and PDF; it is kept for {services.KEPT.days} days, and each download is recorded.",
        "Make report",
        back,
    )

    def act() -> str:
        report = services.ask(site=site, by=request.member, now=clock.now())
        return reverse("ecoa:report", args=[vault_id, report.pk])

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)


@require_safe
@requires(Permission.ECOA_STUDY_TEAM)
def detail(request: MemberRequest, vault_id: int, report_id: int) -> HttpResponse:
    """One report: progress while it is made, then its files."""
    report = find(request, report_id)
    files = [(format.value, format.label) for format in ReportFormat] if report.state == "done" else []
    context = {"report": report, "files": files, "page_title": str(report)}
    return render(request, "ecoa/study/report.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.ECOA_STUDY_TEAM)
def cancel(request: MemberRequest, vault_id: int, report_id: int) -> HttpResponse:
    """*Cancel report*."""
    report = find(request, report_id)
    back = reverse("ecoa:report", args=[vault_id, report.pk])
    says = dialogs.Says(
        "Cancel this report", "What was made of it so far goes. You can ask again.", "Cancel report", back
    )

    def act() -> str:
        services.cancel(report, by=request.member, now=clock.now())
        return back

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)


@require_POST
@requires(Permission.ECOA_STUDY_TEAM)
def download(request: MemberRequest, vault_id: int, report_id: int, format: str) -> HttpResponseBase:
    """One file of a report. A POST, because it is recorded."""
    report = find(request, report_id)
    if format not in ReportFormat.values:
        raise Http404
    try:
        pieces = services.open_download(report, format=format, by=request.member)
    except Refused as refusal:
        context = {"report": report, "refusal": str(refusal), "page_title": str(report)}
        return render(request, "ecoa/study/report.html", context, status=409)
    name = f"Evidence report {report.site.number} {report.taken_at:%Y-%m-%d %H%M} UTC.{format}"
    response = StreamingHttpResponse(pieces, content_type=_TYPES[ReportFormat(format)])
    response["Content-Disposition"] = content_disposition_header(True, safe_name(name)) or "attachment"
    response["Cache-Control"] = "no-store, private"
    return response


def find(request: MemberRequest, report_id: int) -> EvidenceReport:
    """A report this member sees, else 404."""
    found = study_rows.reports(request.member).filter(pk=report_id).first()
    if found is None:
        raise Http404
    return found
