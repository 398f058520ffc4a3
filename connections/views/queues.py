"""Queues of a vault: the list, one queue, and how its lanes stand now."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from connections import processors
from connections.constants import ConnectionState, IncomingState, QueueType
from connections.models import Hold, Lane, MessageCopy, Queue, QueueConnection
from connections.selectors import messages
from connections.selectors import queues as selectors
from connections.services.messages import holding, queue_ending, queues, tallies, trial_message
from connections.spark.message import CAPACITY
from connections.views import alerts, flow
from connections.views.common import menu_entry
from connections.views.messages.common import filtered_url
from vaultadmin import audit, clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import live
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, can, can_any
from vaultadmin.query import replaced_query
from vaultadmin.together import Asking, answer, known, rows_of, together

TYPE_ICONS = {QueueType.OUTBOUND: "send", QueueType.INBOUND: "inbox", QueueType.JOB: "settings"}
_SHOWN_EVENTS = 20


@require_safe
@requires(*queues.VIEWERS)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Search, filters, sort and page are in the address."""
    asked = {name: request.GET.get(name, "") for name in (*selectors.FILTERS, "sort", "after")}
    page = selectors.page(selectors.queues(request.member, asked), sort=asked["sort"] or "name", after=asked["after"])
    waiting = selectors.waiting_in([queue.pk for queue in page.rows])
    context = {
        "rows": [(queue, TYPE_ICONS[QueueType(queue.type)], waiting.get(queue.pk, 0)) for queue in page.rows],
        "older_url": replaced_query(request, after=page.next_key) if page.next_key else "",
        "older_label": "Next",
        "newer_url": replaced_query(request, after="") if asked["after"] else "",
        "newer_label": "First page",
        "search": {"name": "q", "value": asked["q"], "label": "Label or Name"},
        "has_filters": True,
        "types": QueueType.choices,
        "asked": asked,
        "chips": _chips(request, asked),
        "clear_url": request.path,
        "default_sort": "name",
        "may_create": bool(creatable_types(request.member)),
        "page_title": "Queues",
    }
    return render(request, "connections/queues.html", context)


@require_safe
@requires(*queues.VIEWERS)
def detail(request: MemberRequest, vault_id: int, queue_name: str) -> HttpResponse:
    """One queue: what it is, what it is connected to, what waits."""
    queue = queue_or_404(request, queue_name)
    asked: list[Asking[Any]] = [
        _standing(request, queue),
        flow.about_queue(queue) if queue.type != QueueType.JOB else known(None),
        alerts.about_queue(request, queue),
        _actions(request, queue),
        rows_of(audit.history(queue)[:_SHOWN_EVENTS]),
    ]
    stands, carried, watched, actions, events = answer(together(asked))
    context = stands | {
        "flow": carried,
        "alerts": watched,
        "icon": TYPE_ICONS[QueueType(queue.type)],
        "processor": processors.registered.get(queue.processor),
        "handler": processors.handlers.get(queue.handler),
        "actions": actions,
        "sections": _sections(queue),
        "events": events,
        "page_title": queue.label,
    }
    return render(request, "connections/queue.html", context)


@require_safe
@requires(*queues.VIEWERS)
def standing(request: MemberRequest, vault_id: int, queue_name: str) -> HttpResponse:
    """The part of the page that moves: 304 while nothing did."""
    context = answer(_standing(request, queue_or_404(request, queue_name)))
    return live(request, render(request, "connections/_queue_standing.html", context))


def queue_or_404(request: MemberRequest, queue_name: str) -> Queue:
    """The queue of this address; foreign ones look like missing ones."""
    queue = selectors.find(request.member, queue_name)
    if queue is None:
        raise Http404
    return queue


def queue_url(queue: Queue, name: str = "queue") -> str:
    """A page of one queue."""
    return reverse(f"connections:{name}", args=[queue.vault_id, queue.name])


def creatable_types(member: Membership) -> list[QueueType]:
    """Which queues somebody may create, in the order they are offered."""
    types = (QueueType.OUTBOUND, QueueType.INBOUND, QueueType.JOB)
    return [type_ for type_ in types if can(member, queues.needed(type_))]


def _standing(request: MemberRequest, queue: Queue) -> Asking[dict[str, Any]]:
    """What waits, what each connection does, and the two switches."""
    asked: list[Asking[Any]] = [
        tallies.asked(queue),
        selectors.waiting_for(queue) if queue.is_outbound else known({}),
        holding.in_force(queue.vault, queue=queue) if queue.is_outbound else known([]),
        rows_of(selectors.links(queue)),
        selectors.set_aside_in(queue) if queue.is_inbound else known(0),
    ]
    waiting, counts, holds, links, set_aside = yield from together(asked)
    return {
        "queue": queue,
        "waiting": f"{waiting:,}",
        "capacity": f"{CAPACITY:,}",
        "messages_url": _messages_url(request, queue),
        "set_aside": set_aside,
        "set_aside_url": _set_aside_url(request, queue),
        "links": [_link(queue, link, counts.get(link.connection_id, 0), holds) for link in links],
        "may_manage": can(request.member, queues.needed(queue.type)),
        "may_read_connections": can(request.member, Permission.CONNECTION_READ),
        "delivery_refusal": queues.delivery_refusal(queue),
        "holds": holds,
        "may_operate": can(request.member, Permission.MESSAGES_OPERATE),
    }


