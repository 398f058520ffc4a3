"""One message: what became of it, attempt by attempt, and what belongs to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from connections.constants import AttemptOutcome, CopyState
from connections.models import DeliveryAttempt, Hold, IncomingMessage, Lane, MessageCopy
from connections.selectors import messages as selectors
from connections.selectors.messages import READERS
from connections.services import explaining
from connections.services.messages import holding, resending, revealing, set_aside
from connections.services.messages.queues import VIEWERS
from connections.spark.reading import BodyRefused, read_body
from connections.spark.retrying import MINUTES, Clock
from connections.views.messages.common import CHANGED, copy_or_404, incoming_or_404, message_url, shown_until
from connections.views.messages.listing import resend_label
from connections.views.queues import standstill_of
from vaultadmin import audit, clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import live_by
from vaultadmin.permissions import Permission, can, can_any
from vaultadmin.together import Asking, answer, rows_of, together

_EVENTS = 20
_PLANNED = 3
_SIBLINGS = 50
_MASK = "••••••"
_NEEDS_OPERATE = f"Needs “{Permission.MESSAGES_OPERATE.label}”."


@require_safe
@requires(*READERS)
def outgoing(request: MemberRequest, vault_id: int, message_id: UUID) -> HttpResponse:
    """A copy on its way out, with every attempt to deliver it."""
    copy, now = copy_or_404(request, message_id), clock.now()
    until = shown_until(request, copy, now)
    asked: list[Asking[Any]] = [
        rows_of(selectors.siblings(copy)[:_SIBLINGS]),
        _holds(copy),
        _newest_event(copy),
        selectors.lanes_of([copy]),
    ]
    family, holds, newest, lanes = answer(together(asked))
    lane = lanes.get((copy.queue_id, copy.connection_id))
    stamp = f"{copy.state}{copy.attempts}{copy.due_at}{until}{[(one.pk, one.state, one.attempts) for one in family]}"
    stamp += f"{[one.pk for one in holds]}{newest}{_standing(copy, lane)}"
    return live_by(request, stamp, lambda: _draw_outgoing(request, copy, family, holds, lane, until))


def _draw_outgoing(
    request: MemberRequest,
    copy: MessageCopy,
    family: list[MessageCopy],
    holds: list[Hold],
    lane: Lane | None,
    until: datetime | None,
) -> HttpResponse:
    asked: list[Asking[Any]] = [
        rows_of(copy.tries.order_by("number")),
        standstill_of(copy, holds),
        rows_of(audit.history(copy)[:_EVENTS]),
    ]
    tries, standstill, events = answer(together(asked))
    ends_at = _window_end(copy, lane, clock.now())
    context = {
        "message": copy,
        "steps": [_step(copy, tries, index) for index in range(len(tries))],
        "planned": _planned(copy, lane, ends_at),
        "next_try": selectors.next_try(copy, lane),
        "standstill": standstill,
        "may_see_queues": can_any(request.member, VIEWERS),
        "window_ends": ends_at,
        "content": _content(copy.content.payload, until),
        "content_removed": copy.content.payload_removed_at,
        "shown_until": until,
        "siblings": [one for one in family if one.resend_of_id is None and copy.resend_of_id is None],
        "resends": [one for one in family if one.resend_of_id == copy.pk],
        "holds": holds,
        "goes_on": copy.due_at is not None or until is not None,
        "events": events,
        "actions": _actions(request, copy),
        "reveal": _reveal(request, copy, until),
        "may_operate": can(request.member, Permission.MESSAGES_OPERATE),
        "refresh_on": CHANGED,
        "page_title": str(copy.message_id),
    }
    return render(request, "connections/messages/outgoing.html", context)


@require_safe
@requires(*READERS)
def incoming(request: MemberRequest, vault_id: int, incoming_id: int) -> HttpResponse:
    """A message that came in, and how far its processing is."""
    message, now = incoming_or_404(request, incoming_id), clock.now()
    until = shown_until(request, message, now)
    stamp = f"{message.state}{message.attempts}{message.due_at}{until}{answer(_newest_event(message))}"
    return live_by(request, stamp, lambda: _draw_incoming(request, message, until))


def _draw_incoming(request: MemberRequest, message: IncomingMessage, until: datetime | None) -> HttpResponse:
    context = content_of(request, message, until) | {
        "message": message,
        "may_see_queues": can_any(request.member, VIEWERS),
        "goes_on": message.due_at is not None or until is not None,
        "events": audit.history(message)[:_EVENTS],
        "actions": incoming_actions(request, message),
        "refresh_on": CHANGED,
        "page_title": str(message.message_id),
    }
    return render(request, "connections/messages/incoming.html", context)


def content_of(request: MemberRequest, message: IncomingMessage, until: datetime | None) -> dict[str, Any]:
    """What `_content.html` shows of a message that came in: masked, or revealed to this member until then."""
    return {
        "content": _content(_message_part(message), until),
        "content_removed": message.body_removed_at,
        "shown_until": until,
        "reveal": _reveal(request, message, until),
    }


def incoming_actions(request: MemberRequest, message: IncomingMessage) -> list[dict[str, Any]]:
    """What can be done with a message that came in."""
    lacking = "" if can(request.member, Permission.MESSAGES_OPERATE) else _NEEDS_OPERATE
    entries = [
        ("Process again", "again", "refresh", set_aside.again_refusal(message), False),
        ("Remove", "remove", "trash", set_aside.refusal(message), True),
    ]
    return [
        {
            "label": label,
            "url": message_url(message, name),
            "icon": icon,
            "dialog": True,
            "danger": danger,
            "disabled_reason": lacking or refusal,
        }
        for label, name, icon, refusal, danger in entries
    ]


def _standing(copy: MessageCopy, lane: Lane | None) -> tuple[datetime | None, bool]:
    """What a waiting copy's next try hangs on besides itself."""
    is_tried = lane is not None and copy.due_at is not None
    return (lane.paused_until, lane.stopped_since is None) if lane is not None and is_tried else (None, False)


