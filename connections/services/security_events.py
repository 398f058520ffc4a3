"""Refused identities in the audit trail: one row each, and never so many that a flood fills the disk."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import transaction

from vaultadmin import audit
from vaultadmin.accounts import limits
from vaultadmin.models import Vault

ROWS_A_MINUTE: Final = 120
NETWORK: Final = audit.System("Network")

logger = structlog.get_logger(__name__)


def record_refusal(*, vault: Vault | None, name: str, reason: str, now: datetime) -> None:
    """Write down that a message was not believed, in the vault's trail, or in the installation's for a vault we lack.

    Beyond ROWS_A_MINUTE of one vault only the log tells.
    """
    logger.warning("peer_message_refused", vault=vault.pk if vault else None, message=name[:32], reason=reason)
    chain = vault.pk if vault else audit.INSTALLATION_CHAIN
    with transaction.atomic():
        if limits.take(f"peering-refused:{chain}", limit=ROWS_A_MINUTE, within=timedelta(minutes=1), now=now) is None:
            return
        changes: audit.Changes = {"Message": (None, name[:32])}
        audit.record(vault=vault, by=NETWORK, event="peering.refused", changes=changes, reason=reason)
