"""The one shape of our dialogs: say what will happen, do it, go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import render

from ecoa.services.refusals import Refused
from vaultadmin.access import MemberRequest
from vaultadmin.answers import frame, go


@dataclass(frozen=True)
class Says:
    """What a dialog says: title, text, the button, and where Cancel leads without JavaScript."""

    title: str
    text: str
    button: str
    cancel_url: str
    danger: bool = False


def run(
    request: MemberRequest, form: forms.BaseForm, says: Says, act: Callable[[], str], *, done: str = ""
) -> HttpResponse:
    """Show the dialog; on a good form run `act`, which returns the address to go to. A refusal shows the form again."""
    if request.method == "POST" and form.is_valid():
        try:
            url = act()
        except Refused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            if done:
                messages.success(request, done)
            return go(request, url)
    return draw(request, form, says)


def draw(request: MemberRequest, form: forms.BaseForm, says: Says, *, impossible: str = "") -> HttpResponse:
    """The dialog as it is now: 422 with what is wrong in its form, or with a sentence why it cannot be done at all."""
    context = {
        "impossible": impossible,
        "form": form,
        "says": says,
        "frame": frame(request),
        "cancel_url": says.cancel_url,
        "danger": says.danger,
        "page_title": says.title,
    }
    refused = impossible and request.method == "POST"
    return render(request, "ecoa/dialog.html", context, status=409 if refused else 422 if form.errors else 200)


def posted(request: MemberRequest) -> QueryDict | None:
    """The posted data for a form, None when the form is only shown."""
    return request.POST if request.method == "POST" else None
