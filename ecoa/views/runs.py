"""Runs: the list, one run live, and the dialogs that start, cancel and retry one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ecoa import selectors
from ecoa.cards import card_for
from ecoa.forms import ConfirmForm, StartRunForm
from ecoa.models import Scope, SyncItem, SyncRun
from ecoa.sentences import run_sentence
from ecoa.services import runs as services
from ecoa.views import dialogs, live
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission
from vaultadmin.query import key_page, replaced_query

_methods = require_http_methods(["GET", "POST"])


@require_safe
@requires(Permission.ECOA_MANAGE)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """All runs, newest first."""
    page = key_page(selectors.runs(request.member), request, column="id", size=selectors.PAGE)
    stamp = ",".join(f"{run.pk}:{run.state}:{run.done}" for run in page["rows"])
    context = {**page, "poll": "4s", "page_title": "Sync runs"}
    return live.answer(request, stamp, lambda: render(request, "ecoa/runs.html", context))


@require_safe
@requires(Permission.ECOA_MANAGE)
def detail(request: MemberRequest, vault_id: int, run_id: int) -> HttpResponse:
    """One run: progress with rate and time left, counts by outcome, and what could not be brought over."""
    run = _run(request, run_id)
    stamp = f"{run.state}-{run.done}-{run.total}-{run.silent_since}-{run.cancel_requested_at}"
    return live.answer(request, stamp, lambda: _page(request, run))


@_methods
@requires(Permission.ECOA_MANAGE)
def start(request: MemberRequest, vault_id: int) -> HttpResponse:
    """*Start a run*."""
    form = StartRunForm(dialogs.posted(request), member=request.member)
    says = dialogs.Says(
        "Start a run",
        "The participants to send are written down now, with the values they have now. Later changes wait for the "
        "next run.",
        "Start",
        reverse("ecoa:runs", args=[vault_id]),
    )

    def act() -> str:
        mapping, scope = form.cleaned_data["mapping"], Scope(form.cleaned_data["scope"])
        run = services.plan(mapping=mapping, scope=scope, by=request.member, now=clock.now())
        return reverse("ecoa:run", args=[vault_id, run.pk])

    return dialogs.run(request, form, says, act)


@_methods
@requires(Permission.ECOA_MANAGE)
def cancel(request: MemberRequest, vault_id: int, run_id: int) -> HttpResponse:
    """*Cancel run*."""
    run = _run(request, run_id)
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
    run = _run(request, run_id)
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


def _run(request: MemberRequest, run_id: int) -> SyncRun:
    found = selectors.runs(request.member).filter(pk=run_id).first()
    if found is None:
        raise Http404
    return found


def _page(request: MemberRequest, run: SyncRun) -> HttpResponse:
    after = request.GET.get("after", "")
    rows = selectors.failed_items(run).order_by("pk")
    if after.isascii() and after.isdigit() and len(after) < 19:
        rows = rows.filter(pk__gt=int(after))
    items = list(rows[: selectors.PAGE + 1])
    more = len(items) > selectors.PAGE
    context = {
        "run": run,
        "sentence": run_sentence(run),
        "failures": [_failure(item) for item in items[: selectors.PAGE]],
        "older_url": replaced_query(request, after=str(items[selectors.PAGE - 1].pk)) if more else "",
        "older_label": "Next",
        "newer_url": replaced_query(request, after="") if after else "",
        "newer_label": "First page",
        "actions": _actions(run),
        "page_title": str(run),
        **_speed(run, clock.now()),
    }
    return render(request, "ecoa/run.html", context)


def _failure(item: SyncItem) -> dict[str, Any]:
    return {"item": item, "card": card_for(item.code), "participant": item.participant}


def _speed(run: SyncRun, now: datetime) -> dict[str, str]:
    """How fast a running run goes, and how long the rest takes at that rate."""
    if not run.is_open or run.started_at is None or run.done == 0:
        return {"rate": "", "left": ""}
    rate = run.done / max((now - run.started_at).total_seconds(), 1.0)
    return {
        "rate": f"{rate:,.0f} a second" if rate >= 1 else f"{rate * 60:,.0f} a minute",
        "left": _time(run.left / rate),
    }


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(round(seconds), 1)} s"
    return f"about {round(seconds / 60)} min"


def _actions(run: SyncRun) -> list[dict[str, Any]]:
    cancel_url = reverse("ecoa:run-cancel", args=[run.vault_id, run.pk])
    retry_url = reverse("ecoa:run-retry", args=[run.vault_id, run.pk])
    over = "" if run.is_open else "This run is over."
    nothing = "This run is still under way." if run.is_open else "" if run.synced < run.total else "All are in eCOA."
    return [
        {"label": "Retry", "icon": "refresh", "url": retry_url, "dialog": True, "disabled_reason": nothing},
        {
            "label": "Cancel run",
            "icon": "player-stop",
            "url": cancel_url,
            "dialog": True,
            "danger": True,
            "disabled_reason": "Cancelling already." if run.is_open and run.cancel_requested_at else over,
        },
    ]
