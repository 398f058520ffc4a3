"""How long a session lives, and what a person owes before their first page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from vaultadmin.models import Membership

_STARTED, _SEEN = "session_started", "session_seen"
# Writing the session on every click would cost an UPDATE per page; a minute's grain is enough for 15 minutes.
_GRAIN_SECONDS = 60


def is_over(request: HttpRequest, *, now: datetime) -> bool:
    """Has this session idled for 15 minutes or lived for 12 hours (settings SESSION_IDLE, SESSION_ABSOLUTE)?"""
    stamp = now.timestamp()
    started, seen = request.session.get(_STARTED, stamp), request.session.get(_SEEN, stamp)
    idle, absolute = settings.SESSION_IDLE.total_seconds(), settings.SESSION_ABSOLUTE.total_seconds()
    return stamp - seen > idle or stamp - started > absolute


def touch(request: HttpRequest, *, now: datetime) -> None:
    """Note activity, unless the request is a live page asking for news by itself."""
    stamp = now.timestamp()
    if _STARTED not in request.session:
        request.session[_STARTED] = stamp
    polling = request.headers.get("X-Poll") == "1"
    if not polling and stamp - request.session.get(_SEEN, 0) > _GRAIN_SECONDS:
        request.session[_SEEN] = stamp


def second_factor_duty(request: HttpRequest, view: Any, kwargs: dict[str, Any]) -> HttpResponse | None:
    """Send a person whose security profile demands a second factor to set one up before anything else."""
    vault_id = kwargs.get("vault_id")
    if vault_id is None or not request.user.is_authenticated or not view.access.within_vault:
        return None
    owes = Membership.objects.filter(user=request.user.pk, vault=vault_id, profile__requires_second_factor=True)
    if not owes.exists() or is_mfa_enabled(request.user):
        return None
    messages.warning(request, "Your security profile asks for a second factor. Set one up to go on.")
    return HttpResponseRedirect(reverse("mfa_index"))
