"""Runs: the list, and the dialogs that start, pause, resume, cancel and retry one."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ecoa.forms.runs import StartRunForm
from ecoa.models import Scope
from ecoa.selectors import runs as run_rows
from ecoa.services import runs as services
from ecoa.views import dialogs, live
from ecoa.views.run_page import find
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.permissions import Permission
from vaultadmin.query import PAGE, as_key, key_page

_methods = require_http_methods(["GET", "POST"])


@require_safe
@requires(Permission.ECOA_MANAGE)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """All runs, newest first."""
    page = key_page(run_rows.runs(request.member), request, column="id", size=PAGE)
    stamp = ",".join(f"{run.pk}:{run.state}:{run.done}" for run in page["rows"])
    context = {**page, "poll": "4s", "page_title": "Sync runs"}
    return live.answer(request, stamp, lambda: render(request, "ecoa/runs.html", context))


@_methods
@requires(Permission.ECOA_MANAGE)
def start(request: MemberRequest, vault_id: int) -> HttpResponse:
    """*Start a run*."""
    form = StartRunForm(dialogs.posted(request), member=request.member, initial=_chosen_before(request))
    says = dialogs.Says(
        "Start a run",
        "The participants to send are written down now, with the values they have now. Later changes wait for the "
        "next run.",
        "Start",
        reverse("ecoa:runs", args=[vault_id]),
    )

    def act() -> str:
        values = {name: form.cleaned_data[name] for name in ("mapping", "scope", "chosen")}
        run = services.plan(**values, by=request.member, now=clock.now())
        return reverse("ecoa:run", args=[vault_id, run.pk])

    return dialogs.run(request, form, says, act)


def _chosen_before(request: MemberRequest) -> dict[str, Any]:
    """What a list of participants hands over: the rows somebody ticked there."""
    keys = [key for key in map(as_key, request.GET.getlist("participant")) if key is not None]
    if not keys:
        return {}
    ticked = run_rows.ticked(request.member, keys)
    mapping = ticked[0].mapping_id if ticked else None
    labels = [one.participant_id for one in ticked if one.mapping_id == mapping]
    return {"mapping": mapping, "scope": Scope.CHOSEN.value, "participants": "\n".join(labels)}


@_methods
@requires(Permission.ECOA_MANAGE)
def pause(request: MemberRequest, vault_id: int, run_id: int) -> HttpResponse:
    """*Pause*."""
    run = find(request, run_id)
    back = reverse("ecoa:run", args=[vault_id, run.pk])
    says = dialogs.Says(
        "Pause run",
        "What is on its way is finished first; nothing more is sent until somebody resumes the run. The study has no "
        "other run meanwhile, scheduled ones wait.",
        "Pause",
        back,
    )

    def act() -> str:
        services.pause(run, by=request.member, now=clock.now())
        return back

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)


@_methods
@requires(Permission.ECOA_MANAGE)
def resume(request: MemberRequest, vault_id: int, run_id: int) -> HttpResponse:
    """*Resume*."""
    run = find(request, run_id)
    back = reverse("ecoa:run", args=[vault_id, run.pk])
    says = dialogs.Says(
        "Resume run",
        "The run goes on where it was, with the values written down when it was planned. Whoever changed since then "
        "waits for the next run.",
        "Resume",
        back,
    )

    def act() -> str:
        services.resume(run, by=request.member, now=clock.now())
        return back

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)


@_methods
@requires(Permission.ECOA_MANAGE)
def cancel(request: MemberRequest, vault_id: int, run_id: int) -> HttpResponse:
    """*Cancel run*."""
    run = find(request, run_id)
    back = reverse("ecoa:run", args=[vault_id, run.pk])
    says = dialogs.Says(
        "Cancel run",
        "What is on its way is finished first; the rest is not sent and keeps waiting. What is in eCOA stays there.",
        "Cancel run",
        back,
        danger=True,
    )

    def act() -> str:
        services.cancel(run, by=request.member, now=clock.now())
        return back

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)


@_methods
@requires(Permission.ECOA_MANAGE)
def retry(request: MemberRequest, vault_id: int, run_id: int) -> HttpResponse:
    """*Retry* for everything a run could not bring over."""
    run = find(request, run_id)
    says = dialogs.Says(
        "Retry",
        "A new run takes what this one could not bring over. Where an earlier try may have arrived, eCOA is asked "
        "first, so nobody is created twice.",
        "Retry",
        reverse("ecoa:run", args=[vault_id, run.pk]),
    )

    def act() -> str:
        again = services.retry(run, by=request.member, now=clock.now())
        return reverse("ecoa:run", args=[vault_id, again.pk])

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)
