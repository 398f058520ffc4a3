"""The history of one record: every change with before and after, filtered, and a copy to take away.

The copy comes as CSV for people and as JSON for machines (21 CFR 11.10(b)); the JSON holds the record as it is now,
and each row with its place and hash in the vault's chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from vaultadmin import audit, clock, exports, registries
from vaultadmin.access import Gate, MemberRequest, fresh_credentials, requires
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission, can
from vaultadmin.query import PAGE, key_page, replaced_query
from vaultadmin.registries import Recorded
from vaultadmin.selectors import trail


@dataclass(frozen=True)
class _Subject:
    """A record, or what the trail remembers of one that is gone or that an auditor may not open."""

    kind: Recorded
    record: Model | None
    label: str
    rows: QuerySet[AuditEvent]
    is_gone: bool = False


@require_safe
@requires(Gate.MEMBER)
def index(request: MemberRequest, vault_id: int, kind: str, key: str) -> HttpResponse:
    """One page of the record's rows, newest first."""
    subject, values = _subject_or_404(request, kind, key), trail.asked(request.GET)
    rows = trail.matching(subject.rows, values)
    context = key_page(rows, request, column="sequence", size=PAGE) | {
        "subject": subject,
        "back_url": subject.kind.url(request.member, subject.record) if subject.record else "",
        "download_url": reverse("vault:history-download", args=[vault_id, kind, key]),
        "values": values,
        "chips": [
            {"label": words, "url": replaced_query(request, **{name: "", "before": "", "after": ""})}
            for name, words in trail.chips(values)
        ],
        "clear_url": request.path,
        "has_filters": True,
        "page_title": f"History of {subject.label}",
    }
    return render(request, "site/history.html", context)


@require_safe
@requires(Gate.MEMBER)
@fresh_credentials
def download(request: MemberRequest, vault_id: int, kind: str, key: str) -> HttpResponseBase:
    """The filtered rows as CSV, or with `?format=json` the record and its rows as one document."""
    subject = _subject_or_404(request, kind, key)
    rows = trail.matching(subject.rows, trail.asked(request.GET))
    name = f"history-{kind}-{key}"
    if request.GET.get("format") == "json":
        answer = JsonResponse(_document(request, subject, rows), json_dumps_params={"ensure_ascii": False, "indent": 1})
        answer["Content-Disposition"] = f'attachment; filename="{exports.safe_name(name)}.json"'
        return answer
    return exports.csv_response(f"{name}.csv", trail.COLUMNS, trail.lines(rows))


def _subject_or_404(request: MemberRequest, name: str, key: str) -> _Subject:
    """The record of this address if the member may see it; auditors read about every other one, gone or not."""
    kind = registries.recorded.get(name)
    if kind is None:
        raise Http404
    record = kind.find(request.member, key)
    if record is not None:
        return _Subject(kind, record, str(record), audit.history(record, *kind.parts(record)))
    chain = audit.INSTALLATION_CHAIN if kind.installation_wide else request.member.vault_id
    rows = AuditEvent.objects.filter(chain=chain, subject_type=kind.model._meta.label_lower, subject_id=key)
    last = rows.order_by("-sequence").first()
    if last is None or not can(request.member, Permission.ADMIN_AUDIT):
        raise Http404
    is_gone = registries.by_number(kind.model._default_manager.all(), key) is None
    return _Subject(kind, None, last.subject_label, rows, is_gone)


def _document(request: MemberRequest, subject: _Subject, rows: QuerySet[AuditEvent]) -> dict[str, Any]:
    now, vault = clock.now(), request.member.vault
    return {
        "record": audit.facts(subject.record, subject.kind.fields) if subject.record else None,
        "label": subject.label,
        "type": subject.kind.model._meta.label_lower,
        "vault": {"id": vault.pk, "name": vault.name},
        "copied_at": now.isoformat(),
        "copied_by": str(request.member.user.name),
        "rows": [_row(row) for row in rows.order_by("-sequence")[: trail.MOST_EXPORTED]],
    }


def _row(row: AuditEvent) -> dict[str, Any]:
    return {
        "sequence": row.sequence,
        "at": row.at.isoformat(),
        "actor": row.actor,
        "event": row.event,
        "subject": {"type": row.subject_type, "id": row.subject_id, "label": row.subject_label},
        "changes": {name: {"before": before, "after": after} for name, (before, after) in row.changes.items()},
        "reason": row.reason,
        "source_ip": row.source_ip,
        "request_id": row.request_id,
        "in_bulk": row.in_bulk,
        "hash": bytes(row.hash).hex(),
    }
