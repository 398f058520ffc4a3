"""Participant files: upload, preview, import."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ecoa.forms.files import UploadForm
from ecoa.imports.problems import sentence
from ecoa.models import FileImport, FileRow, ImportState, Scope
from ecoa.selectors import files as file_rows
from ecoa.services import importing, runs, seeing
from ecoa.services.refusals import Refused
from ecoa.views import dialogs, live
from vaultadmin import clock, exports
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import go
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.permissions import Permission
from vaultadmin.query import PAGE, as_key, key_page, onward

# As a participant file has them, so that the corrected file can be uploaded as it is.
_COLUMNS = ("line", "site", "participantId", "internalId", "why")


@require_http_methods(["GET", "POST"])
@requires(Permission.ECOA_MANAGE)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Upload a file, and the files so far."""
    form = UploadForm(dialogs.posted(request), request.FILES or None, member=request.member)
    if request.method == "POST" and form.is_valid():
        try:
            received = _receive(request, form)
        except Refused as refusal:
            form.add_error(refusal.field or None, str(refusal))
        else:
            name = "ecoa:file-columns" if received.state == ImportState.MAPPING else "ecoa:file"
            return go(request, reverse(name, args=[vault_id, received.pk]))
    page = key_page(file_rows.files(request.member), request, column="id", size=PAGE)
    context = {**page, "form": form, "page_title": "Import participants"}
    return render(request, "ecoa/import.html", context, status=422 if form.errors else 200)


@require_safe
@requires(Permission.ECOA_MANAGE)
def detail(request: MemberRequest, vault_id: int, file_id: int) -> HttpResponse:
    """The preview, then the progress, then what came of it."""
    file = _file(request, file_id)
    stamp = f"{file.state}-{file.stored}-{file.skipped}"
    return live.answer(request, stamp, lambda: _page(request, file))


@require_safe
@requires(Permission.ECOA_MANAGE)
def problems(request: MemberRequest, vault_id: int, file_id: int) -> HttpResponseBase:
    """The rows that cannot be imported, each with its reason, as a file to correct."""
    file = _file(request, file_id)
    seeing.note(file, what="participant_file", by=request.member, now=clock.now())
    return exports.csv_response(f"{file.file_name} - not imported.csv", _COLUMNS, _lines(file))


@require_POST
@requires(Permission.ECOA_MANAGE)
def confirm(request: MemberRequest, vault_id: int, file_id: int) -> HttpResponse:
    """*Import*, and on wish send at once."""
    file = _file(request, file_id)
    url = reverse("ecoa:file", args=[vault_id, file.pk])
    try:
        file = importing.confirm(file, by=request.member, now=clock.now())
        if file.state == ImportState.DONE and "send" in request.POST:
            run = runs.plan(mapping=file.mapping, scope=Scope.FILE, file=file, by=request.member, now=clock.now())
            url = reverse("ecoa:run", args=[vault_id, run.pk])
    except Refused as refusal:
        messages.error(request, str(refusal))
    return HttpResponseRedirect(url)


@require_http_methods(["GET", "POST"])
@requires(Permission.ECOA_MANAGE)
def discard(request: MemberRequest, vault_id: int, file_id: int) -> HttpResponse:
    """*Discard file*."""
    file = _file(request, file_id)
    says = dialogs.Says(
        "Discard file",
        "Nothing of this file has been stored. It cannot be imported afterwards without uploading it again.",
        "Discard",
        reverse("ecoa:file", args=[vault_id, file.pk]),
        danger=True,
    )

    def act() -> str:
        importing.discard(file, by=request.member, now=clock.now())
        return reverse("ecoa:import", args=[vault_id])

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)


def _lines(file: FileImport) -> Iterator[list[str]]:
    for row in file_rows.all_problem_rows(file):
        why = " ".join(sentence(problem) for problem in row.problems or [])
        yield [str(row.line), row.site, row.participant_id, row.internal_id, why]


def _receive(request: MemberRequest, form: UploadForm) -> FileImport:
    uploaded = form.cleaned_data["file"]
    return importing.receive(
        mapping=form.cleaned_data["mapping"],
        file=uploaded.file,
        name=uploaded.name,
        by=request.member,
        now=clock.now(),
    )


def _file(request: MemberRequest, file_id: int) -> FileImport:
    found = file_rows.files(request.member).filter(pk=file_id).first()
    if found is None:
        raise Http404
    return found


def _page(request: MemberRequest, file: FileImport) -> HttpResponse:
    rows = file_rows.problem_rows(file, after=as_key(request.GET.get("after", "")) or 0)
    seeing.note(file, what="participant_file", by=request.member, now=clock.now())
    context: dict[str, Any] = {
        **onward(request, rows, key="line"),
        "file": file,
        "problems": [_problem(row) for row in rows[:PAGE]],
        "samples": file_rows.sample_rows(file) if file.state == ImportState.READY else [],
        "working": file.state in (ImportState.CHECKING, ImportState.STORING),
        "handled": file.stored + file.skipped,
        "run": file.runs.order_by("-pk").first(),
        "page_title": file.file_name,
    }
    return render(request, "ecoa/file.html", context)


def _problem(row: FileRow) -> dict[str, Any]:
    return {"row": row, "sentences": [sentence(problem) for problem in row.problems or []]}
