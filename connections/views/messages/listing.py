"""The list of messages: outgoing copies or what came in, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from connections.constants import AttemptOutcome, CopyState, IncomingState
from connections.models import DeliveryAttempt, IncomingMessage, Lane, MessageCopy
from connections.selectors import messages as selectors
from connections.selectors.messages import READERS, Asked
from connections.services.messages import holding
from connections.views import flow
from connections.views.messages.common import CHANGED, message_url
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import is_fragment, live_by
from vaultadmin.permissions import Permission, can
from vaultadmin.query import PAGE, key_page, replaced_query
from vaultadmin.together import Asking, answer, known, rows_of, together

_NEEDS_OPERATE = f"Needs “{Permission.MESSAGES_OPERATE.label}”."
_PAGE_KEYS = {"before": "", "after": ""}
Lanes = dict[tuple[int, int | None], Lane]
Tries = dict[int, list[DeliveryAttempt]]


@require_safe
@requires(*READERS)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Direction, filters, search and page are in the address; a poll that would see the same is told so."""
    now = clock.now()
    values = {name: request.GET.get(name, "") for name in selectors.FILTERS}
    asked = selectors.read(values, now=now)
    rows = selectors.outgoing(request.member, asked) if asked.is_outgoing else selectors.incoming(request.member, asked)
    page = key_page(rows, request, column="id", size=PAGE)
    asked_of: list[Asking[Any]] = [
        holding.in_force(request.member.vault),
        selectors.lanes_of(page["rows"]) if asked.is_outgoing else known({}),
    ]
    holds, lanes = answer(together(asked_of))
    stamp = "|".join(f"{row.pk}:{row.state}:{row.attempts}:{row.due_at}" for row in page["rows"])
    stamp += f"|{[one.pk for one in holds]}|{_standing(page['rows'], lanes) if asked.is_outgoing else ''}"

    def draw() -> HttpResponse:
        parts: list[Asking[Any]] = [
            known(None) if is_fragment(request) else flow.about_vault(request.member.vault),
            selectors.newest_tries(page["rows"]) if asked.is_outgoing else known({}),
            rows_of(selectors.queues(request.member, outbound=asked.is_outgoing)),
            rows_of(selectors.connections(request.member)),
        ]
        carried, tries, queues, homes = answer(together(parts))
        context = page | _context(request, values, asked) | {"holds": holds, "queues": queues, "homes": homes}
        context["flow"] = carried
        rows = page["rows"]
        context["rows"] = _outgoing(request, rows, tries, lanes) if asked.is_outgoing else _incoming(rows)
        return render(request, "connections/messages/list.html", context)

    return live_by(request, stamp, draw)


def _standing(rows: Sequence[MessageCopy], lanes: Lanes) -> list[tuple[int, bool, Any]]:
    """What the next tries of a page hang on besides its messages."""
    waiting = {row.queue_id for row in rows if row.due_at is not None}
    shown = [lane for (queue, _connection), lane in lanes.items() if queue in waiting]
    return [(lane.pk, lane.stopped_since is None, lane.paused_until) for lane in shown]


def _context(request: MemberRequest, values: dict[str, str], asked: Asked) -> dict[str, Any]:
    may = can(request.member, Permission.MESSAGES_OPERATE)
    shared = {name: value for name, value in values.items() if value}
    return {
        "asked": asked,
        "values": values,
        "directions": [
            {"name": name, "label": label, "url": replaced_query(request, direction=name, state="", **_PAGE_KEYS)}
            for name, label in selectors.DIRECTIONS
        ],
        "states": CopyState.choices if asked.is_outgoing else IncomingState.choices,
        "periods": [(name, label) for name, label, _length in selectors.ALL_PERIODS],
        "period_known": values["since"] in {name for name, _label, _length in selectors.ALL_PERIODS},
        "search": {"name": "q", "value": asked.q, "label": "Message ID, or a whole item or attribute text"},
        "has_filters": True,
        "chips": _chips(request, values, asked),
        "clear_url": f"{request.path}?direction={asked.direction}",
        "refresh_on": CHANGED,
        "poll": "4s",
        "live_also": "#holds",
        "may_operate": may,
        "resend_url": reverse("connections:messages-resend", args=[request.member.vault_id]),
        "actions": _actions(request, shared, asked, "" if may else _NEEDS_OPERATE),
        "page_title": "Messages",
    }


