"""A person's choice whether to get mails about tasks."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from vaultadmin import audit
from vaultadmin.models import User


def person(signed_in: Any) -> User:
    """The row of whoever is signed in."""
    return User.objects.get(pk=signed_in.pk)


def choose(*, user: User, wanted: bool) -> None:
    """Turn notices on or off; nothing is written when nothing changes."""
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        if locked.mail_notices == wanted:
            return
        locked.mail_notices = wanted
        locked.save(update_fields=["mail_notices"])
        changes: audit.Changes = {"E-mail notices": (not wanted, wanted)}
        audit.record(vault=None, by=locked, event="user.notices_changed", subject=locked, changes=changes)
