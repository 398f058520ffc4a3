"""Setting an installation up: idempotent, run at every start before the first page."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from vaultadmin import audit, crypto
from vaultadmin.models import Installation, Secret
from vaultadmin.services import place

SETUP = audit.System("Set-up")


def prepare() -> Installation:
    """Make sure the installation has its identity and its keyring opens; raises crypto.KeyringError if not."""
    # Once something is sealed, a missing keyring must stop the start: a fresh one would open none of it (K4).
    crypto.Keyring.from_env_or_file(settings.KEYRING_FILE, settings.ENCRYPTION_KEYS, must_exist=Secret.objects.exists())
    found = Installation.current()
    place.look()
    return found


def mark_ready(*, now: datetime) -> None:
    """From here on `/readyz` may say yes: migrations, set-up and the demo load are done."""
    Installation.objects.filter(singleton=True).update(ready_at=now)


def mark_starting() -> None:
    """A start begins: `/readyz` says no until `mark_ready`."""
    Installation.objects.filter(singleton=True).update(ready_at=None)
