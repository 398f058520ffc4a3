"""Second factors at rest: their shared secrets are sealed by SecondFactorAdapter and rotated here."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db import transaction

from vaultadmin import secrets
from vaultadmin.accounts.adapter import SecondFactorAdapter

# Where allauth keeps what the adapter sealed: authenticator apps and recovery codes.
_SEALED_KEYS = ("secret", "seed")


def reseal_all() -> int:
    """Put every second factor under the newest key; returns how many changed."""
    ring, done = secrets.keyring(), 0
    for pk in Authenticator.objects.values_list("pk", flat=True):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().get(pk=pk)
            stale = [key for key in _SEALED_KEYS if key in row.data and ring.needs_reseal(row.data[key])]
            for key in stale:
                row.data[key] = ring.reseal(row.data[key], context=SecondFactorAdapter.CONTEXT)
            if stale:
                row.save(update_fields=["data"])
                done += 1
    return done
