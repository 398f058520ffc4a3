"""Ask for a sandbox, refresh one, try a failed one again. The copying itself is done by `building`."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from vaultadmin import audit, wake
from vaultadmin.models import Membership, Sandbox, SandboxState, User, Vault
from vaultadmin.permissions import Permission, ensure
from vaultadmin.services import vaults

LANE = "sandboxes"
_LONGEST_LABEL = 63


class SandboxRefused(Exception):
    """The sandbox cannot be made or refreshed as asked; `field` names the form field the sentence belongs to."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def create(
    *,
    source: Vault,
    name: str,
    by: Membership | audit.System,
    now: datetime,
    dns: str = "",
    with_people: bool = True,
    wake_workers: bool = True,
) -> Sandbox:
    """A sandbox of `source`, filled by the workers. Nobody is a member of it until it is whole.

    Who builds it without delay says `wake_workers=False`, and gets at it before the next tick.
    """
    _ensure(by, source)
    if refusal := create_refusal(source):
        raise SandboxRefused(refusal)
    vault = Vault(
        id=vaults.next_id(),
        name=name.strip(),
        dns=dns.strip().lower() or free_dns(source, name),
        application=source.application,
        is_sandbox=True,
        source_vault=source,
        created_at=now,
    )
    vault.domain = vault.dns.partition(".")[2]
    sandbox: Sandbox = Sandbox(
        vault=vault, source=source, with_people=with_people, requested_at=now, requested_by=_user(by)
    )
    try:
        vaults.check(vault)
        with transaction.atomic():
            _ensure_new_name(source, vault.name)
            vaults.add(vault, by=by)
            sandbox.save(force_insert=True)
            _record(sandbox, "sandbox.requested", by)
            if wake_workers:
                wake.wake(LANE)
    except vaults.VaultRefused as refused:
        raise SandboxRefused(str(refused), field=refused.field) from refused
    except IntegrityError as error:
        raise SandboxRefused("Another vault took this DNS name just now. Choose another one.", field="dns") from error
    return sandbox


def refresh(
    *, sandbox: Sandbox, confirmation: str, with_people: bool, by: Membership | audit.System, now: datetime
) -> Sandbox:
    """Replace the sandbox's configuration by the source's as it is now; `confirmation` is its name, typed."""
    _ensure(by, sandbox.source)
    with transaction.atomic():
        locked = _lock(sandbox)
        if refusal := refresh_refusal(locked, now):
            raise SandboxRefused(refusal)
        if confirmation.strip() != locked.vault.name:
            raise SandboxRefused(f"Type the sandbox's name, {locked.vault.name}, to confirm.", field="confirmation")
        _start(locked, by, now, is_refresh=True, with_people=with_people)
        _record(locked, "sandbox.refresh_requested", by)
    return locked


def retry(*, sandbox: Sandbox, by: Membership | audit.System, now: datetime) -> Sandbox:
    """Try a failed build again."""
    _ensure(by, sandbox.source)
    with transaction.atomic():
        locked = _lock(sandbox)
        if refusal := retry_refusal(locked):
            raise SandboxRefused(refusal)
        _start(locked, by, now, is_refresh=locked.is_refresh, with_people=locked.with_people)
        _record(locked, "sandbox.retried", by)
    return locked


def create_refusal(source: Vault) -> str:
    """Why no sandbox can be made of this vault; empty when one can."""
    return "A sandbox has no sandboxes of its own: create one from its source." if source.is_sandbox else ""


def refresh_refusal(sandbox: Sandbox, now: datetime) -> str:
    """Why it cannot be refreshed now; empty when it can."""
    if sandbox.state != SandboxState.ACTIVE:
        return f"This sandbox is {sandbox.get_state_display()}; only an Active one can be refreshed."
    allowed = sandbox.refresh_allowed_at()
    if allowed is not None and now < allowed:
        return f"A sandbox is refreshed once in 24 hours; this one again from {allowed:%Y-%m-%d %H:%M} UTC."
    return ""


def retry_refusal(sandbox: Sandbox) -> str:
    """Why it cannot be tried again; empty when it can."""
    if sandbox.state != SandboxState.FAILED:
        return f"This sandbox is {sandbox.get_state_display()}; only a failed one is tried again."
    return ""


def free_dns(source: Vault, name: str) -> str:
    """A DNS name beside the source's, made from the sandbox's name; with a number if it is taken."""
    label = slugify(name).replace("_", "-").strip("-")[: _LONGEST_LABEL - 4] or "sandbox"
    domain = source.dns.partition(".")[2]
    number, candidate = 1, f"{label}.{domain}"
    while Vault.objects.filter(dns=candidate).exists():
        number += 1
        candidate = f"{label}-{number}.{domain}"
    return candidate


def _ensure_new_name(source: Vault, name: str) -> None:
    """Under the source's lock, so that the same click twice makes one."""
    Vault.objects.select_for_update().get(pk=source.pk)
    if Sandbox.objects.filter(source=source, vault__name=name).exists():
        raise SandboxRefused(f"A sandbox called {name} exists. Refresh it, or choose another name.", field="name")


def _lock(sandbox: Sandbox) -> Sandbox:
    rows = Sandbox.objects.select_for_update(of=("self",)).select_related("vault", "source")
    locked: Sandbox = rows.get(pk=sandbox.pk)
    return locked


def _start(
    sandbox: Sandbox, by: Membership | audit.System, now: datetime, *, is_refresh: bool, with_people: bool
) -> None:
    sandbox.build_again()
    sandbox.is_refresh, sandbox.with_people = is_refresh, with_people
    sandbox.requested_by, sandbox.requested_at = _user(by), now
    sandbox.started_at = sandbox.lease_token = sandbox.lease_until = None
    sandbox.attempts, sandbox.error = 0, ""
    sandbox.step, sandbox.steps, sandbox.doing = 0, 0, ""
    sandbox.save()
    wake.wake(LANE)


def _ensure(by: Membership | audit.System, source: Vault) -> None:
    if isinstance(by, Membership):
        if by.vault_id != source.pk:
            raise Sandbox.DoesNotExist
        ensure(by, Permission.ADMIN_SANDBOXES)


def _user(by: Membership | audit.System) -> User | None:
    return by.user if isinstance(by, Membership) else None


def _record(sandbox: Sandbox, event: str, by: audit.Actor) -> None:
    changes: audit.Changes = {"Sandbox": (None, str(sandbox.vault)), "Copy people": (None, sandbox.with_people)}
    audit.record(vault=sandbox.source, by=by, event=event, subject=sandbox.vault, changes=changes)