def _newest_event(message: MessageCopy | IncomingMessage) -> Asking[int | None]:
    (newest,) = yield (audit.history(message).values_list("sequence", flat=True)[:1],)
    return next(iter(newest), None)


def _step(copy: MessageCopy, tries: Sequence[DeliveryAttempt], index: int) -> dict[str, Any]:
    """One attempt: how long the message had waited for it, what came of it, and where its signature is explained."""
    attempt = tries[index]
    before = tries[index - 1].ended_at if index else copy.entered_at
    outcome = AttemptOutcome(attempt.outcome)
    newest = index == len(tries) - 1
    return {
        "attempt": attempt,
        "state": "started" if outcome is AttemptOutcome.STARTED else outcome.value,
        "label": outcome.label,
        "look": {"delivered": "good", "started": "doubtful"}.get(outcome.value, "bad"),
        "waited": _length(attempt.started_at - before) if before else "",
        "took": _took(attempt),
        "words": _words(attempt, on_its_way=newest and copy.lease_until is not None and copy.lease_until > clock.now()),
        "open": newest and outcome is not AttemptOutcome.DELIVERED,
        "signed_url": _signed_url(copy, attempt),
        "unsigned": explaining.refusal(attempt, copy),
    }


def _signed_url(copy: MessageCopy, attempt: DeliveryAttempt) -> str:
    return reverse("connections:message-signed", args=[copy.vault_id, copy.message_id, attempt.number])


def _words(attempt: DeliveryAttempt, *, on_its_way: bool) -> str:
    """What happened, in one sentence."""
    if attempt.outcome == AttemptOutcome.DELIVERED:
        return "The receiver accepted the message."
    if attempt.outcome == AttemptOutcome.STARTED and on_its_way:
        return "It is under way; the receiver has not answered yet."
    if attempt.outcome == AttemptOutcome.STARTED:
        return "The worker stopped before it knew the outcome. The message may have arrived; it is sent again anyway."
    return attempt.error


