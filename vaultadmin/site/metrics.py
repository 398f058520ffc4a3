"""`/metrics` for Prometheus: what is due, what beats, and what the apps measure. Answered to whoever holds the token,
and without one to this very machine only."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from vaultadmin import clock, registries
from vaultadmin.access import Gate, requires
from vaultadmin.registries import Gauge
from vaultadmin.site import vital_signs

_PREFIX = "vaultadmin_"


@require_safe
@requires(Gate.MACHINE)
def metrics(request: HttpRequest) -> HttpResponse:
    """Every gauge in the text format; to others it is not there."""
    if not _may_read(request):
        return HttpResponse("Not found.\n", status=404, content_type="text/plain")
    now = clock.now()
    gauges = [*_platform(now), *(gauge for source in registries.gauges for gauge in source(now))]
    return HttpResponse("".join(_lines(gauges)), content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_read(request: HttpRequest) -> bool:
    token = settings.METRICS_TOKEN
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    # Whoever a proxy speaks for is not this machine, whatever address the proxy has.
    forwarded = {"X-Forwarded-For", "Forwarded", "X-Real-Ip"} & {name.title() for name in request.headers}
    try:
        return not forwarded and ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _platform(now: datetime) -> Iterator[Gauge]:
    signs = vital_signs.read(now=now)
    for sign in (signs.beat, *signs.queues):
        labels = {"name": sign.name}
        yield Gauge("alive", "Whether beat or the workers of a queue answered of late.", int(sign.alive), labels)
    for source in registries.lanes:
        lane = source(now)
        labels, waited = {"lane": lane.name}, (now - lane.oldest).total_seconds() if lane.oldest else 0
        yield Gauge("lane_due", "Rows that are due.", lane.due, labels)
        yield Gauge("lane_oldest_due_seconds", "How long the oldest due row has waited.", waited, labels)
        yield Gauge("lane_parked", "Rows that were given up.", lane.parked, labels)


def _lines(gauges: list[Gauge]) -> Iterator[str]:
    """All gauges of a name stand together under its description, as the format asks."""
    by_name: dict[str, list[Gauge]] = {}
    for gauge in gauges:
        by_name.setdefault(gauge.name, []).append(gauge)
    for name, some in by_name.items():
        yield f"# HELP {_PREFIX}{name} {some[0].text}\n# TYPE {_PREFIX}{name} gauge\n"
        for gauge in some:
            labels = ",".join(f'{label}="{_quoted(value)}"' for label, value in gauge.labels.items())
            yield f"{_PREFIX}{name}{'{' + labels + '}' if labels else ''} {gauge.value:g}\n"


def _quoted(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
