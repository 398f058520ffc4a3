"""Slowing down who guesses: places per address before anything is hashed, then django-axes per person and address."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from vaultadmin import clock
from vaultadmin.accounts import limits
from vaultadmin.accounts.limits import Attempt
from vaultadmin.models import User

_MINUTE = timedelta(minutes=1)
# What axes can store of a typed e-mail address.
_LONGEST_NAME = 255


def take_attempt(request: HttpRequest) -> Attempt | None:
    """A place among this address's attempts of the last minute; None when it must wait (security.md G1)."""
    key = f"sign-in:{limits.address_key(address(request))}"
    return limits.take(key, limit=settings.LOGIN_FAILURES_PER_MINUTE, within=_MINUTE, now=clock.now())


def refuse(request: HttpRequest) -> None:
    """Make AxesMiddleware answer with `locked_out`, whatever the view was about to say."""
    request.axes_locked_out = True  # type: ignore[attr-defined]
    request.sign_in_pause = _MINUTE  # type: ignore[attr-defined]


def locked_out(request: HttpRequest, response: HttpResponse | None = None, credentials: Any = None) -> HttpResponse:
    """429 with the same sentence for known and unknown people (settings AXES_LOCKOUT_CALLABLE)."""
    pause: timedelta = getattr(request, "sign_in_pause", settings.AXES_COOLOFF_TIME)
    context = {"minutes": int(pause.total_seconds() // 60)}
    page = render(request, "account/locked_out.html", context, status=429)
    page["Retry-After"] = str(int(pause.total_seconds()))
    return page


def typed_name(request: HttpRequest | None, credentials: dict[str, Any] | None = None) -> str:
    """Whom an attempt was for (settings AXES_USERNAME_CALLABLE); the same for every spelling of one address."""
    found = credentials or {}
    name = found.get("email") or found.get("login") or found.get("username")
    if not name and request is not None:
        name = request.POST.get("login")
    return str(name or "").strip().lower().replace("\x00", "")[:_LONGEST_NAME]


def address(request: HttpRequest) -> str:
    """Where an attempt came from (settings AXES_CLIENT_IP_CALLABLE); `middleware.own_address` has seen to proxies."""
    return str(request.META.get("REMOTE_ADDR", ""))


def was_checked(request: HttpRequest) -> bool:
    """Did this attempt get as far as the password? axes counts failures then, and only then."""
    refused = getattr(request, "axes_locked_out", False)
    return not refused or getattr(request, "axes_failures_since_start", None) is not None


def locked_addresses(user: User) -> list[str]:
    """The addresses from which this person cannot sign in now."""
    since = clock.now() - settings.AXES_COOLOFF_TIME
    rows = AccessAttempt.objects.filter(username=user.email, attempt_time__gte=since).values("ip_address")
    tried = rows.annotate(failures=Sum("failures_since_start")).filter(failures__gte=settings.AXES_FAILURE_LIMIT)
    return [row["ip_address"] for row in tried]


def unlock(user: User) -> int:
    """Forget this person's failed attempts everywhere; returns from how many addresses there were any."""
    return int(AxesProxyHandler.reset_attempts(username=user.email))
