"""Lists of discrepancies, and the card of one with both values side by side."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from ecoa.models import Discrepancy, DiscrepancyKind, DiscrepancyState, Evidence, Participant, Remedy
from ecoa.selectors import drift as drift_rows
from ecoa.services import remedies, seeing
from ecoa.views import live
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission
from vaultadmin.query import PAGE, key_page, replaced_query

_SHOWN = 20


@require_safe
@requires(Permission.ECOA_STUDY_TEAM)
def conflicts(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Conflicts: two values stand against each other, and nothing is sent before a person decides."""
    kind = DiscrepancyKind.CONFLICT.value
    return _list(request, {"kind": kind}, title="Conflicts", route="ecoa:conflicts", fixed="kind")


@require_safe
@requires(Permission.ECOA_STUDY_TEAM)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """All discrepancies, newest first."""
    return _list(request, {}, title="Discrepancies", route="ecoa:discrepancies", fixed="")


@require_safe
@requires(Permission.ECOA_STUDY_TEAM)
def card(request: MemberRequest, vault_id: int, discrepancy_id: int) -> HttpResponse:
    """One discrepancy, live: ours, eCOA's, who holds it, the calls that prove it, and what can be decided."""
    row = find(request, discrepancy_id)
    seeing.note(row, what="discrepancy", by=request.member, now=clock.now())
    holder, asked = drift_rows.holder(row), drift_rows.evidence(row.participant) if row.participant is not None else []
    newest = asked[0].pk if asked else 0
    stamp = f"{row.state}-{row.stamp}-{row.run_id}-{newest}-{holder.pk if holder is not None else 0}"
    return live.answer(request, stamp, lambda: _card(request, row, holder, asked))


def _card(request: MemberRequest, row: Discrepancy, holder: Participant | None, asked: list[Evidence]) -> HttpResponse:
    plans = [remedies.plan([row], remedy) for remedy in Remedy]
    participant = row.participant
    context = {
        "row": row,
        "holder": holder,
        "remedies": [(plan.remedy.label, plan.reason_why_not) for plan in plans],
        "evidence": asked,
        "events": list(seeing.deeds(participant if participant is not None else row.site)[:_SHOWN]),
        "decide_url": _decide_url(row.vault_id, id=str(row.pk)),
        "page_title": str(row),
    }
    return render(request, "ecoa/drift/card.html", context)


def find(request: MemberRequest, discrepancy_id: int) -> Discrepancy:
    """A discrepancy this member sees, else 404."""
    found = drift_rows.discrepancies(request.member).filter(pk=discrepancy_id).first()
    if found is None:
        raise Http404
    return found


def _decide_url(vault_id: int, **query: str) -> str:
    return f"{reverse('ecoa:decide', args=[vault_id])}?{urlencode(query)}"


def _list(request: MemberRequest, preset: dict[str, str], *, title: str, route: str, fixed: str) -> HttpResponse:
    asked = drift_rows.asked(request.GET.dict()) | preset
    seeing.note(request.member.vault, what="discrepancies", by=request.member, now=clock.now())
    rows: QuerySet[Discrepancy] = drift_rows.filtered(drift_rows.discrepancies(request.member), asked)
    page = key_page(rows, request, column="pk", size=PAGE)
    wanted = {name: value for name, value in asked.items() if value}
    context: dict[str, Any] = {
        **page,
        "asked": asked,
        "fixed": fixed,
        "kinds": DiscrepancyKind.choices,
        "states": DiscrepancyState.choices,
        "has_filters": True,
        "chips": _chips(request, asked, fixed),
        "clear_url": request.path,
        "decide_url": reverse("ecoa:decide", args=[request.member.vault_id]),
        "all_url": _decide_url(request.member.vault_id, all="1", **wanted),
        "page_title": title,
    }
    return render(request, "ecoa/drift/list.html", context)


def _chips(request: MemberRequest, asked: dict[str, str], fixed: str) -> list[dict[str, str]]:
    words = {"study": "Study", "site": "Site"}
    labels: dict[str, dict[str, Any]] = {
        "kind": dict(DiscrepancyKind.choices),
        "state": {**dict(DiscrepancyState.choices), "all": "Every state"},
    }
    return [
        {
            "label": str(labels[name].get(value, value)) if name in labels else f"{words[name]} {value}",
            "url": replaced_query(request, **{name: "", "before": "", "after": ""}),
        }
        for name, value in asked.items()
        if value and name != fixed
    ]
