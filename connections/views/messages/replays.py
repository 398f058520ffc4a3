"""Replays: the list, the plan, its page with progress and result, and the dialogs that move it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from connections.constants import GIVEN_UP, CopyState
from connections.forms.messages import PlanForm, StartReplayForm
from connections.models import Replay, ReplayItemState, ReplayState
from connections.selectors import messages as message_rows
from connections.selectors import replays as selectors
from connections.services.messages import replaying, resending
from connections.services.refusals import Refused
from connections.views.common import add_refusal
from connections.views.dialogs import said, show
from connections.views.messages.common import CHANGED, list_url, message_url, replay_or_404
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import go, live_by
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.permissions import Permission
from vaultadmin.query import PAGE, as_key, key_page, onward

_methods = require_http_methods(["GET", "POST"])


@require_safe
@requires(Permission.MESSAGES_OPERATE)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Every replay of the vault, newest first."""
    page = key_page(selectors.replays(request.member), request, column="id", size=PAGE)
    stamp = ",".join(f"{row.pk}:{row.state}:{row.done}" for row in page["rows"])
    context = {**page, "poll": "4s", "refresh_on": CHANGED, "page_title": "Replays"}
    return live_by(request, stamp, lambda: render(request, "connections/messages/replays.html", context))


@_methods
@requires(Permission.MESSAGES_OPERATE)
def plan(request: MemberRequest, vault_id: int) -> HttpResponse:
    """*Make a plan* of what the filters in the address find; nothing is sent by it."""
    now = clock.now()
    values = {name: request.GET.get(name, "") for name in message_rows.FILTERS if request.GET.get(name)}
    asked = message_rows.read(values, now=now)
    words = _words(asked)
    form = PlanForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        key = form.cleaned_data["key"]
        try:
            # What the person read: periods count back from now, moments stay what they are.
            made = replaying.plan(values=values, words=words, by=request.member, now=now, creation_key=key)
        except Refused as error:
            add_refusal(form, error)
        else:
            return go(request, reverse("connections:replay", args=[vault_id, made.pk]))
    return show(
        request,
        title="Plan a replay",
        cancel_url=list_url(request),
        sentences=(
            f"{words} are written down now, each with the reason if it cannot be sent again.",
            "Nothing is sent yet: you see the plan first and start it, or discard it.",
        ),
        form=form,
        submit="Make a plan",
    )


@require_safe
@requires(Permission.MESSAGES_OPERATE)
def detail(request: MemberRequest, vault_id: int, replay_id: int) -> HttpResponse:
    """The plan, how far it is, and what became of it."""
    replay = replay_or_404(request, replay_id)
    outcomes = selectors.outcomes(replay)
    stamp = f"{replay.state}-{replay.done}-{replay.waits_for}-{sorted(outcomes.items())}"
    return live_by(request, stamp, lambda: _page(request, replay, outcomes))


@_methods
@requires(Permission.MESSAGES_OPERATE)
def start(request: MemberRequest, vault_id: int, replay_id: int) -> HttpResponse:
    """*Start*: exactly what the plan names is sent."""
    replay = replay_or_404(request, replay_id)
    posted = request.POST if request.method == "POST" else None
    form = StartReplayForm(posted, total=replay.total)
    again = replay.delivered_before
    which = "It was" if replay.total == 1 else f"{again:,} of them {'was' if again == 1 else 'were'}"
    twice = f"{which} delivered already and will arrive a second time." if again else ""
    sentences = (
        "1 message is put into its queue again."
        if replay.total == 1
        else f"{replay.total:,} messages are put into their queues again, in the order they entered them.",
        *filter(None, (twice,)),
        "What was sent cannot be taken back; you can pause or cancel what is left.",
    )

    def act() -> Replay:
        return replaying.start(replay, by=request.member, now=clock.now(), reason=form.cleaned_data["reason"])

    return _dialog(request, replay, form, replaying.why_not_start(replay), act, "Start", sentences, bool(twice))


@_methods
@requires(Permission.MESSAGES_OPERATE)
def pause(request: MemberRequest, vault_id: int, replay_id: int) -> HttpResponse:
    """*Pause*."""
    replay, form = replay_or_404(request, replay_id), _confirm(request)
    sentences = ("Nothing more is put into queues until somebody resumes it. What is in them is delivered.",)

    def act() -> Replay:
        return replaying.pause(replay, by=request.member, now=clock.now())

    return _dialog(request, replay, form, replaying.why_not_pause(replay), act, "Pause", sentences)


@_methods
@requires(Permission.MESSAGES_OPERATE)
def resume(request: MemberRequest, vault_id: int, replay_id: int) -> HttpResponse:
    """*Resume*."""
    replay, form = replay_or_404(request, replay_id), _confirm(request)
    sentences = ("The replay goes on where it was, with the rest of its plan.",)

    def act() -> Replay:
        return replaying.resume(replay, by=request.member, now=clock.now())

    return _dialog(request, replay, form, replaying.why_not_resume(replay), act, "Resume", sentences)


@_methods
@requires(Permission.MESSAGES_OPERATE)
def cancel(request: MemberRequest, vault_id: int, replay_id: int) -> HttpResponse:
    """*Cancel*, which for a plan nobody started is *Discard*."""
    replay, form = replay_or_404(request, replay_id), _confirm(request)
    planned = replay.state == ReplayState.PLANNED
    sentences = (
        ("The plan is kept as it is and cannot be started any more. Nothing was sent.",)
        if planned
        else ("The rest is not sent. What was put into queues already is delivered.",)
    )

    def act() -> Replay:
        return replaying.cancel(replay, by=request.member, now=clock.now())

    button = "Discard" if planned else "Cancel replay"
    return _dialog(request, replay, form, replaying.why_not_cancel(replay), act, button, sentences, True)