def _actions(request: MemberRequest, shared: dict[str, str], asked: Asked, lacking: str) -> list[dict[str, Any]]:
    vault = request.member.vault_id
    incoming = "" if asked.is_outgoing else "Only outgoing messages can be sent again."
    plan_url = reverse("connections:replay-plan", args=[vault]) + f"?{urlencode(shared)}"
    return [
        {
            "label": "Replay all that fit",
            "text": "A plan first: nothing is sent before you start it",
            "url": plan_url,
            "icon": "repeat",
            "dialog": True,
            "disabled_reason": lacking or incoming,
        },
        {
            "label": "Replays",
            "url": reverse("connections:replays", args=[vault]),
            "icon": "list-details",
            "disabled_reason": lacking,
        },
        {"label": "Queue log", "url": reverse("connections:queue-log", args=[vault]), "icon": "file-text"}
        | {"disabled_reason": _no_log(request)},
        {
            "label": "Hold everything",
            "text": "Of every Vault in this installation",
            "url": reverse("connections:messages-hold", args=[vault]),
            "icon": "hand-stop",
            "dialog": True,
            "danger": True,
            "disabled_reason": lacking,
        },
    ]


def _no_log(request: MemberRequest) -> str:
    allowed = can(request.member, Permission.QUEUE_LOG) or can(request.member, Permission.MESSAGES_OPERATE)
    return "" if allowed else f"Needs “{Permission.QUEUE_LOG.label}”."


def _chips(request: MemberRequest, values: dict[str, str], asked: Asked) -> list[dict[str, str]]:
    states = dict(CopyState.choices if asked.is_outgoing else IncomingState.choices)
    periods = {name: label for name, label, _length in selectors.ALL_PERIODS}
    shown = {
        "q": f"“{asked.q}”" if asked.q else "",
        "state": f"State: {states[asked.state]}" if asked.state else "",
        "queue": f"Queue: {asked.queue}" if asked.queue else "",
        "connection": f"Connection: {asked.connection}" if asked.connection else "",
        "since": periods.get(values["since"]) or (f"Since {asked.since:%Y-%m-%d %H:%M} UTC" if asked.since else ""),
        "until": f"Until {asked.until:%Y-%m-%d %H:%M} UTC" if asked.until else "",
    }
    return [
        {"label": label, "url": replaced_query(request, **{name: ""}, **_PAGE_KEYS)}
        for name, label in shown.items()
        if label
    ]


def _outgoing(request: MemberRequest, rows: Sequence[MessageCopy], tries: Tries, lanes: Lanes) -> list[dict[str, Any]]:
    return [
        {
            "message": row,
            "url": message_url(row),
            "key": row.content.keys[0] if row.content.item_count and row.content.keys else "",
            "more": max(row.content.item_count - 1, 0),
            "next_try": selectors.next_try(row, lanes.get((row.queue_id, row.connection_id))),
            "dots": dots(row, tries.get(row.pk, [])),
            "actions": _row_actions(request, row),
            "menu_id": f"message-{row.pk}-actions",
            "menu_label": f"Actions for {row.message_id}",
        }
        for row in rows
    ]


def _incoming(rows: Sequence[IncomingMessage]) -> list[dict[str, Any]]:
    return [
        {"message": row, "url": message_url(row), "key": row.keys[0] if row.keys else "", "more": len(row.keys) - 1}
        for row in rows
    ]


def dots(copy: MessageCopy, tries: Sequence[DeliveryAttempt]) -> dict[str, Any]:
    """Five dots for the last attempts, and the same in words."""
    looks = ["delivered" if one.outcome == AttemptOutcome.DELIVERED else _look(one) for one in tries]
    words = [f"{one.number}. {AttemptOutcome(one.outcome).label}" for one in tries]
    hidden = copy.attempts - len(tries)
    text = f"{copy.attempts} attempt{'' if copy.attempts == 1 else 's'}"
    text += f", {hidden} earlier not drawn" if hidden > 0 else ""
    told = ": ".join(filter(None, (text, ", ".join(words))))
    return {"looks": looks + [""] * (selectors.DOTS - len(looks)), "text": told}


def _look(attempt: DeliveryAttempt) -> str:
    return "unknown" if attempt.outcome == AttemptOutcome.STARTED else "failed"


def _row_actions(request: MemberRequest, row: MessageCopy) -> list[dict[str, Any]]:
    lacking = "" if can(request.member, Permission.MESSAGES_OPERATE) else _NEEDS_OPERATE
    waiting = "It is still being tried." if row.state == CopyState.WAITING else ""
    since = {"state": CopyState.FAILED.value, "since": row.entered_at.isoformat()}
    plan = reverse("connections:replay-plan", args=[row.vault_id])
    return [
        {
            "label": resend_label(row),
            "url": message_url(row, "resend"),
            "icon": "send",
            "dialog": True,
            "disabled_reason": lacking or waiting,
        },
        {
            "label": "Replay all failed since this moment",
            "url": f"{plan}?{urlencode(since)}",
            "icon": "repeat",
            "dialog": True,
            "disabled_reason": lacking,
        },
    ]


def resend_label(row: MessageCopy) -> str:
    """What sending again is called: after a success it is a second delivery, and says so."""
    return "Deliver a second time" if row.state == CopyState.DELIVERED else "Resend"
