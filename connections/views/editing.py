"""Inline edit: a section of the record page turns into its form and back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from connections.forms.editing import REMOTE, SECTIONS
from connections.models import Connection
from connections.services import editing
from connections.services.refusals import Refused
from connections.views.common import add_refusal, record_or_404, record_url, warn_of_tokens
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import go, is_fragment
from vaultadmin.permissions import Permission

TITLES = {"details": "Details", "remote": "Remote Vault Details"}


@require_http_methods(["GET", "POST"])
@requires(Permission.CONNECTION_EDIT)
def edit(request: MemberRequest, vault_id: int, api_name: str, section: str) -> HttpResponse:
    """One section's form; saved, it leads back to the record under its present API Name."""
    connection = record_or_404(request, api_name)
    if section == REMOTE and not connection.is_vault_to_vault:
        raise Http404
    data = request.POST if request.method == "POST" else None
    form = SECTIONS[section](data, connection=connection, member=request.member)
    if form.is_valid() and not getattr(form, "warning", ""):
        saved = _save(request, connection, form)
        if saved is not None:
            messages.success(request, f"{saved} was saved.")
            warn_of_tokens(request, saved)
            return go(request, record_url(saved))
    context = {
        "form": form,
        "connection": connection,
        "section": section,
        "section_title": TITLES[section],
        "frame": "connections/_edit_fragment.html" if is_fragment(request) else "connections/edit_page.html",
        "action": record_url(connection, f"edit-{section}"),
        "cancel_url": record_url(connection),
        "page_title": f"Edit {connection}",
    }
    return render(request, "connections/edit.html", context, status=422 if request.method == "POST" else 200)


def _save(request: MemberRequest, connection: Connection, form: Any) -> Connection | None:
    try:
        return editing.edit(
            connection=connection,
            changes=form.changes(),
            by=request.member,
            now=clock.now(),
            seen=form.cleaned_data["seen"],
            secret=form.cleaned_data.get("secret", ""),
        )
    except Refused as refusal:
        add_refusal(form, refusal)
        return None
