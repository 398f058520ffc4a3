"""What the platform lets go of when a copied installation becomes one of its own: mails, tokens and sessions."""

from __future__ import annotations

from datetime import datetime

from vaultadmin.models import ApiSession, ApiToken, Membership, Notice
from vaultadmin.models.notice import NoticeOutcome


def let_go(by: Membership, now: datetime) -> dict[str, int]:
    """Inside the caller's transaction; returns how many of what were let go."""
    unsent = Notice.objects.filter(settled_at__isnull=True)
    return {
        "Unsent mails": unsent.update(
            settled_at=now, outcome=NoticeOutcome.DROPPED, lease_token=None, lease_until=None
        ),
        "API tokens": ApiToken.objects.filter(revoked_at__isnull=True).update(revoked_at=now),
        "API sessions": ApiSession.objects.filter(ended_at__isnull=True).update(ended_at=now),
    }
