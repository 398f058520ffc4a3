"""The local carrier: both vaults live in this installation, so a message is handed over by a call.

The bytes are the ones a remote carrier would send, and the receiving side treats them the same way.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import DatabaseError

from connections.peering.errors import CarrierError
from connections.peering.messages import Party
from connections.services.handshake import receiving

logger = logging.getLogger(__name__)


def deliver(raw: bytes, *, to: Party, now: datetime, **_network: Any) -> bytes:
    """Hand the message to the other vault and return its answer."""
    try:
        return receiving.receive(raw, vault_id=to.vault_id, now=now)
    except DatabaseError as error:
        # To the sender this is a peer that gave no answer: its row stays due and is sent again.
        logger.exception("peer message not taken")
        raise CarrierError("The other Vault could not take the message; it is sent again.") from error
