"""The create wizard. Its state travels in the form, so that it works without JavaScript and in several tabs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from connections.constants import ConnectionType
from connections.forms.creating import FORMS, TypeForm
from connections.models import Connection
from connections.services import creating, names
from connections.services.refusals import Refused
from connections.views.common import TYPE_CARDS, add_refusal, list_url, record_url, warn_of_tokens
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission

STEPS = ["Connection Type", "Details", "Review"]
TYPE, DETAILS, REVIEW = 1, 2, 3
CREATE: dict[str, Callable[..., Connection]] = {
    ConnectionType.VAULT_TO_VAULT.value: creating.create_vault_to_vault,
    ConnectionType.EXTERNAL.value: creating.create_external,
    ConnectionType.LOCAL.value: creating.create_local,
}


@require_http_methods(["GET", "POST"])
@requires(Permission.CONNECTION_CREATE)
def create(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Three steps; every post says which step it comes from and where it wants to go."""
    if request.method == "GET":
        return _show_type(request, TypeForm(initial={"connection_type": request.GET.get("type", "")}))
    type_form = TypeForm(request.POST)
    if not type_form.is_valid():
        return _show_type(request, type_form, status=422)
    step, go = request.POST.get("step", ""), request.POST.get("go", "continue")
    form_class = FORMS[type_form.cleaned_data["connection_type"]]
    if step == "type":
        started = "name" in request.POST
        form = form_class(request.POST if started else None, member=request.member)
        return _show_details(request, _unjudged(form, form_class, request) if started else form)
    if step == "details" and go == "back":
        return _show_type(request, type_form)
    if step == "review" and go == "back":
        return _show_details(request, form_class(request.POST, member=request.member))
    return _judge(request, form_class(request.POST, member=request.member), save=step == "review")


def _judge(request: MemberRequest, form: Any, *, save: bool) -> HttpResponse:
    if form.is_valid():
        try:
            if save:
                return _save(request, form)
            names.check(request.member.vault, form.cleaned_data["api_name"], standard=False)
        except Refused as refusal:
            add_refusal(form, refusal)
    if form.errors:
        return _show_details(request, form, status=422)
    return _show(request, REVIEW, form, review=_review(form))


def _save(request: MemberRequest, form: Any) -> HttpResponse:
    make = CREATE[form.connection_type.value]
    connection = make(by=request.member, now=clock.now(), **form.values())
    messages.success(request, f"{connection} was created.")
    warn_of_tokens(request, connection)
    return redirect(record_url(connection))


def _unjudged(form: Any, form_class: Any, request: MemberRequest) -> Any:
    """What was typed before going back to the first step, without complaints about what is still missing."""
    typed = {name: request.POST.get(name, "") for name in form.fields if name in request.POST}
    return form_class(member=request.member, initial=typed)


def _review(form: Any) -> list[dict[str, Any]]:
    return [{"label": bound.label, "value": form.cleaned_data[bound.name]} for bound in form.visible_fields()]


def _show_type(request: MemberRequest, form: TypeForm, *, status: int = 200) -> HttpResponse:
    typed = [
        (name, value)
        for name, value in request.POST.items()
        if name not in ("connection_type", "step", "go", "csrfmiddlewaretoken")
    ]
    return _show(request, TYPE, form, status=status, typed=typed)


def _show_details(request: MemberRequest, form: Any, *, status: int = 200) -> HttpResponse:
    return _show(request, DETAILS, form, status=status)


def _show(request: MemberRequest, step: int, form: Any, *, status: int = 200, **more: Any) -> HttpResponse:
    chosen = getattr(form, "connection_type", None)
    context = {
        "form": form,
        "step": step,
        "steps": STEPS,
        "type_cards": TYPE_CARDS,
        "chosen": chosen,
        "pending": chosen == ConnectionType.VAULT_TO_VAULT,
        "list_url": list_url(request),
        "page_title": "Create connection",
        **more,
    }
    return render(request, "connections/create.html", context, status=status)
