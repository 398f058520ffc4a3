"""Refused identities in the audit trail: one row each, and never so many that a flood fills the disk.

A flood costs no more than its refusals: once a vault's minute is full, a process asks the database again only every few
seconds, and the log gets one line for all that came in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import transaction

from vaultadmin import audit
from vaultadmin.accounts import limits
from vaultadmin.models import Vault

ROWS_A_MINUTE: Final = 120
NETWORK: Final = audit.System("Network")
PEERING_REFUSED: Final = "peering.refused"
MESSAGE_REFUSED: Final = "spark_message.refused"
_QUIET: Final = timedelta(seconds=5)

logger = structlog.get_logger(__name__)


@dataclass
class _Flood:
    """How long a process leaves a full minute alone, and how many refusals it kept to itself meanwhile."""

    quiet_until: datetime
    unsaid: int = 0


_floods: dict[tuple[int, str], _Flood] = {}


def record_refusal(*, vault: Vault | None, name: str, reason: str, now: datetime, event: str = PEERING_REFUSED) -> None:
    """Write down that a message was not believed, in the vault's trail, or in the installation's for a vault we lack.

    Beyond ROWS_A_MINUTE of one vault only the log tells.
    """
    chain = vault.pk if vault else audit.INSTALLATION_CHAIN
    flood = _floods.get((chain, event))
    if flood is not None and now < flood.quiet_until:
        flood.unsaid += 1
        return
    unsaid = flood.unsaid if flood is not None else 0
    logger.warning(
        "signed_message_refused", vault=vault.pk if vault else None, message=name[:40], reason=reason, unsaid=unsaid
    )
    with transaction.atomic():
        if limits.take(f"{event}:{chain}", limit=ROWS_A_MINUTE, within=timedelta(minutes=1), now=now) is None:
            _floods[chain, event] = _Flood(now + _QUIET)
            return
        _floods.pop((chain, event), None)
        changes: audit.Changes = {"Message": (None, name[:40])}
        audit.record(vault=vault, by=NETWORK, event=event, changes=changes, reason=reason)
