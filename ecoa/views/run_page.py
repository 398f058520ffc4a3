"""One run, live: progress, calls under way, plan against result, what could not be brought over, and the error file."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from ecoa.cards import card_for
from ecoa.models import ItemState, RunReason, RunState, SyncItem, SyncRun
from ecoa.selectors import runs as run_rows
from ecoa.selectors.runs import Traffic
from ecoa.sentences.runs import run_sentence
from ecoa.services import runs as services
from ecoa.services import seeing
from ecoa.views import live
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.exports import csv_response
from vaultadmin.permissions import Permission
from vaultadmin.query import PAGE, as_key, onward, replaced_query

_SLOWED = {
    "errors": gettext_lazy("eCOA answers with errors, so we ask less at a time."),
    "busy": gettext_lazy("eCOA asked us to slow down."),
    "latency": gettext_lazy("eCOA takes longer to answer, so we ask less at a time."),
}


@require_safe
@requires(Permission.ECOA_MANAGE)
def detail(request: MemberRequest, vault_id: int, run_id: int) -> HttpResponse:
    """One run: progress with rate and time left, counts by outcome, and what could not be brought over."""
    run = find(request, run_id)
    traffic = run_rows.traffic(run, now=clock.now())
    flags = f"{run.silent_since}-{run.cancel_requested_at}-{run.paused_at}-{run.held_until}"
    stamp = f"{run.state}-{run.done}-{run.total}-{flags}-{traffic}"
    return live.answer(request, stamp, lambda: _page(request, run, traffic))


@require_safe
@requires(Permission.ECOA_MANAGE)
def errors(request: MemberRequest, vault_id: int, run_id: int) -> HttpResponseBase:
    """The error file: one line for each participant that is not in eCOA, with the reason in words."""
    run = find(request, run_id)
    seeing.note(run, what="sync_run", by=request.member, now=clock.now())
    lines = run_rows.error_lines(run)
    return csv_response(f"run {run.pk} not in eCOA.csv", run_rows.ERROR_COLUMNS, lines)


def find(request: MemberRequest, run_id: int) -> SyncRun:
    """A run this member sees, else 404."""
    found = run_rows.runs(request.member).filter(pk=run_id).first()
    if found is None:
        raise Http404
    return found


def _page(request: MemberRequest, run: SyncRun, traffic: Traffic | None) -> HttpResponse:
    now = clock.now()
    seeing.note(run, what="sync_run", by=request.member, now=now)
    context = {
        "run": run,
        "sentence": run_sentence(run),
        "reasons": [_reason(request, row) for row in run_rows.reasons(run)],
        "tried": run.synced + run.rejected + run.unknown,
        "failed": run.rejected + run.unknown,
        "traffic": traffic,
        "slowed": _SLOWED.get(traffic.slowed, "") if traffic else "",
        "held": _held(run, now),
        "actions": _actions(run),
        "page_title": str(run),
        **_failures(request, run),
        **_speed(run, traffic, now),
    }
    return render(request, "ecoa/run.html", context)


def _failures(request: MemberRequest, run: SyncRun) -> dict[str, Any]:
    """The page of participants that are not in eCOA, by key; `code` leaves one reason."""
    after, code = request.GET.get("after", ""), request.GET.get("code", "")[:32]
    rows = run_rows.failed_items(run, code=code)
    if (key := as_key(after)) is not None:
        rows = rows.filter(pk__gt=key)
    page = onward(request, list(rows[: PAGE + 1]))
    return {
        **page,
        "failures": [_failure(item) for item in page["rows"]],
        "code": code,
        "all_url": replaced_query(request, code="", after=""),
    }


def _failure(item: SyncItem) -> dict[str, Any]:
    return {"item": item, "card": card_for(item.code), "participant": item.participant}


def _reason(request: MemberRequest, row: RunReason) -> dict[str, Any]:
    """One line of plan against result: how many, in which state, why, and where they are listed."""
    cancelled = row.state == ItemState.CANCELLED
    return {
        "state": "not_sent" if cancelled else row.state,
        "label": ItemState(row.state).label,
        "amount": row.amount,
        "why": _dropped(row.code) if cancelled else card_for(row.code).happened,
        "code": row.code,
        "url": "" if cancelled else replaced_query(request, code=row.code, after=""),
    }


def _dropped(code: str) -> str:
    return str(card_for(code).happened) if code else _("Not sent before the run ended; still waiting.")


def _held(run: SyncRun, now: datetime) -> str:
    """What eCOA asked for and what we do instead, while we wait."""
    if not run.is_open or run.held_until is None or run.held_until <= now:
        return ""
    wait = max(round((run.held_until - now).total_seconds()), 1)
    said = {"asked": _duration(run.held_asked), "wait": _duration(wait)}
    if run.held_asked > (run.held_until - now).total_seconds() + 60:
        return _("eCOA asked us to wait %(asked)s. We wait %(wait)s at most and then ask again.") % said
    return _("eCOA asked us to wait; we go on in %(wait)s.") % said


def _speed(run: SyncRun, traffic: Traffic | None, now: datetime) -> dict[str, str]:
    """How fast a running run goes, and how long the rest takes at that rate."""
    if run.state != RunState.RUNNING or run.started_at is None or run.done == 0:
        return {"rate": "", "left": ""}
    lately = traffic.per_second if traffic else 0.0
    rate = lately or run.done / max((now - run.started_at).total_seconds(), 1.0)
    return {
        "rate": f"{rate:,.0f} a second" if rate >= 1 else f"{rate * 60:,.0f} a minute",
        "left": f"about {_duration(round(run.left / rate))}",
    }


def _duration(seconds: int) -> str:
    """Seconds in the one unit a person would use."""
    if seconds < 90:
        return _("%(n)d s") % {"n": max(seconds, 1)}
    if seconds < 5400:
        return _("%(n)d min") % {"n": round(seconds / 60)}
    if seconds < 2 * 86_400:
        return ngettext("%(n)d hour", "%(n)d hours", round(seconds / 3600)) % {"n": round(seconds / 3600)}
    days = min(round(timedelta(seconds=min(seconds, 10**12)).total_seconds() / 86_400), 99_999)
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


def _nothing_to_retry(run: SyncRun) -> str:
    if run.is_queued:
        return "This run has not begun yet."
    return "This run is still under way." if run.is_open else "" if run.synced < run.total else "All are in eCOA."


def _actions(run: SyncRun) -> list[dict[str, Any]]:
    def item(label: str, icon: str, name: str, reason: str, **more: bool) -> dict[str, Any]:
        url = reverse(f"ecoa:{name}", args=[run.vault_id, run.pk])
        return {"label": label, "icon": icon, "url": url, "disabled_reason": reason, **more}

    over = "" if run.is_open or run.is_queued else "This run is over."
    nothing = _nothing_to_retry(run)
    no_errors = "" if run.rejected + run.unknown else "There is no error so far."
    cancelling = "Cancelling already." if run.is_open and run.cancel_requested_at else over
    paused = run.state == RunState.PAUSED
    return [
        item("Resume", "player-play", "run-resume", services.why_not_resume(run), dialog=True)
        if paused
        else item("Pause", "player-pause", "run-pause", services.why_not_pause(run), dialog=True),
        item("Retry", "refresh", "run-retry", nothing, dialog=True),
        item("Error file", "download", "run-errors", no_errors),
        item("Cancel run", "player-stop", "run-cancel", cancelling, dialog=True, danger=True),
    ]
