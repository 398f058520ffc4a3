"""Single-use links by which a person sets a password: after an invitation, or when an administrator resets it.

The link is 256 random bits kept as SHA-256 (see tokens.py for why that is enough), lives 72 hours, works once, and a
newer one makes older ones worthless.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from secrets import token_urlsafe
from smtplib import SMTPException

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from vaultadmin import audit
from vaultadmin.accounts import lockout, sessions
from vaultadmin.models import Invitation, User, Vault

logger = structlog.get_logger(__name__)
INVITATION, RESET = "invitation", "reset"
LIFETIME = timedelta(hours=72)
_LONGEST = 128


class LinkRefused(Exception):
    """The link does not work; the sentence is the same for every reason but says what to do."""

    def __init__(self) -> None:
        super().__init__("This link has been used, has run out or was replaced. Ask your administrator for a new one.")


def issue(user: User, *, purpose: str, now: datetime) -> str:
    """A fresh link for this person, shown once. The caller audits why; earlier links stop working."""
    token = token_urlsafe(32)
    with transaction.atomic():
        Invitation.objects.filter(user=user, used_at__isnull=True).update(expires_at=now)
        Invitation.objects.create(
            user=user, token_hash=_hash(token), purpose=purpose, created_at=now, expires_at=now + LIFETIME
        )
    return f"{settings.PUBLIC_URL}{reverse('invitation', args=[token])}"


def find(token: str, *, now: datetime) -> Invitation:
    """The live invitation behind a link. Raises LinkRefused."""
    row = _live(now).filter(token_hash=_hash(token)).first() if len(token) <= _LONGEST else None
    if row is None:
        raise LinkRefused
    return row


def redeem(token: str, *, password: str, now: datetime) -> User:
    """Set the password the person chose and use the link up. Raises LinkRefused, also when another was faster.

    Their old sessions end by the change of password itself; failed attempts are forgotten with the old password.
    """
    with transaction.atomic():
        row = _live(now).select_for_update(of=("self",)).filter(token_hash=_hash(token)).first()
        if row is None:
            raise LinkRefused
        user, row.used_at = row.user, now
        user.set_password(password)
        user.save(update_fields=["password"])
        row.save(update_fields=["used_at"])
        changes: audit.Changes = {"password": (None, audit.SECRET_CHANGED)}
        audit.record(vault=None, by=user, event="user.password_set", subject=user, changes=changes)
        sessions.end_all(user)
        lockout.unlock(user)
    return user


def send(user: User, link: str, *, purpose: str, vault: Vault) -> bool:
    """Mail the link; False when the mail server did not take it (the administrator still has the link to copy)."""
    subject = f"[vaultadmin] {'Your invitation to' if purpose == INVITATION else 'A new password for'} {vault}"
    text = (
        f"Hello {user},\n\n"
        f"{'you were invited to' if purpose == INVITATION else 'an administrator reset your password for'} {vault}. "
        f"Choose a password here within {int(LIFETIME.total_seconds() // 3600)} hours:\n\n{link}\n\n"
        "The link works once. If you expected no such mail, tell your administrator.\n"
    )
    try:
        send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [user.email])
    except (OSError, SMTPException) as error:
        logger.error("mail_not_sent", template=purpose, error=type(error).__name__)
        return False
    return True


def _live(now: datetime) -> QuerySet[Invitation]:
    return Invitation.objects.select_related("user").filter(
        used_at__isnull=True, expires_at__gt=now, user__is_active=True
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
