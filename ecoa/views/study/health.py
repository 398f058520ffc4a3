"""Sync health over time: what became of participants per day, as a sentence, a chart and a table."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ecoa.models import StudyMapping, SyncDay
from ecoa.selectors import mappings as mapping_rows
from ecoa.selectors import study as study_rows
from ecoa.selectors.study import COUNTERS, Period
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.exports import csv_response
from vaultadmin.permissions import Permission
from vaultadmin.query import as_key, replaced_query

PERIODS = (7, 30, 90)
_DEFAULT = 30
_STUDIES = 200
_LABELS = {name: str(SyncDay._meta.get_field(name).verbose_name) for name in COUNTERS}  # type: ignore[union-attr]
# What went well and what went wrong differ by orders of magnitude, so each has a panel of its own.
_PANELS = {"sent": "Participants", "confirmed": "Participants"}
_TROUBLE = "Trouble"


@require_safe
@requires(Permission.ECOA_STUDY_TEAM)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """The last days of one study or of all."""
    number, mapping = _asked(request)
    period = _period(request, mapping, number)
    context = {
        "period": period,
        "number": number,
        "choices": [{"number": days, "url": replaced_query(request, days=str(days))} for days in PERIODS],
        "studies": list(mapping_rows.mappings(request.member).order_by("name", "pk")[:_STUDIES]),
        "study": mapping.pk if mapping else 0,
        "columns": [{"label": _LABELS[name], "panel": _PANELS.get(name, _TROUBLE)} for name in COUNTERS],
        "rows": [_row(day) for day in reversed(period.days)],
        "totals": [{"label": _LABELS[name], "value": f"{period.totals[name]:,}"} for name in COUNTERS],
        "text": _sentence(period, number),
        "chart_label": f"Participants per day over the last {number} days",
        "tab": "health",
        "page_title": "Sync health",
    }
    return render(request, "ecoa/study/health.html", context)


@require_safe
@requires(Permission.ECOA_STUDY_TEAM)
def download(request: MemberRequest, vault_id: int) -> HttpResponseBase:
    """The days of the shown period, oldest first."""
    number, mapping = _asked(request)
    days = _period(request, mapping, number).days
    lines = [[day.date.isoformat(), *(str(getattr(day, name)) for name in COUNTERS)] for day in days]
    name = f"eCOA sync health {mapping.name if mapping else 'all studies'} {days[-1].date.isoformat()}.csv"
    return csv_response(name, ["day", *COUNTERS], lines)


def _period(request: MemberRequest, mapping: StudyMapping | None, number: int) -> Period:
    today = clock.now().date()
    return study_rows.health(request.member, mapping=mapping.pk if mapping else 0, today=today, number=number)


def _asked(request: MemberRequest) -> tuple[int, StudyMapping | None]:
    days, study = request.GET.get("days", ""), request.GET.get("study", "")
    number = int(days) if days in map(str, PERIODS) else _DEFAULT
    key = as_key(study)
    if key is None:
        return number, None
    mapping = mapping_rows.mappings(request.member).filter(pk=key).first()
    if mapping is None:
        raise Http404
    return number, mapping


def _row(day: SyncDay) -> dict[str, Any]:
    cells = [{"label": _LABELS[name], "value": getattr(day, name)} for name in COUNTERS]
    return {"day": day.date.isoformat(), "cells": cells}


def _sentence(period: Period, number: int) -> str:
    """What the chart shows, in words."""
    totals, worst = period.totals, period.worst
    text = (
        f"In the last {number} days {totals['sent']:,} tries reached eCOA and {totals['confirmed']:,} participants "
        "were confirmed."
    )
    if worst is None:
        return f"{text} Every outcome is known, and none was refused."
    return (
        f"{text} {totals['rejected']:,} were not accepted, and the outcome of {totals['unknown']:,} was not known at "
        f"first; most of them on {worst.date:%Y-%m-%d} ({worst.rejected + worst.unknown:,})."
    )
