"""What queues and connections carry, as pages show it: a part of several pages that fetches itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from connections.constants import QueueType
from connections.models import Connection, ConnectionStats, Queue
from connections.selectors import traffic as selectors
from connections.selectors.traffic import COUNTERS, Flow, Hour, Lane, Traffic
from connections.spark.waits import Percentiles
from connections.views.common import record_or_404
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import live
from vaultadmin.models import Vault
from vaultadmin.permissions import Permission
from vaultadmin.together import Asking, answer

PLACES = (Permission.SPARK_QUEUES, Permission.MESSAGES_OPERATE)
_LABELS = {name: str(getattr(ConnectionStats._meta.get_field(name), "verbose_name", name)) for name in COUNTERS}
# The little chart: as many bars as hours, in units of its view box.
_WIDE, _HIGH, _GAP = 10, 40, 2


@require_safe
@requires(Permission.CONNECTION_READ)
def of_connection(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """A connection's part, which asks again every few seconds."""
    return _part(request, answer(about_connection(record_or_404(request, api_name))))


@require_safe
@requires(*PLACES)
def of_queue(request: MemberRequest, vault_id: int, queue_name: str) -> HttpResponse:
    """A queue's part."""
    queue = Queue.objects.visible_to(request.member).filter(name=queue_name).first()
    if queue is None:
        raise Http404
    return _part(request, answer(about_queue(queue)))


@require_safe
@requires(*PLACES)
def of_vault(request: MemberRequest, vault_id: int) -> HttpResponse:
    """The part above the list of messages: all queues together."""
    return _part(request, answer(about_vault(request.member.vault)))


def about_connection(connection: Connection) -> Asking[dict[str, Any]]:
    """For `connections/_flow.html` on a connection's page."""
    url = reverse("connections:flow-of-connection", args=[connection.vault_id, connection.api_name])
    found = yield from selectors.of_connection(connection, now=clock.now())
    return _shown(found) | {"url": url, "by": "queue"}


def about_queue(queue: Queue) -> Asking[dict[str, Any]]:
    """For `connections/_flow.html` on a queue's page."""
    url = reverse("connections:flow-of-queue", args=[queue.vault_id, queue.name])
    found = yield from selectors.of_queue(queue, now=clock.now())
    return _shown(found) | {"url": url, "by": "connection"}


def about_vault(vault: Vault) -> Asking[dict[str, Any]]:
    """For `connections/_flow_strip.html` above the list of messages, without a line a lane."""
    url = reverse("connections:flow-of-vault", args=[vault.pk])
    found = yield from selectors.of_vault(vault, now=clock.now())
    return _shown(found) | {"url": url, "by": "", "lanes": []}


def span(seconds: float) -> str:
    """A length of time in two figures and one unit."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}" if seconds >= 10 * length else f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"


def _part(request: MemberRequest, flow: dict[str, Any]) -> HttpResponse:
    template = "connections/_flow.html" if flow["by"] else "connections/_flow_strip.html"
    return live(request, render(request, template, {"flow": flow}))


def _shown(found: Traffic) -> dict[str, Any]:
    total = found.total
    return {
        "is_used": bool(found.lanes),
        "waiting": f"{total.waiting:,}",
        "oldest_at": total.oldest_at,
        "counters": _counters(total),
        "waits": [_waits("Last hour", total.last_hour), _waits("Last 24 hours", total.last_day)],
        "bars": _bars(total.hours),
        "width": len(total.hours) * _WIDE,
        "height": _HIGH,
        "text": _sentence(total.hours),
        "lanes": [_lane(lane, flow) for lane, flow in found.lanes],
    }


def _counters(flow: Flow) -> list[dict[str, Any]]:
    """Each counter in the last hour and today."""
    return [
        {"label": _LABELS[name], "hour": f"{flow.hour[name]:,}", "today": f"{flow.today[name]:,}"} for name in COUNTERS
    ]


def _waits(label: str, found: Percentiles | None) -> dict[str, Any]:
    values = [span(found.p50), span(found.p95), span(found.p99)] if found else []
    return {"label": label, "values": values}


def _lane(lane: Lane, flow: Flow) -> dict[str, Any]:
    # What goes straight into a queue of this vault leaves no outcome on its lane.
    stands = _standing(lane, has_sent=bool(lane.last_outcome or flow.day["sent"]))
    return {
        "queue": lane.queue_label,
        "connection": lane.connection_name,
        "connection_api_name": lane.connection_api_name,
        "waiting": f"more than {lane.waiting - 1:,}" if lane.has_more else f"{lane.waiting:,}",
        "oldest_at": lane.oldest_at,
        "p95": span(flow.last_hour.p95) if flow.last_hour else "—",
        "through": f"{flow.day['sent'] + flow.day['received']:,}",
        "failures": f"{flow.day['failures']:,}",
        "state": stands[0],
        "state_word": stands[1],
        "error": lane.last_error if lane.last_outcome == "error" else "",
    }


def _standing(lane: Lane, *, has_sent: bool) -> tuple[str, str]:
    if not lane.is_active:
        return "inactive", "Inactive"
    if not lane.delivery_enabled:
        return "disabled", "Delivery disabled"
    if lane.queue_type == QueueType.INBOUND:
        return "active", "Receiving"
    if lane.last_outcome == "error":
        return "failed", "Not delivered"
    return ("active", "Delivering") if has_sent else ("waiting", "Nothing sent yet")


def _bars(hours: Sequence[Hour]) -> list[dict[str, Any]]:
    """Each hour: what went through from below, failed attempts on top of it."""
    most = max((hour.through + hour.failures for hour in hours), default=0)
    return [_bar(number, hour, most) for number, hour in enumerate(hours)]


def _bar(number: int, hour: Hour, most: int) -> dict[str, Any]:
    through, failed = _height(hour.through, most), _height(hour.failures, most)
    return {
        "x": number * _WIDE,
        "width": _WIDE - _GAP,
        "through": through,
        "through_y": _HIGH - through,
        "failed": failed,
        "failed_y": max(_HIGH - through - failed, 0),
    }


def _height(number: int, most: int) -> int:
    """In whole units; the smallest number is still to be seen."""
    return max(round(number / most * _HIGH), 2) if number else 0


def _sentence(hours: Sequence[Hour]) -> str:
    """What the little chart shows, in words."""
    through, failures = sum(hour.through for hour in hours), sum(hour.failures for hour in hours)
    if not through + failures:
        return "Nothing went through in the last 24 hours."
    busiest = max(hours, key=lambda hour: hour.through)
    text = f"In the last 24 hours {_number(through, 'message')} went through"
    if through:
        text += f", most in the hour from {_clock(busiest.starts_at)} ({busiest.through:,})"
    worst = max(hours, key=lambda hour: hour.failures)
    if not failures:
        return f"{text}. No attempt failed."
    return f"{text}. {_number(failures, 'attempt')} failed, most in the hour from {_clock(worst.starts_at)}."


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC"


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