def _dialog(
    request: MemberRequest,
    replay: Replay,
    form: forms.Form,
    refusal: str,
    act: Callable[[], Replay],
    button: str,
    sentences: tuple[str, ...],
    danger: bool = False,
) -> HttpResponse:
    back = reverse("connections:replay", args=[replay.vault_id, replay.pk])
    if form.is_valid() and not refusal:
        try:
            moved = act()
        except Refused as error:
            add_refusal(form, error)
        else:
            return said(request, f"{moved}: {moved.get_state_display()}.", fallback=back, event=CHANGED)
    title = button if button.endswith("replay") else f"{button} replay"
    return show(
        request,
        title=title,
        cancel_url=back,
        sentences=sentences,
        form=form,
        refusal=refusal,
        submit=button,
        danger=danger,
    )


def _confirm(request: MemberRequest) -> ConfirmForm:
    return ConfirmForm(request.POST if request.method == "POST" else None)


def _page(request: MemberRequest, replay: Replay, outcomes: dict[str, int]) -> HttpResponse:
    rows = selectors.failures(replay)
    if (after := as_key(request.GET.get("after", ""))) is not None:
        rows = rows.filter(pk__gt=after)
    page = onward(request, list(rows[: PAGE + 1]))
    context = page | {
        "replay": replay,
        "sentence": _sentence(replay),
        "left_out": [
            {"number": part.number, "why": resending.REASONS.get(part.name, part.name)}
            for part in selectors.left_out(replay)
        ],
        "places": selectors.places(replay),
        "duration": _duration(replay.seconds),
        "delivered": outcomes.get(CopyState.DELIVERED, 0),
        "failed": sum(outcomes.get(state, 0) for state in GIVEN_UP),
        "on_the_way": outcomes.get(CopyState.WAITING, 0),
        "failures": [_failure(item) for item in page["rows"]],
        "goes_on": replay.is_open or bool(outcomes.get(CopyState.WAITING, 0)),
        "actions": _actions(replay),
        "refresh_on": CHANGED,
        "page_title": str(replay),
    }
    return render(request, "connections/messages/replay.html", context)


def _failure(item: Any) -> dict[str, Any]:
    skipped = item.state == ReplayItemState.SKIPPED
    message = item.copy if skipped else item.again
    return {
        "message": message,
        "url": message_url(message),
        "state": "skipped" if skipped else message.state,
        "label": ReplayItemState.SKIPPED.label if skipped else message.get_state_display(),
        "why": resending.REASONS.get(item.reason, "") if skipped else "It was given up; its page shows every attempt.",
    }


def _sentence(replay: Replay) -> str:
    total = f"{replay.total:,} message{'' if replay.total == 1 else 's'}"
    if replay.state == ReplayState.PLANNED:
        return f"The plan sends {total} again and leaves {replay.excluded:,} out. Nothing was sent yet."
    if replay.state == ReplayState.FINISHED:
        skipped = f"; {replay.skipped:,} could not be sent any more" if replay.skipped else ""
        return f"{replay.sent:,} of {total} {'was' if replay.total == 1 else 'were'} put into queues again{skipped}."
    if replay.state == ReplayState.CANCELLED:
        return f"Ended with {replay.sent:,} of {total} sent; the rest was not."
    if replay.state == ReplayState.PAUSED:
        return f"Paused with {replay.sent:,} of {total} sent."
    return replay.waits_for or f"{replay.sent:,} of {total} are in their queues again."


def _duration(seconds: int) -> str:
    if seconds < 90:
        return f"about {max(seconds, 1)} s"
    return f"about {round(seconds / 60)} min" if seconds < 5400 else f"about {seconds / 3600:.1f} hours"


def _actions(replay: Replay) -> list[dict[str, Any]]:
    def item(label: str, icon: str, name: str, reason: str, danger: bool = False) -> dict[str, Any]:
        url = reverse(f"connections:replay-{name}", args=[replay.vault_id, replay.pk])
        return {"label": label, "icon": icon, "url": url, "dialog": True, "disabled_reason": reason, "danger": danger}

    nothing = "" if replay.total else "There is nothing in this plan that can be sent again."
    planned = replay.state == ReplayState.PLANNED
    end = "Discard" if planned else "Cancel"
    return [
        item("Start", "player-play", "start", replaying.why_not_start(replay) or nothing),
        item("Resume", "player-play", "resume", replaying.why_not_resume(replay))
        if replay.state == ReplayState.PAUSED
        else item("Pause", "player-pause", "pause", replaying.why_not_pause(replay)),
        item(end, "player-stop", "cancel", replaying.why_not_cancel(replay), danger=True),
    ]


def _words(asked: message_rows.Asked) -> str:
    """What the filters ask for, in words people read in the plan and in the trail."""
    parts = [f"{CopyState(asked.state).label} messages" if asked.state else "All outgoing messages"]
    parts += [f"of the queue {asked.queue}"] if asked.queue else []
    parts += [f"through the connection {asked.connection}"] if asked.connection else []
    parts += [f"with the key “{asked.q}”"] if asked.q else []
    parts += [f"since {asked.since:%Y-%m-%d %H:%M:%S} UTC"] if asked.since else []
    parts += [f"until {asked.until:%Y-%m-%d %H:%M:%S} UTC"] if asked.until else []
    return " ".join(parts)
