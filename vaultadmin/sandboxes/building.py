"""Build a sandbox: one transaction that clears and copies everything, so that it is there whole or not at all."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import F

from vaultadmin import audit, claims, clock, registries
from vaultadmin.models import Sandbox, SandboxLink, SandboxState
from vaultadmin.sandboxes.registry import Copying, parts

logger = structlog.get_logger(__name__)
MOST_ATTEMPTS = 3
# Longer than the hard limit of a task, so that a lease ends only with whoever held it.
_LEASE = timedelta(seconds=180)
_PAUSE = timedelta(seconds=15)
_FAILED = "It could not be copied; nothing was changed. Try again, and if it fails again look into the worker's log."


class LeaseLost(Exception):
    """Somebody else builds this sandbox meanwhile; what was done here is rolled back."""


def build_due(*, now: datetime) -> int:
    """Build every sandbox that waits; returns how many were worked on."""
    done = 0
    while build_next(Sandbox.objects.due(now), now=now):
        done += 1
    return done


def build_next(due: object, *, now: datetime) -> bool:
    """Claim one of these sandboxes and build it; False when none is free."""
    claim = claims.claim(due, limit=1, lease=_LEASE, now=now, attempts=F("attempts") + 1, started_at=now)  # type: ignore[arg-type]
    if not claim:
        return False
    build(claim.ids[0], token=claim.token)
    return True


def build(pk: int, *, token: UUID) -> None:
    """Build the sandbox this claim is for, and settle the claim in the same transaction."""
    held = Sandbox.objects.filter(pk=pk)
    try:
        if held.filter(attempts__gt=MOST_ATTEMPTS).exists():
            raise TooManyAttempts
        with transaction.atomic():
            copied = fill(held.select_related("vault", "source", "requested_by").get(), now=clock.now())
            settle(pk, token, copied, now=clock.now())
    except LeaseLost:
        logger.warning("sandbox_lease_lost", sandbox=pk)
    except Exception:
        # Whatever it was, nothing of it is stored; the row says so and the log says what.
        logger.exception("sandbox_not_built", sandbox=pk)
        _give_back(pk, token, now=clock.now())


class TooManyAttempts(Exception):
    """Every try ended before it could say why, as when the process was killed."""


def fill(sandbox: Sandbox, *, now: datetime) -> dict[str, int]:
    """Clear and copy every part, inside the caller's transaction; how many rows of which."""
    by: audit.Actor = sandbox.requested_by or audit.System("create_sandbox")
    copying = Copying(sandbox.source, sandbox.vault, sandbox.with_people, by, now)
    # Whoever changes the people or standard connections of either vault waits, and so does a second build.
    for vault in sorted((copying.source, copying.target), key=lambda vault: vault.pk):
        type(vault).objects.select_for_update().get(pk=vault.pk)
    for part in reversed(parts):
        part.clear(copying)
    copied = {}
    for number, part in enumerate(parts):
        _tell(sandbox.pk, number, part.label)
        copied[part.label] = part.copy(copying)
    for fit_out in registries.vault_parts:
        fit_out(copying.target, by, now)
    SandboxLink.objects.filter(sandbox=sandbox).delete()
    SandboxLink.objects.bulk_create(copying.broken)
    changes: audit.Changes = {label: (None, number) for label, number in copied.items()}
    event = "sandbox.refreshed" if sandbox.is_refresh else "sandbox.built"
    audit.record(vault=copying.target, by=by, event=event, subject=copying.target, changes=changes)
    return copied


def settle(pk: int, token: UUID, copied: dict[str, int], *, now: datetime) -> None:
    """Make the sandbox Active; raises LeaseLost when somebody else holds the claim by now."""
    rows = Sandbox.objects.filter(pk=pk, state=SandboxState.BUILDING)
    rows.filter(is_refresh=True).update(refreshed_at=now)
    sets = {"state": SandboxState.ACTIVE, "built_at": now, "copied": copied, "error": "", "doing": ""}
    if not claims.settle(rows, token=token, **sets):
        raise LeaseLost


def _give_back(pk: int, token: UUID, *, now: datetime) -> None:
    """After a failure: try again soon, or say that it failed once it did so too often."""
    rows = Sandbox.objects.filter(pk=pk, state=SandboxState.BUILDING)
    if claims.settle(rows.filter(attempts__gte=MOST_ATTEMPTS), token=token, state=SandboxState.FAILED, error=_FAILED):
        return
    rows.filter(lease_token=token).update(lease_until=now + _PAUSE)


def _tell(pk: int, number: int, label: str) -> None:
    """Say how far the copy has come, over a connection of its own: the copy's transaction shows nothing yet."""
    with closing(connection.copy()) as aside, aside.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Sandbox._meta.db_table} SET step = %s, steps = %s, doing = %s WHERE vault_id = %s",  # nosec B608
            [number, len(parts), label, pk],
        )
