"""What a vault decides for itself is changed here, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from vaultadmin import audit, registries
from vaultadmin.models import Membership, Vault, VaultSettings
from vaultadmin.permissions import Permission, ensure
from vaultadmin.rest.client_ids import INVALID, UNKNOWN
from vaultadmin.selectors import api_usage
from vaultadmin.selectors.api_usage import SeenClient

FIELDS = ("client_id_filtering", "session_minutes", "own_requests", "request_days", "message_days")


class SettingsRefused(Exception):
    """The settings cannot be changed as asked; `field` names the form field the sentence belongs to."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class FilteringOutlook:
    """What Client ID Filtering lets in, and which of the callers of late it would refuse."""

    approved: list[tuple[str, str]]
    refused: list[SeenClient]


def change(
    *, values: Mapping[str, Any], reason: str, by: Membership, now: datetime, seen: datetime | None
) -> VaultSettings:
    """Change the settings of `by`'s vault, with before and after. `seen` is the version the person looked at.

    `own_requests` stays what it is outside a sandbox: nobody can approve their own request where it counts.
    """
    ensure(by, Permission.ADMIN_SETTINGS)
    with transaction.atomic():
        row = _locked(by.vault)
        if row.modified_at != seen:
            raise SettingsRefused("Somebody changed the settings since you opened them; look at them again.")
        before = audit.snapshot(row, FIELDS)
        for name in FIELDS:
            setattr(row, name, values[name])
        if row.own_requests and not by.vault.is_sandbox:
            raise SettingsRefused(
                "This Vault is no sandbox: nobody can approve their own request.", field="own_requests"
            )
        changes = audit.diff(before, row, FIELDS)
        if changes:
            row.modified_at = now
            row.save()
            audit.record(vault=by.vault, by=by, event="settings.changed", subject=row, changes=changes, reason=reason)
    return row


def outlook(vault: Vault) -> FilteringOutlook:
    """What switching Client ID Filtering on means for this vault now."""
    approved = registries.clients.approved(vault_id=vault.pk)
    known = {client_id for client_id, _connection in approved}
    return FilteringOutlook(approved, [one for one in api_usage.seen_clients(vault) if one.client_id not in known])


def words_of(client_id: str) -> str:
    """A Client ID of the usage log as people read it."""
    return {UNKNOWN: "no Client ID at all", INVALID: "a Client ID that is not legal"}.get(client_id, client_id)


def _locked(vault: Vault) -> VaultSettings:
    """The row under its lock; made with the defaults when the vault had none, in this transaction."""
    VaultSettings.objects.bulk_create([VaultSettings(vault=vault)], ignore_conflicts=True)
    return VaultSettings.objects.select_for_update().get(vault=vault)
