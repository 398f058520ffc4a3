"""The queue log: which days there are, one day as a file, and *Trace Queue Delivery*."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from connections.forms.messages import TraceForm
from connections.selectors import queue_log as selectors
from connections.services.messages import queue_log
from connections.services.refusals import Refused
from connections.views.common import add_refusal
from connections.views.dialogs import said, show
from connections.views.messages.common import CHANGED
from vaultadmin import clock
from vaultadmin.access import MemberRequest, fresh_credentials, requires
from vaultadmin.exports import csv_response
from vaultadmin.permissions import Permission, can, can_any

_READERS = (Permission.QUEUE_LOG, Permission.MESSAGES_OPERATE)
_TRACERS = (Permission.MESSAGES_OPERATE, Permission.SPARK_QUEUES)


@require_safe
@requires(*_READERS)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """One file a day for thirty days, and which queues are traced now."""
    now = clock.now()
    lacking = "" if can_any(request.member, _TRACERS) else f"Needs “{Permission.MESSAGES_OPERATE.label}”."
    context = {
        "days": [_day(request, day) for day in selectors.days(request.member, now=now, kept=queue_log.KEPT)],
        "traces": selectors.traces(request.member, now=now),
        "actions": _actions(vault_id, lacking),
        "may_reveal": can(request.member, Permission.MESSAGES_OPERATE),
        "refresh_on": CHANGED,
        "page_title": "Queue log",
    }
    return render(request, "connections/messages/log.html", context)


@require_safe
@requires(*_READERS)
def download(request: MemberRequest, vault_id: int) -> HttpResponseBase:
    """The file of one day, `?day=YYYY-MM-DD`, bodies masked."""
    return _file(request, bodies=False)


@require_safe
@requires(Permission.MESSAGES_OPERATE)
@fresh_credentials
def download_bodies(request: MemberRequest, vault_id: int) -> HttpResponseBase:
    """The file of one day with what the messages hold."""
    return _file(request, bodies=True)


@require_http_methods(["GET", "POST"])
@requires(*_TRACERS)
def trace(request: MemberRequest, vault_id: int) -> HttpResponse:
    """*Trace Queue Delivery*."""
    back = reverse("connections:queue-log", args=[vault_id])
    posted = request.POST if request.method == "POST" else None
    form = TraceForm(posted, member=request.member, initial={"queue": request.GET.get("queue", "")})
    if form.is_valid():
        try:
            made = queue_log.trace(queue=form.cleaned_data["queue"], by=request.member, now=clock.now())
        except Refused as error:
            add_refusal(form, error)
        else:
            sentence = f"{made.queue} is traced until {made.ends_at:%H:%M} UTC."
            return said(request, sentence, fallback=back, event=CHANGED)
    minutes = int(queue_log.TRACE.total_seconds() // 60)
    return show(
        request,
        title="Trace Queue Delivery",
        cancel_url=back,
        sentences=(
            f"For {minutes} minutes every attempt of the queue is written into its log, not only what is given up.",
            "The trace ends by itself. Starting it again gives it another twenty minutes from then.",
        ),
        form=form,
        submit="Trace",
    )


def _file(request: MemberRequest, *, bodies: bool) -> HttpResponseBase:
    day = _read(request.GET.get("day", ""))
    if day is None:
        return redirect("connections:queue-log", request.member.vault_id)
    queue_log.note_download(day=day, bodies=bodies, by=request.member)
    name = f"queue_log-{request.member.vault_id}-{day}.csv"
    return csv_response(name, list(queue_log.COLUMNS), queue_log.lines(request.member, day, bodies=bodies))


def _read(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        return None


def _day(request: MemberRequest, day: date) -> dict[str, Any]:
    vault = request.member.vault_id
    return {
        "day": day,
        "url": f"{reverse('connections:queue-log-file', args=[vault])}?day={day}",
        "bodies_url": f"{reverse('connections:queue-log-bodies', args=[vault])}?day={day}",
        "is_today": day == clock.now().date(),
        "goes_on": day + timedelta(days=queue_log.KEPT.days),
    }


def _actions(vault_id: int, lacking: str) -> list[dict[str, Any]]:
    return [
        {
            "label": "Trace Queue Delivery",
            "url": reverse("connections:queue-log-trace", args=[vault_id]),
            "icon": "activity",
            "dialog": True,
            "disabled_reason": lacking,
        }
    ]