def _link(queue: Queue, link: QueueConnection, waiting: int, holds: list[Hold]) -> dict[str, Any]:
    lane: Lane | None = getattr(link, "lane", None)
    return {
        "row": link,
        "lane": lane,
        "outcome": selectors.outcome(link),
        "waiting": f"{waiting:,}",
        "standstill": _standstill(queue, link, holds),
        "paused_until": lane.paused_until if lane and lane.paused_until and lane.paused_until > clock.now() else None,
    }


def _messages_url(request: MemberRequest, queue: Queue) -> str:
    """Where its messages are listed; empty for who may not see them, and for queues that have none."""
    if queue.type == QueueType.JOB or not can_any(request.member, messages.READERS):
        return ""
    direction = messages.IN if queue.is_inbound else messages.OUT
    return filtered_url(request.member, direction=direction, queue=queue.name)


def _set_aside_url(request: MemberRequest, queue: Queue) -> str:
    """Where messages of an inbound queue are listed that wait for somebody's decision."""
    filters = {"direction": messages.IN, "queue": queue.name, "state": IncomingState.SET_ASIDE.value}
    return filtered_url(request.member, **filters)


def standstill_of(copy: MessageCopy, holds: list[Hold]) -> Asking[str]:
    """Why a waiting copy is not tried; empty when it is, or has ended."""
    if copy.due_at is None:
        return ""
    rows = copy.queue.connections.filter(connection=copy.connection_id).select_related("connection")
    (links,) = yield (rows.order_by("pk")[:1],)
    link = next(iter(links), None)
    return _standstill(copy.queue, link, holds) if link is not None else "Its queue no longer uses the connection."


def _standstill(queue: Queue, link: QueueConnection, holds: list[Hold]) -> str:
    """Why nothing travels through this connection now; empty when something can."""
    if link.connection.state != ConnectionState.ACTIVE:
        state = link.connection.get_state_display()
        return f"The connection is {state}: nothing travels until it is Active."
    if not link.is_active:
        return "Switched off for this queue."
    if not queue.delivery_enabled:
        return "Delivery of this queue is disabled."
    held = next((one for one in holds if one.connection_id in (None, link.connection_id)), None)
    return f"Held by {held.holder(queue.vault_id)}: {held.reason}" if held is not None else ""


def _sections(queue: Queue) -> list[dict[str, str]]:
    is_job = queue.type == QueueType.JOB
    connections = [] if is_job else [("connections", "Queue Connections")]
    watched = [] if is_job else [("flow", "Traffic now"), ("alerts", "Alerts")]
    names = [
        ("details", "Details"),
        ("switches", "Switches"),
        *connections,
        ("messages", "Messages"),
        *watched,
        ("audit", "Audit"),
    ]
    return [{"id": anchor, "label": label} for anchor, label in names]


def _actions(request: MemberRequest, queue: Queue) -> Asking[list[dict[str, Any]]]:
    lacking = queues.needed(queue.type)
    refusal = "" if can(request.member, lacking) else f"Needs “{lacking.label}”."
    asked: list[Asking[Any]] = [
        tallies.asked(queue),
        queue_ending.delete_refusal(queue),
        _send_test(request, queue) if queue.is_outbound else known([]),
    ]
    waiting, kept, tried = yield from together(asked)
    entries = (
        ("Edit", "queue-edit", "pencil", "", False),
        ("Reset", "queue-reset", "refresh", "" if waiting else "No message waits in this queue.", True),
        ("Delete", "queue-delete", "trash", kept, True),
    )
    return tried + [
        {
            "label": label,
            "url": queue_url(queue, route),
            "icon": icon,
            "dialog": route != "queue-edit",
            "disabled_reason": refusal or reason,
            "danger": danger,
        }
        for label, route, icon, reason, danger in entries
    ]


def _send_test(request: MemberRequest, queue: Queue) -> Asking[list[dict[str, Any]]]:
    refusal = yield from trial_message.refusal_of_queue(queue)
    return [
        menu_entry(
            request.member,
            "Send signed test message",
            queue_url(queue, "queue-test-message"),
            icon="send",
            needs=Permission.MESSAGES_OPERATE,
            refusal=refusal,
        )
    ]


def _chips(request: MemberRequest, asked: dict[str, str]) -> list[dict[str, str]]:
    shown = {
        "q": f"“{asked['q']}”" if asked["q"] else "",
        "type": dict(QueueType.choices).get(asked["type"], ""),
        "status": asked["status"].title() if asked["status"] in selectors.STATUSES else "",
        "delivery": f"Delivery {asked['delivery']}" if asked["delivery"] in selectors.DELIVERIES else "",
    }
    return [
        {"label": label, "url": replaced_query(request, **{name: "", "after": ""})}
        for name, label in shown.items()
        if label
    ]
