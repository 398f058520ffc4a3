"""Dialogs that consist of a few sentences and a form: one template, one way to show them, one way to end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render

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
    """The dialog; with a `refusal` only that sentence and no button. 422 for a refused form, 409 for a refused act."""
    status = 422 if form is not None and form.errors else 200
    if refusal and request.method == "POST":
        status = 409
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
    return render(request, "connections/plain_dialog.html", context, status=status)


def done(request: MemberRequest, sentence: str, *, fallback: str, event: str = CHANGED) -> HttpResponse:
    """It worked: htmx closes the dialog and refreshes what listens to `event`; a plain form goes to `fallback`."""
    response = dialog_done(request, event, fallback=fallback, toast=sentence)
    if response.status_code != 204:
        messages.success(request, sentence)
    return response
