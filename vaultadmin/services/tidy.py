"""What an installation may forget: expired sessions, old counters, links nobody can use any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session

from vaultadmin.accounts import limits
from vaultadmin.models import Invitation
from vaultadmin.rest import pace
from vaultadmin.services import api_sessions, api_usage

# Long enough for an administrator to say "your link ran out on Tuesday".
_KEEP_LINKS = timedelta(days=30)


def sweep(*, now: datetime) -> None:
    """Delete what is over. Running it twice, or never, changes no answer the product gives."""
    Session.objects.filter(expire_date__lt=now).delete()
    UserSession.objects.filter(last_seen_at__lt=now - settings.SESSION_ABSOLUTE).delete()
    AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME).delete()
    Invitation.objects.filter(expires_at__lt=now - _KEEP_LINKS).delete()
    limits.forget_old(now=now)
    pace.forget_old(now=now)
    api_sessions.forget_old(now=now)
    api_usage.forget_old(now=now)
