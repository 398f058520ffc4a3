"""Which column of a file is which: chosen for an uploaded file, and the choices saved for files like it."""

from __future__ import annotations

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ecoa.forms.files import ColumnsForm, SavedColumnsForm
from ecoa.models import ColumnMapping, FileImport, ImportState
from ecoa.selectors import files as file_rows
from ecoa.services import choosing, importing, seeing
from ecoa.services.refusals import Refused
from ecoa.views import dialogs
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import go
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.permissions import Permission
from vaultadmin.query import PAGE, key_page

_methods = require_http_methods(["GET", "POST"])


@_methods
@requires(Permission.ECOA_MANAGE)
def choose(request: MemberRequest, vault_id: int, file_id: int) -> HttpResponse:
    """*Which column is which?* for one uploaded file."""
    file = file_rows.files(request.member).filter(pk=file_id).first()
    if file is None:
        raise Http404
    if file.state not in (ImportState.MAPPING, ImportState.READY):
        return HttpResponseRedirect(reverse("ecoa:file", args=[vault_id, file.pk]))
    form = ColumnsForm(dialogs.posted(request), heading=file.heading, initial=file.columns or {})
    if request.method == "POST" and form.is_valid():
        try:
            name = form.cleaned_data["name"]
            importing.choose_columns(file, choice=form.choice, save_as=name, by=request.member, now=clock.now())
        except Refused as refusal:
            form.add_error(refusal.field or None, str(refusal))
        else:
            return go(request, reverse("ecoa:file", args=[vault_id, file.pk]))
    seeing.note(file, what="participant_file", by=request.member, now=clock.now())
    context = {"file": file, "form": form, "table": _sample(file), "page_title": "Which column is which?"}
    return render(request, "ecoa/columns.html", context, status=422 if form.errors else 200)


@require_safe
@requires(Permission.ECOA_MANAGE)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Saved columns of every study, newest first."""
    page = key_page(file_rows.column_mappings(request.member), request, column="id", size=PAGE)
    return render(request, "ecoa/saved_columns.html", {**page, "page_title": "Saved columns"})


@_methods
@requires(Permission.ECOA_MANAGE)
def edit(request: MemberRequest, vault_id: int, columns_id: int) -> HttpResponse:
    """*Edit saved columns*."""
    saved = _saved(request, columns_id)
    values = {name: getattr(saved, name) for name in ("name", "site", "participant_id", "internal_id")}
    form = SavedColumnsForm(dialogs.posted(request), heading=saved.heading, initial=values)
    back = reverse("ecoa:columns", args=[vault_id])
    says = dialogs.Says(
        "Edit saved columns",
        "Files uploaded from now on are read like this. Files that were read already stay as they are.",
        "Save",
        back,
    )

    def act() -> str:
        choosing.edit(saved, name=form.cleaned_data["name"], choice=form.choice, by=request.member)
        return back

    return dialogs.run(request, form, says, act)


@_methods
@requires(Permission.ECOA_MANAGE)
def delete(request: MemberRequest, vault_id: int, columns_id: int) -> HttpResponse:
    """*Delete saved columns*."""
    saved = _saved(request, columns_id)
    back = reverse("ecoa:columns", args=[vault_id])
    says = dialogs.Says(
        f"Delete {saved}",
        "Files with this first row are asked about again if their headings tell too little. Files that were read "
        "already stay as they are.",
        "Delete",
        back,
        danger=True,
    )

    def act() -> str:
        choosing.forget(saved, by=request.member)
        return back

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)


def _sample(file: FileImport) -> list[tuple[str, list[str]]]:
    """Each column with what stands in its first rows: one line a column reads well on a phone, too."""
    return [
        (text or "—", [row[place] for row in file.sample if place < len(row) and row[place]])
        for place, text in enumerate(file.heading)
    ]


def _saved(request: MemberRequest, columns_id: int) -> ColumnMapping:
    found = file_rows.column_mappings(request.member).filter(pk=columns_id).first()
    if found is None:
        raise Http404
    return found
