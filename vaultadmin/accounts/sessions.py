"""How long a session lives, when its id changes, and how to end it."""

from __future__ import annotations

from datetime import datetime

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY, get_authentication_records
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest

from vaultadmin.accounts import lockout
from vaultadmin.models import User

_STARTED, _SEEN = "session_started", "session_seen"
# Writing the session on every click would cost an UPDATE per page; ten seconds are fine enough for 15 minutes.
GRAIN_SECONDS = 10


def begin(request: HttpRequest, *, now: datetime) -> None:
    """Start the clocks of a new session."""
    request.session[_STARTED] = request.session[_SEEN] = now.timestamp()


def is_over(request: HttpRequest, *, now: datetime) -> bool:
    """Has this session idled for 15 minutes or lived for 12 hours (settings SESSION_IDLE, SESSION_ABSOLUTE)?"""
    stamp = now.timestamp()
    started, seen = request.session.get(_STARTED, stamp), request.session.get(_SEEN, stamp)
    idle, absolute = settings.SESSION_IDLE.total_seconds(), settings.SESSION_ABSOLUTE.total_seconds()
    return bool(stamp - seen > idle or stamp - started > absolute)


def expire(request: HttpRequest) -> None:
    """End a session that is over; the trail says why."""
    request.sign_out_reason = "The session was too old or idle."  # type: ignore[attr-defined]
    logout(request)


def touch(request: HttpRequest, *, now: datetime) -> None:
    """Note activity, unless the request is a live page asking for news by itself (`X-Poll: 1`)."""
    if _STARTED not in request.session:
        begin(request, now=now)
    elif not is_poll(request) and now.timestamp() - request.session.get(_SEEN, 0) >= GRAIN_SECONDS:
        request.session[_SEEN] = now.timestamp()
        UserSession.objects.filter(session_key=request.session.session_key).update(
            last_seen_at=now, ip=lockout.address(request)
        )


def is_poll(request: HttpRequest) -> bool:
    """Is this a live page asking for news by itself?"""
    return request.headers.get("X-Poll") == "1"


def rotate(request: HttpRequest) -> None:
    """A new session id for the same session: whoever knew the old one is out (security.md G3)."""
    old = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=old).update(session_key=request.session.session_key)


def methods(request: HttpRequest, user: User) -> list[str]:
    """How the person proved who they are in this session, in words for the trail."""
    records = get_authentication_records(request, user)
    return [str(record.get("type") or record.get("provider") or record.get("method")) for record in records]


def note_provider_time(request: HttpRequest, stamp: float | None) -> None:
    """Date the newest proof by when the identity provider really asked, when that is longer ago than now."""
    records = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY)
    if stamp is not None and records:
        records[-1]["at"] = min(records[-1]["at"], stamp)
        request.session[AUTHENTICATION_METHODS_SESSION_KEY] = records


def end_all(user: User, *, keep: str | None = None) -> int:
    """End a person's sessions, but for the one with the key `keep`; returns how many."""
    rows = [row for row in UserSession.objects.filter(user=user.pk) if row.session_key != keep]
    for row in rows:
        row.end()
    return len(rows)
