"""Secrets at rest: store, replace and reveal, always bound to their row.

The value is sealed with AES-256-GCM; the row's table, vault, purpose and id are the associated data, so a ciphertext
copied to another row, vault or purpose does not open (security.md K2). Nothing else in the product touches
`Secret.ciphertext`.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from vaultadmin import clock, crypto
from vaultadmin.audit import Actor, System
from vaultadmin.models import Secret, User, Vault


class SecretUnavailable(Exception):
    """The value cannot be opened now; the sentence says why and never contains it."""


def store(*, vault: Vault | None, purpose: str, value: str, by: Actor) -> Secret:
    """Seal a new secret. The caller audits the change of the record that refers to it."""
    secret = Secret(id=uuid4(), vault=vault, purpose=purpose)
    _seal_into(secret, value, by)
    secret.save(force_insert=True)
    return secret


def replace(secret: Secret, *, value: str, by: Actor) -> Secret:
    """Put another value into an existing secret; who refers to it keeps the reference."""
    _seal_into(secret, value, by)
    secret.save(update_fields=["ciphertext", "changed_at", "changed_by"])
    return secret


def discard(secret: Secret) -> None:
    """Remove a secret with the record it belonged to. The caller audits that."""
    secret.delete()


def reveal(secret: Secret) -> str:
    """The plain value, for use inside a service. Never put it into a page, a log or a task."""
    try:
        return _open(secret)
    except crypto.KeyMissing as error:
        raise SecretUnavailable(
            "This secret is sealed: its encryption key is missing from VAULTADMIN_ENCRYPTION_KEYS."
        ) from error
    except crypto.Tampered as error:
        raise SecretUnavailable("This secret cannot be opened: it does not belong to this record.") from error


def reseal_all(*, batch: int = 200) -> int:
    """Re-encrypt every secret that is not under the newest key; safe while the product runs. Returns how many."""
    ring, done = keyring(), 0
    stale = Secret.objects.exclude(ciphertext__startswith=f"v1:{ring.current_key_id}:").order_by("pk")
    while True:
        with transaction.atomic():
            rows = list(stale.select_for_update(skip_locked=True)[:batch])
            for secret in rows:
                secret.ciphertext = ring.seal(reveal(secret), context=_context(secret))
            Secret.objects.bulk_update(rows, ["ciphertext"])
        done += len(rows)
        if not rows:
            return done


def key_ids() -> tuple[str, ...]:
    """The keys we hold."""
    return tuple(key_id for key_id, _key in keyring().keys)


def sealed(held: Collection[str] | None = None) -> QuerySet[Secret]:
    """The secrets under a key we do not hold; any of them puts up the *sealed* banner."""
    rows = Secret.objects.all()
    for key_id in key_ids() if held is None else held:
        rows = rows.exclude(ciphertext__startswith=f"v1:{key_id}:")
    return rows


def add_key() -> crypto.Keyring:
    """First step of a rotation: put a fresh key at the head of the keyring file. Running processes read it when
    they meet the first value under it."""
    ring = keyring().with_new_key()
    ring.save(settings.KEYRING_FILE)
    keyring.cache_clear()
    return keyring()


@lru_cache(maxsize=1)
def keyring() -> crypto.Keyring:
    """The installation's keyring, read once per process."""
    return crypto.Keyring.from_env_or_file(settings.KEYRING_FILE, settings.ENCRYPTION_KEYS)


def _open(secret: Secret) -> str:
    try:
        return keyring().open(secret.ciphertext, context=_context(secret))
    except crypto.KeyMissing:
        # A rotation may have added the key to the file since this process read it.
        keyring.cache_clear()
        return keyring().open(secret.ciphertext, context=_context(secret))


def _seal_into(secret: Secret, value: str, by: Actor) -> None:
    secret.ciphertext = keyring().seal(value, context=_context(secret))
    secret.changed_at = clock.now()
    secret.changed_by = by.name if isinstance(by, System | User) else by.user.name


def _context(secret: Secret) -> str:
    return f"vaultadmin_secret.ciphertext:{secret.vault_id or 0}:{secret.purpose}:{secret.pk}"
