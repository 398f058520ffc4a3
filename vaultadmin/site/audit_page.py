"""The audit trail as people read it: newest first, filtered, paged by key, downloadable."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from vaultadmin import exports
from vaultadmin.access import MemberRequest, fresh_credentials, requires
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission
from vaultadmin.query import PAGE, key_page, replaced_query
from vaultadmin.selectors import trail


@require_safe
@requires(Permission.ADMIN_AUDIT)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """One page of the vault's chain."""
    values = trail.asked(request.GET)
    context = key_page(_rows(request), request, column="sequence", size=PAGE) | {
        "values": values,
        "chips": [
            {"label": words, "url": replaced_query(request, **{name: "", "before": "", "after": ""})}
            for name, words in trail.chips(values)
        ],
        "clear_url": request.path,
        "has_filters": True,
        "page_title": "Audit",
    }
    return render(request, "site/audit.html", context)


@require_safe
@requires(Permission.ADMIN_AUDIT)
@fresh_credentials
def download(request: MemberRequest, vault_id: int) -> StreamingHttpResponse:
    """The filtered rows as CSV, streamed."""
    return exports.csv_response(f"audit-{vault_id}.csv", trail.COLUMNS, trail.lines(_rows(request)))


def _rows(request: MemberRequest) -> QuerySet[AuditEvent]:
    return trail.matching(AuditEvent.objects.filter(chain=request.member.vault_id), trail.asked(request.GET))
