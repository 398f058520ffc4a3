"""Change reference lookups: add, edit, switch, delete."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from connections.constants import LookupType, RecordStatus
from connections.forms.integrations import StatusForm
from connections.forms.lookups import AddLookupForm, ChooseTypeForm, EditLookupForm
from connections.models import ReferenceLookup
from connections.selectors import lookups as selectors
from connections.services import lookups
from connections.services.refusals import Refused
from connections.views.common import add_refusal, lookup_or_404, lookup_url
from connections.views.dialogs import said, show
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import go

TYPE_CARDS = [
    {
        "value": LookupType.OBJECT.value,
        "label": LookupType.OBJECT.label,
        "icon": "cube",
        "text": "The value becomes a record of an object, found by one of its fields.",
    },
    {
        "value": LookupType.PICKLIST.value,
        "label": LookupType.PICKLIST.label,
        "icon": "list-check",
        "text": "The value becomes an entry of a picklist.",
    },
    {
        "value": LookupType.GENERIC.value,
        "label": LookupType.GENERIC.label,
        "icon": "tags",
        "text": "Anything else, for example where the kinds of the two fields differ.",
    },
]


@require_http_methods(["GET", "POST"])
@requires(*lookups.MANAGERS)
def add(request: MemberRequest, vault_id: int) -> HttpResponse:
    """First the connection and the type (`?connection=&type=`), then the keys; *Save and add another* stays here."""
    homes = selectors.homes(request.member)
    choice = ChooseTypeForm(request.GET, homes=homes)
    if not choice.is_valid():
        if not request.GET.get("type"):
            # Nothing was chosen yet, so nothing is wrong yet either.
            choice = ChooseTypeForm(initial={"connection": request.GET.get("connection", "")}, homes=homes)
        return _form(request, choice, "Add reference lookup", type_cards=TYPE_CARDS)
    connection, type_ = choice.cleaned_data["connection"], choice.cleaned_data["type"]
    initial = {"name": request.GET.get("name", "")[:128]}
    form = AddLookupForm(request.POST if request.method == "POST" else None, type_=type_, initial=initial)
    if form.is_valid():
        try:
            made = lookups.add(
                connection=connection, type=type_, by=request.member, now=clock.now(), **form.cleaned_data
            )
        except Refused as error:
            add_refusal(form, error)
        else:
            messages.success(request, f"{made.source_key} now stands for {made.target_key} in {made.name}.")
            return redirect(_next(request, made))
    return _form(request, form, f"Add {LookupType(type_).label} lookup", connection=connection)


@require_http_methods(["GET", "POST"])
@requires(*lookups.MANAGERS)
def edit(request: MemberRequest, vault_id: int, lookup_id: int) -> HttpResponse:
    """Change the keys of a row."""
    lookup = lookup_or_404(request, lookup_id)
    form = EditLookupForm(request.POST if request.method == "POST" else None, lookup=lookup)
    if form.is_valid():
        try:
            lookups.edit(lookup=lookup, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            return said(request, "The lookup was saved.", fallback=lookup_url(lookup))
    sentences = [f"{lookup.name} of {lookup.connection}: messages that arrive from now on are translated this way."]
    return show(request, title="Edit lookup", sentences=sentences, form=form, cancel_url=lookup_url(lookup))


@require_POST
@requires(*lookups.MANAGERS)
def status(request: MemberRequest, vault_id: int, lookup_id: int) -> HttpResponse:
    """Let the row translate or not; `status` is what is wanted, so pressing twice does not switch back."""
    lookup, form = lookup_or_404(request, lookup_id), StatusForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("The Status is Active or Inactive.")
    wanted = form.cleaned_data["status"]
    try:
        lookups.set_status(lookup=lookup, status=wanted, by=request.member, now=clock.now())
    except Refused as error:
        return show(request, title="Change status", refusal=str(error), cancel_url=_list_url(vault_id))
    return said(request, f"The lookup is now {RecordStatus(wanted).label}.", fallback=lookup_url(lookup))


@require_http_methods(["GET", "POST"])
@requires(*lookups.MANAGERS)
def delete(request: MemberRequest, vault_id: int, lookup_id: int) -> HttpResponse:
    """Delete a row."""
    lookup = lookup_or_404(request, lookup_id)
    if request.method == "POST":
        lookups.delete(lookup=lookup, by=request.member)
        messages.success(request, f"{lookup} was deleted.")
        return go(request, _list_url(vault_id))
    return show(
        request,
        title="Delete lookup",
        sentences=[
            f"{lookup.name} no longer translates “{lookup.source_key}”; messages with that value become errors.",
            "This cannot be undone. To leave it out for a while, set its Status to Inactive instead.",
        ],
        submit="Delete",
        danger=True,
        cancel_url=lookup_url(lookup),
    )


def _list_url(vault_id: int) -> str:
    return reverse("connections:lookups", args=[vault_id])


def _next(request: MemberRequest, made: ReferenceLookup) -> str:
    """Where *Save* leads: the lookup's rows, or with *Save and add another* the same form for the next row."""
    query = QueryDict(mutable=True)
    query.update({"connection": made.connection.api_name, "type": made.type, "name": made.name})
    route = "lookup-add" if "another" in request.POST else "lookups"
    return f"{reverse(f'connections:{route}', args=[made.vault_id])}?{query.urlencode()}"


def _form(request: MemberRequest, form: Any, title: str, **more: Any) -> HttpResponse:
    context = {"form": form, "cancel_url": _list_url(request.member.vault_id), "page_title": title, **more}
    return render(request, "connections/lookup_form.html", context, status=422 if form.errors else 200)
