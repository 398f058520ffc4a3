"""The set-up of a real eCOA system, step by step. Each step has its address, so it can be left and gone on with."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ecoa.forms.set_up import CredentialsForm, StudyForm
from ecoa.models import SetUp, SetUpState, TestState
from ecoa.services import set_ups as services
from ecoa.services.refusals import Refused
from ecoa.set_up import sheet as sheets
from ecoa.set_up.meanings import meaning_of
from ecoa.set_up.testing import MOST_SITES
from ecoa.views import dialogs
from vaultadmin import clock
from vaultadmin.access import MemberRequest, fresh_credentials, requires
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.outbound import outgoing
from vaultadmin.permissions import Permission
from vaultadmin.query import key_page

STEPS = ["Study", "Sheet", "Credentials", "Test", "Finish"]
_NAMES = {
    "discover": "Find the region",
    "authorize": "Sign in",
    "read": "Read",
    "credentials": "Open the secret",
    "test": "Test",
}
_methods = require_http_methods(["GET", "POST"])


@require_safe
@requires(Permission.ECOA_MANAGE)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Set-ups under way to go on with, and those that are over."""
    rows = SetUp.objects.visible_to(request.member).select_related("started_by__user", "mapping")
    page = key_page(rows, request, column="id", size=50)
    return render(request, "ecoa/set_up/list.html", {**page, "page_title": "Set up eCOA"})


@_methods
@requires(Permission.ECOA_MANAGE)
def start(request: MemberRequest, vault_id: int) -> HttpResponse:
    """The first step of a new set-up."""
    form = StudyForm(dialogs.posted(request), member=request.member)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.start(by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            _add(form, refusal)
        else:
            return redirect("ecoa:set-up-sheet", vault_id, made.pk)
    missing = services.missing_permissions(request.member)
    return _show(request, None, 1, "study", form=form, missing=missing)


@_methods
@requires(Permission.ECOA_MANAGE)
def study(request: MemberRequest, vault_id: int, set_up_id: int) -> HttpResponse:
    """The first step again."""
    found = find(request, set_up_id)
    form = StudyForm(dialogs.posted(request), member=request.member, initial=StudyForm.initial_of(found))
    if request.method == "POST" and form.is_valid():
        try:
            services.change_study(found, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as refusal:
            _add(form, refusal)
        else:
            return redirect("ecoa:set-up-sheet", vault_id, found.pk)
    return _show(request, found, 1, "study", form=form)


@_methods
@requires(Permission.ECOA_MANAGE)
def sheet(request: MemberRequest, vault_id: int, set_up_id: int) -> HttpResponse:
    """What the project team will ask, to print or to mail; a POST mails it to whoever asks."""
    found = find(request, set_up_id)
    form = ConfirmForm(dialogs.posted(request))
    if request.method == "POST":
        try:
            services.mail_sheet(found, by=request.member, now=clock.now())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The sheet is on its way to your mailbox. Forward it to the project team.")
            return redirect("ecoa:set-up-sheet", vault_id, found.pk)
    context = {"rows": sheets.rows(found), "wanted": sheets.WANTED, "outgoing": outgoing(), "form": form}
    return _show(request, found, 2, "sheet", **context)


@_methods
@requires(Permission.ECOA_MANAGE)
@fresh_credentials
def credentials(request: MemberRequest, vault_id: int, set_up_id: int) -> HttpResponse:
    """What the project team issued."""
    found = find(request, set_up_id)
    form = CredentialsForm(dialogs.posted(request), set_up=found)
    if request.method == "POST" and form.is_valid():
        try:
            services.enter_credentials(found, by=request.member, now=clock.now(), **form.values())
        except Refused as refusal:
            _add(form, refusal)
        else:
            return redirect("ecoa:set-up-test", vault_id, found.pk)
    return _show(request, found, 3, "credentials", form=form)


@_methods
@requires(Permission.ECOA_MANAGE)
def test(request: MemberRequest, vault_id: int, set_up_id: int) -> HttpResponse:
    """The test: a POST asks for it, the page shows each call as it went and what a failure means."""
    found = find(request, set_up_id)
    form = ConfirmForm(dialogs.posted(request))
    if request.method == "POST":
        try:
            services.ask_test(found, by=request.member, now=clock.now())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("ecoa:set-up-test", vault_id, found.pk)
    context = {
        "form": form,
        "running": found.test_state in (TestState.QUEUED, TestState.RUNNING),
        "outdated": services.is_outdated(found),
        "may_test": services.has_credentials(found),
        "checks": [_shown(step) for step in found.steps],
        "untested": max(len(found.site_numbers) - MOST_SITES, 0),
        "refusal": services.finish_refusal(found, request.member),
    }
    return _show(request, found, 4, "test", **context)


@_methods
@requires(Permission.ECOA_MANAGE)
@fresh_credentials
def finish(request: MemberRequest, vault_id: int, set_up_id: int) -> HttpResponse:
    """*Finish*: everything is made at once. Once it is, this leads to what was made, as a second click does."""
    finished = SetUp.objects.visible_to(request.member).filter(pk=set_up_id, state=SetUpState.FINISHED).first()
    if finished is not None and finished.mapping_id is not None:
        return redirect("ecoa:mapping", vault_id, finished.mapping_id)
    found = find(request, set_up_id)
    form = ConfirmForm(dialogs.posted(request))
    if request.method == "POST":
        try:
            mapping = services.finish(found, by=request.member, now=clock.now())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{mapping} is set up. Import participants to send them.")
            return redirect("ecoa:mapping", vault_id, mapping.pk)
    not_yet = services.finish_refusal(found, request.member)
    return _show(request, found, 5, "finish", form=form, refusal=not_yet)


@_methods
@requires(Permission.ECOA_MANAGE)
def discard(request: MemberRequest, vault_id: int, set_up_id: int) -> HttpResponse:
    """*Discard set-up*."""
    found = find(request, set_up_id)
    back = reverse("ecoa:set-ups", args=[vault_id])
    text = "The answers stay in the list, the secret is deleted. Nothing outside of this set-up exists yet."
    says = dialogs.Says("Discard this set-up", text, "Discard", back, danger=True)

    def act() -> str:
        services.discard(found, by=request.member, now=clock.now())
        return back

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)


def find(request: MemberRequest, set_up_id: int) -> SetUp:
    """An open set-up this member sees, else 404."""
    rows = SetUp.objects.visible_to(request.member).select_related("vault", "connection", "secret")
    found = rows.filter(pk=set_up_id, state="open").first()
    if found is None:
        raise Http404
    return found


def _shown(step: dict[str, Any]) -> dict[str, Any]:
    """One call of the test as people read it."""
    meaning = meaning_of(step["code"]) if step["code"] else None
    state = "failed" if meaning else "passed"
    return {**step, "label": _NAMES.get(step["name"], step["name"]), "state": state, "meaning": meaning}


def _add(form: forms.Form, refusal: Refused) -> None:
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))


def _show(request: MemberRequest, found: SetUp | None, step: int, name: str, **more: Any) -> HttpResponse:
    context = {"set_up": found, "steps": STEPS, "step": step, "page_title": "Set up eCOA", **more}
    status = 422 if more["form"].errors else 200
    return render(request, f"ecoa/set_up/{name}.html", context, status=status)
