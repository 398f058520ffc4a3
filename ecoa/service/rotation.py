"""Secrets of a system: issued once, exchanged with an overlap, revoked at once.

A secret is kept as SHA-256 over a random salt and the secret. That is enough, and a slow password hash would be
wrong: secrets are issued here with 256 random bits, so there is nothing to guess from a stolen digest, while a slow
hash would let anyone who posts wrong secrets keep the machine busy.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from ecoa.service.models import ServiceSecret, ServiceSystem
from ecoa.services.actors import ensure_manager
from ecoa.services.refusals import Refused
from vaultadmin import audit

OVERLAP_MAX = timedelta(days=90)
# Two hold while a caller changes over, never more: what nobody uses any longer must be seen to end.
_LIVE_MAX = 2
_SALT_BYTES = 16
_NO_SALT, _NO_DIGEST = bytes(_SALT_BYTES), bytes(hashlib.sha256().digest_size)


def new_secret() -> str:
    """A new secret, to be shown once."""
    return secrets.token_urlsafe(32)


def live(system: ServiceSystem, *, now: datetime) -> QuerySet[ServiceSecret]:
    """The secrets that open the service now, newest first."""
    return system.secrets.filter(Q(ends_at=None) | Q(ends_at__gt=now), revoked_at=None).order_by("-version")


@transaction.atomic
def rotate(system: ServiceSystem, *, overlap: timedelta, by: audit.Actor, now: datetime) -> str:
    """Issue another secret and return it: the only time it is seen. The one before holds on for the overlap."""
    ensure_manager(by, system.vault_id or 0)
    row = _locked(system)
    if overlap > OVERLAP_MAX:
        raise Refused(f"An overlap lasts at most {OVERLAP_MAX.days} days.", field="overlap")
    before = list(live(row, now=now))
    if overlap and len(before) >= _LIVE_MAX:
        raise Refused("Two secrets hold already. Revoke one of them first.", field="overlap")
    for secret in before:
        if overlap:
            ServiceSecret.objects.filter(pk=secret.pk).update(ends_at=now + overlap)
        else:
            ServiceSecret.objects.filter(pk=secret.pk).update(revoked_at=now)
    raw = new_secret()
    _store(row, raw, by=by, now=now, ends=now + overlap if before and overlap else None)
    return raw


@transaction.atomic
def replace(system: ServiceSystem, *, secret: str, by: audit.Actor, now: datetime) -> ServiceSecret:
    """Give the system this secret and no other. Tokens of the ones before are refused from this commit on."""
    row = _locked(system)
    row.secrets.filter(revoked_at=None).update(revoked_at=now)
    return _store(row, secret, by=by, now=now, ends=None)


@transaction.atomic
def revoke(secret: ServiceSecret, *, by: audit.Actor, now: datetime) -> ServiceSecret:
    """End a secret and every token given for it, at once."""
    system = _locked(secret.system)
    ensure_manager(by, system.vault_id or 0)
    row = ServiceSecret.objects.get(pk=secret.pk)
    if row.state(now) not in ("active", "expiring"):
        raise Refused("This secret has ended already.")
    row.revoked_at = now
    row.save(update_fields=["revoked_at"])
    changes: audit.Changes = {f"Secret {row.version}": ("holds", "revoked")}
    audit.record(vault=system.vault, by=by, event="ecoa_system.secret_revoked", subject=system, changes=changes)
    return row


def matching(candidates: Sequence[ServiceSecret], secret: str) -> ServiceSecret | None:
    """Which of a system's live secrets this is. It costs the same for none, one and two: timing tells nothing."""
    found = None
    for place in range(_LIVE_MAX):
        candidate = candidates[place] if place < len(candidates) else None
        salt = bytes(candidate.salt) if candidate else _NO_SALT
        expected = bytes(candidate.digest) if candidate else _NO_DIGEST
        if hmac.compare_digest(_hash(salt, secret), expected):
            found = candidate
    return found


def _store(system: ServiceSystem, raw: str, *, by: audit.Actor, now: datetime, ends: datetime | None) -> ServiceSecret:
    newest = system.secrets.order_by("-version").values_list("version", flat=True).first() or 0
    salt = secrets.token_bytes(_SALT_BYTES)
    stored = ServiceSecret.objects.create(
        system=system, version=newest + 1, salt=salt, digest=_hash(salt, raw), created_at=now
    )
    changes: audit.Changes = {"Secret": (None, audit.SECRET_CHANGED), "Version": (newest or None, stored.version)}
    if ends is not None:
        changes["The one before ends"] = (None, ends.isoformat())
    event = "ecoa_system.secret_replaced" if newest else "ecoa_system.secret_issued"
    audit.record(vault=system.vault, by=by, event=event, subject=system, changes=changes)
    return stored


def _locked(system: ServiceSystem) -> ServiceSystem:
    return ServiceSystem.objects.select_for_update(of=("self",)).select_related("vault").get(pk=system.pk)


def _hash(salt: bytes, secret: str) -> bytes:
    return hashlib.sha256(salt + secret.encode()).digest()
