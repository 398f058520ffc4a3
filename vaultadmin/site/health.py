"""Is the process up, and is the product ready (interfaces.md section 4, Operations)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from redis import Redis, RedisError

from connections.selectors import waiting
from vaultadmin import clock, embedded
from vaultadmin.access import Gate, requires
from vaultadmin.models import Installation
from vaultadmin.site import vital_signs


@require_safe
@requires(Gate.PUBLIC)
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@requires(Gate.PUBLIC)
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when set-up is done and database, Redis, workers and beat answer; 503 naming what does not."""
    checks = _checks()
    ready = all(check["ok"] for check in checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


def _checks() -> dict[str, dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    now = clock.now()
    signs = vital_signs.read(now=now)
    oldest = waiting.oldest_due(now)
    return {
        "database": {"ok": True},
        "setup": {"ok": Installation.objects.filter(ready_at__isnull=False).exists()},
        "redis": {"ok": redis_answers()},
        "beat": {"ok": signs.beat.alive, "age": signs.beat.age},
        # A backlog is work, not a reason to send nobody here: told, never judged.
        "messages": {"ok": True, "oldest_due": int((now - oldest).total_seconds()) if oldest is not None else None},
        "workers": {"ok": signs.workers_alive, "silent": [pulse.name for pulse in signs.queues if not pulse.alive]},
    }


def redis_answers() -> bool:
    """Does Redis answer a ping within a second?"""
    url = settings.REDIS_URL or embedded.redis_url(settings.DATA_DIR)
    try:
        with Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as client:
            return bool(client.ping())
    except (RedisError, OSError):
        return False
