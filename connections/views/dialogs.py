"""What every dialog does: show itself, say why it cannot, close when it did its work.

`show` and `said` serve dialogs that consist of a few sentences and a form, with one template; `dialog` and `done` those
of a connection record, each with a template of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.html import format_html

from connections.models import Connection
from connections.views.common import record_url
from vaultadmin.access import MemberRequest
from vaultadmin.answers import dialog_done, frame

CHANGED = "connection:changed"


def show(
    request: MemberRequest,
    *,
    title: str,
    cancel_url: str,
    sentences: Sequence[str] = (),
    form: Any = None,
    refusal: str = "",
    submit: str = "Save",
    danger: bool = False,
) -> HttpResponse:
    """The dialog; with a `refusal` only that sentence and no button."""
    context = {
        "frame": frame(request),
        "dialog_heading": title,
        "page_title": title,
        "sentences": sentences,
        "form": form,
        "refusal": refusal,
        "submit_label": submit,
        "danger": danger,
        "cancel_url": cancel_url,
    }
    return render(request, "connections/plain_dialog.html", context, status=_status(request, form, refusal))


def dialog(
    request: MemberRequest, name: str, connection: Connection, refusal: str, context: dict[str, Any]
) -> HttpResponse:
    """A dialog of a record, or why what it does is not possible now."""
    context |= {
        "connection": connection,
        "refusal": refusal,
        "frame": frame(request),
        "cancel_url": record_url(connection),
    }
    status = _status(request, context.get("form"), refusal)
    return render(request, f"connections/{name}.html", context, status=status)


def said(
    request: MemberRequest, sentence: str, *, fallback: str, event: str = CHANGED, link: tuple[str, str] | None = None
) -> HttpResponse:
    """It worked: htmx closes the dialog and refreshes what listens to `event`; a plain form goes to `fallback`.

    With a `link` (its words, its address) the sentence leads to what was made.
    """
    response = dialog_done(request, event, fallback=fallback, toast=sentence, link=link)
    if response.status_code != 204:
        shown = format_html('{} <a href="{}">{}</a>', sentence, link[1], link[0]) if link else sentence
        messages.success(request, shown)
    return response


def done(request: MemberRequest, connection: Connection, sentence: str) -> HttpResponse:
    """The dialog of a record worked: the record's page brings itself up to date."""
    return said(request, sentence, fallback=record_url(connection))


def _status(request: MemberRequest, form: Any, refusal: str) -> int:
    """422 for a refused form, 409 for a refused act."""
    if refusal and request.method == "POST":
        return 409
    return 422 if form is not None and form.errors else 200
