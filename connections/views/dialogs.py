"""What every dialog of a record does: show itself, say why it cannot, close when it did its work."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render

from connections.models import Connection
from connections.views.common import record_url
from vaultadmin.access import MemberRequest
from vaultadmin.answers import dialog_done, frame

CHANGED = "connection:changed"


def dialog(
    request: MemberRequest, name: str, connection: Connection, refusal: str, context: dict[str, Any]
) -> HttpResponse:
    """A dialog, or why what it does is not possible now: 409 when it was tried."""
    form = context.get("form")
    status = 422 if form is not None and form.errors else 200
    if refusal and request.method == "POST":
        status = 409
    context |= {
        "connection": connection,
        "refusal": refusal,
        "frame": frame(request),
        "cancel_url": record_url(connection),
    }
    return render(request, f"connections/{name}.html", context, status=status)


def done(request: MemberRequest, connection: Connection, sentence: str) -> HttpResponse:
    """The dialog closes, the page brings itself up to date, and the sentence is said."""
    response = dialog_done(request, CHANGED, fallback=record_url(connection), toast=sentence)
    if response.status_code != 204:
        messages.success(request, sentence)
    return response
