"""The clocks of other installations: measured with every signed time heard, told to our operators when too far off."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from connections import conf
from connections.models import Binding, PeerClock
from connections.selectors.clocks import describe
from vaultadmin import audit
from vaultadmin.accounts import limits
from vaultadmin.models import Installation, Vault

# A peer with a wrong clock tries again every few minutes; the trail says so once an hour.
_TELL_EVERY = timedelta(hours=1)


def note(installation_id: UUID, *, said: datetime, now: datetime) -> None:
    """Remember how far another installation's clock is from ours; our own is never off."""
    if installation_id == Installation.current().pk:
        return
    values = {"offset_seconds": round((said - now).total_seconds()), "measured_at": now}
    PeerClock.objects.update_or_create(installation_id=installation_id, defaults=values)


def tell_refusal(vault: Vault, installation_id: UUID, peer_vault_id: int, *, said: datetime, now: datetime) -> None:
    """Say in the vault's audit trail that a peer's messages are put off because the clocks differ."""
    key = f"peering-clock:{vault.pk}:{installation_id}"
    with transaction.atomic():
        if limits.take(key, limit=1, within=_TELL_EVERY, now=now) is None:
            return
        tolerance = int(conf.peer_clock_tolerance().total_seconds() // 60)
        audit.record(
            vault=vault,
            by=audit.System(_name(vault, installation_id, peer_vault_id)),
            event="peering.clock_refused",
            changes={"Its time": (None, said), "Our time": (None, now)},
            reason=f"The clock over there is {describe(said - now)}. Its messages are put off until both clocks "
            f"agree within {tolerance} minutes.",
        )


def _name(vault: Vault, installation_id: UUID, peer_vault_id: int) -> str:
    known = Binding.objects.filter(
        connection__vault=vault, peer_installation_id=installation_id, peer_vault_id=peer_vault_id
    ).first()
    return f"Vault {peer_vault_id} ({known.peer_name})" if known else f"Vault {peer_vault_id} of another installation"
