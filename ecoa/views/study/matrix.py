"""The study team's home: every site of every study at one look."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from ecoa.models import StudyMapping
from ecoa.selectors import study as study_rows
from ecoa.sentences.study import cell_words, overall_sentence
from vaultadmin.access import MemberRequest
from vaultadmin.permissions import Permission, can
from vaultadmin.query import as_key, replaced_query

STATES = {
    study_rows.SILENT: "Silent",
    study_rows.ATTENTION: "Needs attention",
    study_rows.WAITING: "Waiting",
    study_rows.SYNCED: "All in eCOA",
}


def show(request: MemberRequest) -> HttpResponse:
    """The matrix, from the counters of the sites."""
    state, after, study = _asked(request)
    found = study_rows.matrix(request.member, state=state, after=after, study=study)
    context = {
        "matrix": found,
        "lines": [_line(line, found.studies) for line in found.lines],
        "sentence": overall_sentence(study_rows.overall(request.member)),
        "states": STATES,
        "state": state,
        "chips": _chips(request, state),
        "clear_url": request.path,
        "older_url": replaced_query(request, after=found.next_number) if found.next_number else "",
        "older_label": "More sites",
        "newer_url": replaced_query(request, after="") if after else "",
        "newer_label": "First sites",
        "studies_url": replaced_query(request, study=str(found.next_study), after="") if found.next_study else "",
        "first_studies_url": replaced_query(request, study="", after="") if study else "",
        "may_manage": can(request.member, Permission.ECOA_MANAGE),
        "tab": "matrix",
        "page_title": "Studies and sites",
    }
    return render(request, "ecoa/study/matrix.html", context)


def _line(line: study_rows.Line, studies: list[StudyMapping]) -> dict[str, Any]:
    cells = [
        None if cell is None else {"cell": cell, "words": cell_words(cell), "study": study}
        for cell, study in zip(line.cells, studies, strict=True)
    ]
    return {"number": line.number, "name": line.name, "cells": cells}


def _asked(request: MemberRequest) -> tuple[str, str, int]:
    state, after, study = (request.GET.get(name, "")[:255].replace("\x00", "") for name in ("state", "after", "study"))
    return state if state in STATES else "", after, as_key(study) or 0


def _chips(request: MemberRequest, state: str) -> list[dict[str, str]]:
    return [{"label": STATES[state], "url": replaced_query(request, state="", after="")}] if state else []