def _took(attempt: DeliveryAttempt) -> str:
    if attempt.milliseconds is None:
        return ""
    return f"{attempt.milliseconds} ms" if attempt.milliseconds < 1_000 else f"{attempt.milliseconds / 1000:.1f} s"


def _planned(copy: MessageCopy, lane: Lane | None, ends_at: datetime) -> list[datetime]:
    """When it is tried next, and roughly the times after that as long as the window lasts."""
    first = selectors.next_try(copy, lane)
    if first is None:
        return []
    moments, number = [first], copy.attempts + 1
    while len(moments) < _PLANNED:
        following = moments[-1] + timedelta(minutes=MINUTES[min(number, len(MINUTES)) - 1])
        if following > ends_at:
            break
        moments.append(following)
        number += 1
    return moments


def _window_end(copy: MessageCopy, lane: Lane | None, now: datetime) -> datetime:
    """Until when it is tried, as long as its lane does not stand still again."""
    stood = lane.standstill(now) - copy.stood_still_before if lane is not None else timedelta(0)
    return Clock(copy.entered_at, max(stood, timedelta(0))).ends_at


def _length(length: timedelta) -> str:
    seconds = max(length.total_seconds(), 0)
    if seconds < 1:
        return "at once"
    if seconds < 90:
        return f"after {seconds:.0f} s"
    if seconds < 5400:
        return f"after {seconds / 60:.0f} min"
    return f"after {seconds / 3600:.1f} h"


def _content(payload: str, until: datetime | None) -> dict[str, Any]:
    """Names of attributes and number of items; what they hold only while it is revealed."""
    try:
        found = json.loads(payload) if payload else {}
    except ValueError:
        found = {}
    attributes, items = found.get("attributes", {}), found.get("items", [])
    show = until is not None
    return {
        "attributes": [(name, _shown(value) if show else _MASK) for name, value in attributes.items()],
        "items": items if show else [],
        "item_count": len(items),
        "mask": _MASK,
    }


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _message_part(message: IncomingMessage) -> str:
    """Attributes and items of the body that came in, as JSON."""
    if message.body_removed_at is not None:
        return ""
    try:
        received = read_body(message.body.encode())
    except BodyRefused:
        return ""
    return json.dumps({"attributes": received.attributes, "items": received.items}, default=str)


def _holds(copy: MessageCopy) -> Asking[list[Hold]]:
    if copy.due_at is None or copy.connection is None:
        return []
    holds = yield from holding.in_force(copy.vault, connection=copy.connection)
    return [one for one in holds if one.queue_id in (None, copy.queue_id)]


def _reveal(request: MemberRequest, message: MessageCopy | IncomingMessage, until: datetime | None) -> dict[str, str]:
    lacking = "" if can(request.member, Permission.MESSAGES_OPERATE) else _NEEDS_OPERATE
    return {
        "url": message_url(message, "reveal"),
        "reason": lacking or revealing.refusal(message) or ("It is shown already." if until else ""),
    }


def _actions(request: MemberRequest, copy: MessageCopy) -> list[dict[str, Any]]:
    lacking = "" if can(request.member, Permission.MESSAGES_OPERATE) else _NEEDS_OPERATE
    vault, since = copy.vault_id, {"state": CopyState.FAILED.value, "since": copy.entered_at.isoformat()}
    place = {"connection": copy.connection.api_name if copy.connection else ""}
    return [
        {
            "label": resend_label(copy),
            "url": message_url(copy, "resend"),
            "icon": "send",
            "dialog": True,
            "disabled_reason": lacking or resending.refusal(copy),
        },
        {
            "label": "Replay all failed since this moment",
            "url": f"{reverse('connections:replay-plan', args=[vault])}?{urlencode(since)}",
            "icon": "repeat",
            "dialog": True,
            "disabled_reason": lacking,
        },
        {
            "label": "Hold this connection",
            "url": f"{reverse('connections:messages-hold', args=[vault])}?{urlencode(place)}",
            "icon": "hand-stop",
            "dialog": True,
            "danger": True,
            "disabled_reason": lacking or ("" if copy.connection else "Its connection was deleted."),
        },
    ]
