"""The audit trail as people read it: newest first, filtered, paged by key, downloadable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from vaultadmin import exports
from vaultadmin.access import MemberRequest, fresh_credentials, requires
from vaultadmin.models import AuditEvent, Membership
from vaultadmin.permissions import Permission
from vaultadmin.query import key_page, replaced_query

_PAGE = 50
_MOST_EXPORTED = 100_000
_FILTERS = {"event": "event__startswith", "actor": "actor__icontains", "subject": "subject_label__icontains"}
_COLUMNS = ["sequence", "at", "actor", "event", "subject_type", "subject_label", "changes", "reason", "source_ip"]


@require_safe
@requires(Permission.ADMIN_AUDIT)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """One page of the vault's chain."""
    page = key_page(_rows(request.member, request.GET), request, column="sequence", size=_PAGE)
    values = {name: request.GET.get(name, "") for name in _FILTERS}
    chips = [
        {"label": f"{name}: {value}", "url": replaced_query(request, **{name: "", "before": "", "after": ""})}
        for name, value in values.items()
        if value
    ]
    context: dict[str, Any] = {
        **page,
        "values": values,
        "chips": chips,
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
    rows = _rows(request.member, request.GET).order_by("-sequence")[:_MOST_EXPORTED]
    return exports.csv_response(f"audit-{vault_id}.csv", _COLUMNS, _lines(rows))


def _rows(member: Membership, asked: Any) -> QuerySet[AuditEvent]:
    rows = AuditEvent.objects.filter(chain=member.vault_id)
    for name, lookup in _FILTERS.items():
        if value := asked.get(name, "").strip().replace("\x00", "")[:100]:
            rows = rows.filter(**{lookup: _event_name(value) if name == "event" else value})
    return rows


def _event_name(words: str) -> str:
    """What people read as "Connection file used" is stored as connection_file.used; a beginning is enough."""
    return words if "." in words or "_" in words else words.lower().replace(" ", "_")


def _lines(rows: QuerySet[AuditEvent]) -> Iterator[list[str]]:
    for row in rows.iterator(chunk_size=2000):
        changes = "; ".join(f"{name}: {old} → {new}" for name, (old, new) in row.changes.items())
        yield [
            str(row.sequence),
            row.at.isoformat(),
            row.actor,
            row.event,
            row.subject_type,
            row.subject_label,
            changes,
            row.reason,
            row.source_ip,
        ]
