"""The reconciliation report: local against eCOA as of the newest read-backs, on a page and to take away."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from ecoa.models import DiscrepancyKind, Participant, StudyMapping
from ecoa.selectors import drift as drift_rows
from ecoa.selectors import mappings as mapping_rows
from ecoa.selectors import sites as site_rows
from ecoa.services import reconciling
from ecoa.views.mappings import find
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.exports import csv_response
from vaultadmin.permissions import Permission
from vaultadmin.query import as_key, key_page, onward

_PAGE = 100
_COLUMNS = (
    "Study",
    "Site",
    "Participant ID",
    "Participant ID in eCOA",
    "Internal ID",
    "MyVeeva participant ID",
    "State",
    "Result",
    "Read back at (UTC)",
    "Confirmed at (UTC)",
    "Discrepancy",
)


@require_safe
@requires(Permission.ECOA_STUDY_TEAM)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """All studies, each with its sums."""
    page = key_page(mapping_rows.mappings(request.member), request, column="id", size=20)
    totals = drift_rows.totals_by_mapping(page["rows"])
    page["rows"] = [(mapping, totals[mapping.pk]) for mapping in page["rows"]]
    return render(request, "ecoa/drift/reconciliations.html", {**page, "page_title": "Reconciliation"})


@require_safe
@requires(Permission.ECOA_STUDY_TEAM)
def detail(request: MemberRequest, vault_id: int, mapping_id: int) -> HttpResponse:
    """One study, site by site."""
    mapping = find(request, mapping_id)
    rows = site_rows.sites_after(request.member, as_key(request.GET.get("after", "")))
    found = list(rows.filter(mapping=mapping).select_related("reading")[: _PAGE + 1])
    context = {
        **onward(request, found, size=_PAGE),
        "mapping": mapping,
        "totals": drift_rows.totals(mapping),
        "rows": drift_rows.heat(found[:_PAGE]),
        "page_title": f"Reconciliation of {mapping.name}",
    }
    return render(request, "ecoa/drift/reconciliation.html", context)


@require_POST
@requires(Permission.ECOA_STUDY_TEAM)
def download(request: MemberRequest, vault_id: int, mapping_id: int) -> HttpResponseBase:
    """Every participant with what eCOA held at the newest read-back. A POST, because it is recorded."""
    mapping = find(request, mapping_id)
    now = clock.now()
    reconciling.record_download(mapping, by=request.member, totals=drift_rows.totals(mapping))
    rows = drift_rows.reconciled_participants(request.member, mapping)
    name = f"reconciliation {mapping.external_study_id} {now:%Y-%m-%dT%H%MZ}.csv"
    return csv_response(name, _COLUMNS, _lines(mapping, rows))


def _lines(mapping: StudyMapping, rows: Iterator[Participant]) -> Iterator[list[str]]:
    for row in rows:
        read = getattr(row, "read_back", None)
        standing = getattr(row, "standing", None)
        yield [
            mapping.external_study_id,
            row.site.number,
            row.participant_id,
            read.their_value if read is not None else "",
            row.internal_id,
            row.my_veeva_participant_id,
            row.get_status_display(),
            "Never read" if read is None else "Matched" if read.agrees else "Differs",
            f"{read.read_at:%Y-%m-%d %H:%M:%S}" if read is not None else "",
            f"{read.confirmed_at:%Y-%m-%d %H:%M:%S}" if read is not None and read.confirmed_at else "",
            str(DiscrepancyKind(standing).label) if standing else "",
        ]
